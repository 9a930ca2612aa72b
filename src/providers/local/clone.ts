/**
 * Clones of a template: made standing still, wired to their tenant when it is known, then set
 * going. Each step may be repeated by whoever comes after a crash.
 */
import { randomUUID } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";

import type { MachineSpec } from "#providers/provider.ts";

import { diskNode, qemuArguments } from "./arguments.ts";
import type { Driver } from "./driver.ts";
import { runName, writeState } from "./instance.ts";
import { launch } from "./launch.ts";
import { monitorAt } from "./monitor.ts";
import { segmentOf } from "./network.ts";
import { QmpError, type Qmp } from "./qmp.ts";
import type { State } from "./records.ts";
import { makeMemoryFile } from "./site.ts";
import type { Slot } from "./slots.ts";
import {
  freshOf,
  freshState,
  layClone,
  planOf,
  restore,
  type Kind,
  type Template,
} from "./template.ts";

/** A machine in `path` that stands where the template stood. Costs about its own memory. */
export async function makeClone(
  driver: Driver,
  clone: {
    readonly path: string;
    readonly kind: Kind;
    readonly template: Template;
    readonly slot: Slot;
  },
): Promise<State> {
  const { path, kind, template, slot } = clone;
  const uuid = randomUUID();
  const memoryFile = await makeMemoryFile(driver.site, uuid, slot.uid);
  const devices = await open(join(template.path, "devices"), "r");
  try {
    await layClone(driver, template, { path, slot, memoryFile });
    const own = { uuid, sshPort: slot.sshPort, memoryFile, incoming: true } as const;
    const plan = await planOf(driver, kind, own);
    const { system } = await driver.qemu();
    const fresh = freshState(driver, { ...freshOf(kind, template.diskBytes), slot });
    const started = await launch(
      driver.site,
      path,
      { ...fresh, wired: false },
      { uuid, start: "warm", board: kind.board },
      (runDirectory) => ({
        program: system,
        parameters: qemuArguments({ ...plan, runDirectory }),
        inherit: devices.fd,
      }),
    );
    await restore(path, runName(started.launches));
    const standing: State = { ...started, power: "paused" };
    await writeState(path, standing);
    return standing;
  } finally {
    await devices.close();
    // QEMU holds it open; nobody else ever needs its name.
    await rm(memoryFile, { force: true });
  }
}

/** Plugs the clone into its tenant's network, gives it its disk, and lets it run. */
export async function wire(
  driver: Driver,
  path: string,
  spec: MachineSpec,
  state: State,
): Promise<State> {
  if (state.wired) return state;
  const { group, port } = segmentOf(driver.site, spec.network);
  const wired = await monitorAt(path, runName(state.launches), async (qmp): Promise<State> => {
    await once(qmp, "netdev_add", {
      type: "socket",
      id: "tenant-wire",
      mcast: `${group}:${port}`,
      localaddr: "127.0.0.1",
    });
    await once(qmp, "netdev_add", {
      type: "hubport",
      id: "tenant-port",
      hubid: 1,
      netdev: "tenant-wire",
    });
    const diskBytes = Math.max(spec.diskBytes, state.hardware.diskBytes);
    if (diskBytes > state.hardware.diskBytes) {
      await qmp.execute("block_resize", { "node-name": diskNode, size: diskBytes });
    }
    await qmp.execute("cont");
    const hardware = { ...state.hardware, diskBytes };
    return {
      ...state,
      hardware,
      wanted: hardware,
      wired: true,
      intent: "run",
      power: "running",
      powerSince: driver.site.now(),
      createdAt: driver.site.now(),
    };
  });
  await writeState(path, wired);
  return wired;
}

/** The second time is harmless. */
async function once(qmp: Qmp, command: string, parameters: Record<string, unknown>): Promise<void> {
  try {
    await qmp.execute(command, parameters);
  } catch (error) {
    if (!(error instanceof QmpError && /duplicate|already/i.test(error.message))) throw error;
  }
}
