/**
 * The local site: QEMU on this machine. Its images are built in the background at the first start
 * and taken from the cache afterwards; until one is there, machines of it wait.
 */
import { join } from "node:path";

import type { Queryable } from "#db/pool.ts";
import { recordImage } from "#catalog/images.ts";
import { gibibyte, mebibyte } from "#kernel/shape.ts";
import type { Observer } from "#observe/observer.ts";
import {
  ensureImage,
  imageFacts,
  imageNames,
  type BuiltImage,
  type ImageName,
} from "#providers/local/image/image.ts";
import type { Accelerator } from "#providers/local/driver.ts";
import { openLocal } from "#providers/local/open.ts";
import { probeAccelerator } from "#providers/local/probe.ts";
import { findQemu } from "#providers/local/qemu.ts";
import { ProviderError, type Provider } from "#providers/provider.ts";

const descriptions: Readonly<Record<ImageName, string>> = {
  tiny: "A small Linux with a shell and SSH that starts in a moment",
  "debian-12": "Debian 12 with systemd, apt, Python and cloud-init",
};

/** The flavors that people try first get a warm template before anybody asks. */
const preparedMemoryMiB = [256, 512];

export interface LocalSite {
  readonly provider: Provider;
  /** Builds what is not in the cache, and says in the catalog what can be ordered. */
  buildImages(db: Queryable): Promise<void>;
}

export async function openLocalSite(options: {
  readonly dataDirectory: string;
  readonly imageCacheDirectory: string;
  readonly observer: Observer;
  readonly now: () => number;
  readonly offered: { readonly cpus: number; readonly memoryBytes: number };
  /** Clones that stand ready for each kind; without it every machine boots. */
  readonly warmMembers?: number;
  /** Told of what takes long: the first start builds the small image. */
  readonly progress: (step: string) => void;
  readonly signal: AbortSignal;
}): Promise<LocalSite> {
  const { log } = options.observer;
  const built = new Map<string, BuiltImage>();
  const build = async (name: ImageName): Promise<BuiltImage> => {
    const image = await ensureImage({
      name,
      cacheDirectory: options.imageCacheDirectory,
      report: (step, detail) => {
        log.info({ image: name, step }, detail);
        if (name === "tiny") options.progress(detail);
      },
      signal: options.signal,
    });
    built.set(name, image);
    return image;
  };
  // The probe that decides between KVM and emulation boots this image's kernel, as the user that
  // machines run as.
  const tiny = await build("tiny").catch((error: unknown) => {
    log.error({ image: "tiny", err: error }, "image could not be built");
    return undefined;
  });
  const provider = await openLocal({
    dataDirectory: options.dataDirectory,
    site: "local",
    offered: options.offered,
    log,
    now: options.now,
    image: (name) => {
      const image = built.get(name);
      if (image !== undefined) return Promise.resolve(image);
      const known = imageNames.some((each) => each === name);
      return Promise.reject(
        known
          ? new ProviderError("unavailable", `The image ${name} is being built.`, {
              effect: "none",
            })
          : new ProviderError("refused", `There is no image ${name} here.`, { effect: "none" }),
      );
    },
    ...(options.warmMembers === undefined
      ? {}
      : {
          warmPool: {
            members: options.warmMembers,
            memoryBytesMax: options.offered.memoryBytes / 4,
            prepare: preparedMemoryMiB.map((memoryMiB) => ({
              image: "tiny",
              cpu: { sockets: 1, cores: 1, threads: 1 },
              memoryBytes: memoryMiB * mebibyte,
            })),
          },
        }),
    accelerator: (user) => accelerate(tiny, options, user),
  });
  // Once now, so that the first look at the site has the answer at once.
  await provider.info({ signal: options.signal }).catch((error: unknown) => {
    log.warn({ err: error }, "the local site cannot be looked at");
  });
  return {
    provider,
    buildImages: async (db) => {
      for (const name of imageNames) {
        const { defaultUser, minMemoryBytes, minDiskBytes, takesUserData } = imageFacts(name);
        const said = {
          name,
          description: descriptions[name],
          defaultUser,
          minMemoryMiB: Math.ceil(minMemoryBytes / mebibyte),
          minDiskGiB: Math.ceil(minDiskBytes / gibibyte),
          takesUserData,
        };
        await recordImage(db, { ...said, state: "building" });
        try {
          if (!built.has(name)) await build(name);
          await recordImage(db, { ...said, state: "ready" });
        } catch (error) {
          if (options.signal.aborted) return;
          log.error({ image: name, err: error }, "image could not be built");
          await recordImage(db, { ...said, state: "failed" });
        }
      }
    },
  };
}

async function accelerate(
  image: BuiltImage | undefined,
  options: {
    readonly dataDirectory: string;
    readonly observer: Observer;
    readonly progress: (step: string) => void;
    readonly signal: AbortSignal;
  },
  user: { readonly uid: number; readonly gid: number } | undefined,
): Promise<Accelerator> {
  options.progress("probe machine: does KVM work here?");
  if (image === undefined) return notTried("there is no image to boot");
  try {
    return await probeAccelerator({
      image,
      qemu: await findQemu(),
      cacheFile: join(options.dataDirectory, "kvm-probe.json"),
      ...(user === undefined ? {} : { user }),
      signal: options.signal,
    });
  } catch (error) {
    options.observer.log.warn({ err: error }, "the probe machine could not be started");
    return notTried(error instanceof Error ? error.message : String(error));
  }
}

function notTried(why: string): Accelerator {
  const reason = `KVM could not be tried: ${why}`;
  return { kind: "tcg", cpuModel: "qemu64,+rdrand,-svm", reason };
}
