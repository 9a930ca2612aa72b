/**
 * Slots: small numbers handed out one per machine, each standing for a port on loopback and a user
 * id of its own. A slot is a file made exclusively, so two processes never hand out the same one,
 * and it stays taken over restarts of everything.
 */
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

import { ProviderError } from "#providers/provider.ts";

import { errorCode } from "./files.ts";
import { slotsMax, type Site } from "./site.ts";

export interface Slot {
  readonly slot: number;
  readonly sshPort: number;
  readonly uid: number | null;
}

/** `holder` is the name of the directory that the slot is for. */
export async function takeSlot(site: Site, holder: string): Promise<Slot> {
  const taken = new Set(await readdir(join(site.root, "slots")));
  for (let slot = 0; slot < slotsMax; slot += 1) {
    if (taken.has(String(slot))) continue;
    const sshPort = site.portBase + slot;
    if (!(await isFree(sshPort))) continue;
    if (await claim(join(site.root, "slots", String(slot)), holder)) {
      return { slot, sshPort, uid: site.uidBase === undefined ? null : site.uidBase + slot };
    }
  }
  throw new ProviderError(
    "capacity",
    `All ${slotsMax} machine slots of this host are taken or their ports (${site.portBase} and up) are busy.`,
    { effect: "none" },
  );
}

export async function releaseSlot(site: Site, slot: number): Promise<void> {
  await rm(join(site.root, "slots", String(slot)), { force: true });
}

/** The slot moves with a pool member that becomes a machine. */
export async function renameSlot(site: Site, slot: number, holder: string): Promise<void> {
  await writeFile(join(site.root, "slots", String(slot)), holder);
}

/** Frees slots whose holder is gone, e.g. after a crash between taking one and using it. */
export async function collectSlots(site: Site, holders: ReadonlySet<string>): Promise<void> {
  for (const slot of await readdir(join(site.root, "slots"))) {
    const path = join(site.root, "slots", slot);
    const holder = await readFile(path, "utf8").catch(() => "");
    // A template that is being built has no directory of that name; its builder lets go.
    const building =
      holder.startsWith("template.") && !(await isFree(site.portBase + Number(slot)));
    if (!holders.has(holder) && !building) await rm(path, { force: true });
  }
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}

async function claim(path: string, holder: string): Promise<boolean> {
  try {
    await writeFile(path, holder, { flag: "wx" });
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}
