/** Puts the local driver together. */
import type { Logger } from "pino";

import type { Provider } from "#providers/provider.ts";

import { Changes } from "./changes.ts";
import type { Accelerator, Driver, Image, Offered } from "./driver.ts";
import { createGuests } from "./guests.ts";
import { Keeper } from "./keeper.ts";
import { limitsOf } from "./limits.ts";
import { Pool, type WarmPoolSettings } from "./pool.ts";
import { LocalProvider } from "./provider.ts";
import { findQemu } from "./qemu.ts";
import { recover } from "./recover.ts";
import { openSite } from "./site.ts";
import { warmUp } from "./warm-up.ts";

export interface LocalParts {
  readonly dataDirectory: string;
  readonly site: string;
  readonly hostId?: string;
  readonly offered: Offered;
  readonly log: Logger;
  readonly now?: () => number;
  readonly image: (name: string) => Promise<Image>;
  readonly accelerator: () => Promise<Accelerator>;
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
  const driver: Driver = {
    site,
    offered: options.offered,
    qemu: once(findQemu),
    accelerator: once(options.accelerator),
    limits: once(() => limitsOf(site)),
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
    closeBackground: async () => pool?.close(),
  });
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
