/**
 * The local site: QEMU on this machine. Its images are built in the background at the first start
 * and taken from the cache afterwards; until one is there, machines of it wait.
 */
import { join } from "node:path";

import type { Db } from "#db/pool.ts";
import { mebibyte } from "#kernel/shape.ts";
import type { Observer } from "#observe/observer.ts";
import type { Accelerator } from "#providers/local/driver.ts";
import { openLocal } from "#providers/local/open.ts";
import { probeAccelerator } from "#providers/local/probe.ts";
import { findQemu } from "#providers/local/qemu.ts";
import type { Provider } from "#providers/provider.ts";

import { imageNames } from "#providers/local/image/image.ts";
import { localImages } from "./local-images.ts";

/** The flavors that people try first get a warm template before anybody asks; the last one first. */
const preparedMemoryMiB = [512, 256];

export interface LocalSite {
  readonly provider: Provider;
  /** Names of all that it can have, once they are built. */
  readonly images: readonly string[];
  /** Builds what is not in the cache, and says in the catalog what can be ordered. */
  readonly buildImages: (db: Db) => Promise<void>;
  /** What stands in the way of an image, as sentences. */
  readonly troubles: () => string[];
}

interface LocalSiteOptions {
  readonly dataDirectory: string;
  readonly imageCacheDirectory: string;
  readonly observer: Observer;
  readonly now: () => number;
  readonly offered: { readonly cpus: number; readonly memoryBytes: number };
  /** Clones that stand ready, in all; without it every machine boots. */
  readonly warmMembers?: number;
  /** Told of what takes long: the first start builds the small image. */
  readonly progress: (step: string) => void;
  readonly signal: AbortSignal;
}

export async function openLocalSite(options: LocalSiteOptions): Promise<LocalSite> {
  const images = localImages({ ...options, cacheDirectory: options.imageCacheDirectory });
  // The probe that decides between KVM and emulation boots this image's kernel, as the user that
  // machines run as.
  await images.build("tiny");
  options.signal.throwIfAborted();
  const provider = await openLocal({
    dataDirectory: options.dataDirectory,
    site: "local",
    offered: options.offered,
    log: options.observer.log,
    now: options.now,
    image: (name) => Promise.resolve().then(() => images.find(name)),
    ...(options.warmMembers === undefined
      ? {}
      : { warmPool: warmPool(options.warmMembers, options.offered.memoryBytes) }),
    accelerator: async (user) => {
      const image = images.find("tiny");
      const qemu = await findQemu();
      options.progress("probe machine: does KVM work here?");
      try {
        return await probeAccelerator({
          image,
          qemu,
          cacheFile: join(options.dataDirectory, "kvm-probe.json"),
          ...(user === undefined ? {} : { user }),
          signal: options.signal,
        });
      } catch (error) {
        options.signal.throwIfAborted();
        options.observer.log.warn({ err: error }, "the probe machine could not be started");
        return notTried(error instanceof Error ? error.message : String(error));
      }
    },
  });
  return { provider, images: imageNames, buildImages: images.buildAll, troubles: images.troubles };
}

function warmPool(members: number, memoryBytes: number) {
  return {
    members,
    memoryBytesMax: memoryBytes / 4,
    prepare: preparedMemoryMiB.map((memoryMiB) => ({
      image: "tiny",
      cpu: { sockets: 1, cores: 1, threads: 1 },
      memoryBytes: memoryMiB * mebibyte,
    })),
  };
}

function notTried(why: string): Accelerator {
  const reason = `KVM could not be tried: ${why}`;
  return { kind: "tcg", cpuModel: "qemu64,+rdrand,-svm", reason };
}
