/**
 * What a driver does when it starts: it finds the machines that outlived the last one, finishes
 * what that one left half done, and collects what nobody owns. Another driver may be at work on
 * the same directory, so everything happens under the locks.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { ProviderError, type PowerAction } from "#providers/provider.ts";

import { adopt, createMachine, deleteMachine } from "./create.ts";
import type { Driver } from "./driver.ts";
import {
  discard,
  instancePath,
  listInstances,
  readSpec,
  readState,
  sweepTrash,
} from "./instance.ts";
import { collectAddresses } from "./network.ts";
import { abandonedOperations, resume } from "./operations.ts";
import { changePower, type Guest } from "./power.ts";
import { deleteSchema, specSchema, type OperationRecord } from "./records.ts";
import { collectSlots } from "./slots.ts";

export async function recover(driver: Driver, guest: Guest): Promise<void> {
  const { site } = driver;
  await sweepTrash(site);
  for (const id of await listInstances(site)) {
    await site.locks
      .hold(id, () => recoverMachine(driver, id))
      .catch((error: unknown) =>
        site.log.error({ err: error, machineId: id }, "machine not recovered"),
      );
  }
  await collect(driver);
  for (const record of await abandonedOperations(site)) {
    site.log.info(
      { operationId: record.id, kind: record.kind },
      "finishing an interrupted operation",
    );
    await resume(site, record, () => redo(driver, guest, record));
  }
}

async function recoverMachine(driver: Driver, id: string): Promise<void> {
  const path = instancePath(driver.site, id);
  const spec = await readSpec(path);
  if (spec === undefined) {
    driver.site.log.warn({ machineId: id }, "collected a directory without a spec");
    await discard(driver.site, path);
    return;
  }
  const state = await readState(path);
  if (state !== undefined) await adopt(driver, path, spec, state);
}

/** Ports and addresses of machines that are gone, unless one is being made this moment. */
async function collect({ site }: Driver): Promise<void> {
  await site.locks.hold("admission", async () => {
    const machines = new Set(await listInstances(site));
    await collectAddresses(site, machines);
    const members = await readdir(join(site.root, "pool"));
    await collectSlots(site, new Set([...machines, ...members]));
  });
}

/** Creating, deleting, starting and stopping may be done again; the rest must be looked at. */
async function redo(
  driver: Driver,
  guest: Guest,
  record: OperationRecord,
): Promise<string | undefined> {
  if (record.kind === "create") {
    return createMachine(driver, specSchema.parse(JSON.parse(record.request)));
  }
  if (record.kind === "delete") {
    const { keep } = deleteSchema.parse(JSON.parse(record.request)) ?? {};
    return deleteMachine(driver, record.machineId, record.owner, keep);
  }
  const action = repeatable(record);
  if (action !== undefined) return changePower(driver, guest, record.machineId, action);
  throw new ProviderError(
    "unknown",
    `The driver was restarted during ${record.kind}; look at the machine.`,
    {
      effect: "maybe",
    },
  );
}

function repeatable({ kind }: OperationRecord): PowerAction | undefined {
  if (kind === "start" || kind === "stop" || kind === "pause" || kind === "resume") {
    return { to: kind };
  }
  // The grace was granted before the restart.
  return kind === "shutdown" ? { to: "shutdown", graceSeconds: 10 } : undefined;
}
