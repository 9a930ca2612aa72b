/** Puts the local driver together. */
import { rmdir } from "node:fs/promises";
import type { Logger } from "pino";

import type { Provider } from "#providers/provider.ts";

import { bootsOf } from "./boots.ts";
import { Changes } from "./changes.ts";
import type { Accelerator, Driver, Image, Offered } from "./driver.ts";
import { createGuests } from "./guests.ts";
import { Keeper } from "./keeper.ts";
import { closeLimits, openLimits } from "./limits.ts";
import { Pool, type WarmPoolSettings } from "./pool.ts";
import { LocalProvider } from "./provider.ts";
import { findQemu } from "./qemu.ts";
import { recover } from "./recover.ts";
import { openSite, type Site } from "./site.ts";
import { warmUp } from "./warm-up.ts";

export interface LocalParts {
  readonly dataDirectory: string;
  readonly site: string;
  readonly hostId?: string;
  readonly offered: Offered;
  readonly log: Logger;
  readonly now?: () => number;
  readonly image: (name: string) => Promise<Image>;
  /** `user`: who machines run as, if not as we do. */
  readonly accelerator: (user?: { uid: number; gid: number }) => Promise<Accelerator>;
  /** Without it every machine boots. */
  readonly warmPool?: WarmPoolSettings;
}

export async function openLocal(options: LocalParts): Promise<Provider> {
  const changes = new Changes();
  const site = await openSite({
    name: options.site,
    dataDirectory: options.dataDirectory,
    ...(options.hostId === undefined ? {} : { hostId: options.hostId }),
    log: options.log,
    now: options.now ?? Date.now,
    changed: (machineId) => changes.tell(machineId),
  });
  const guests = createGuests(site);
  const keeper = new Keeper(site, guests.serve);
  const accelerator = once(() => options.accelerator(userOf(site)));
  const driver: Driver = {
    site,
    offered: options.offered,
    qemu: once(findQemu),
    accelerator,
    boots: once(async () => bootsOf(await accelerator())),
    limits: once(() => openLimits(site)),
    image: options.image,
    warm: {
      takeMember: async (spec, image) => pool?.takeMember(spec, image),
      cloneNow: async (spec, image) => pool?.cloneNow(spec, image),
    },
    keep: (machineId) => keeper.keep(machineId),
  };
  const { warmPool } = options;
  const pool =
    warmPool &&
    new Pool(driver, {
      settings: warmPool,
      warmUp,
      isBusy: () => guests.booting() > 0,
    });
  await recover(driver, guests);
  pool?.start();
  return new LocalProvider({
    driver,
    keeper,
    guest: guests,
    changes,
    closing: new AbortController(),
    closeBackground: async () => {
      await pool?.close();
      await closeLimits(await driver.limits());
      // Gone if it is empty; a clone makes it again.
      await rmdir(site.memoryRoot).catch(() => {});
    },
  });
}

function userOf({ uidBase, gid }: Site): { uid: number; gid: number } | undefined {
  return uidBase === undefined ? undefined : { uid: uidBase, gid };
}

/** Remembers a success; a failure is tried again at the next call. */
function once<T>(find: () => Promise<T>): () => Promise<T> {
  let found: Promise<T> | undefined;
  return () => {
    found ??= find().catch((error: unknown) => {
      found = undefined;
      throw error;
    });
    return found;
  };
}
