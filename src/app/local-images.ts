/**
 * The guest images of the local site. The small one is built before anything else, as the probe for
 * KVM boots it; the others in the background. What fails (no network, no room on the disk) is said
 * where the operator looks and tried again until it works, so that nobody has to start anew.
 */
import { setTimeout as wait } from "node:timers/promises";

import { recordImage, recordSiteImages } from "#catalog/images.ts";
import type { Db, Queryable } from "#db/pool.ts";
import { assert } from "#kernel/assert.ts";
import { gibibyte, mebibyte } from "#kernel/shape.ts";
import type { Observer } from "#observe/observer.ts";
import {
  ensureImage,
  imageFacts,
  imageNames,
  type BuiltImage,
  type ImageName,
} from "#providers/local/image/image.ts";
import { inBackground } from "#providers/local/image/program.ts";
import { ProviderError } from "#providers/provider.ts";

const descriptions: Readonly<Record<ImageName, string>> = {
  tiny: "A small Linux with a shell and SSH that starts in a moment",
  "debian-12": "Debian 12 with systemd, apt, Python and cloud-init",
};

const firstPauseMs = 30_000;
const pauseMsMax = 600_000;

export interface LocalImages {
  /** Throws ProviderError with the reason why it is not there. */
  readonly find: (name: string) => BuiltImage;
  /** Why those that could not be built are missing, as sentences. */
  readonly troubles: () => string[];
  /** Once; a failure is among the troubles. */
  readonly build: (name: ImageName) => Promise<void>;
  /** Builds what is missing until nothing is, and says in the catalog what can be ordered. */
  readonly buildAll: (db: Db) => Promise<void>;
}

export function localImages(options: {
  readonly cacheDirectory: string;
  readonly observer: Observer;
  /** Told of each step of the small image, and of how the others end. */
  readonly progress: (step: string) => void;
  readonly signal: AbortSignal;
}): LocalImages {
  const { progress, signal, observer } = options;
  const built = new Map<ImageName, BuiltImage>();
  const failures = new Map<ImageName, string>();

  const build = async (name: ImageName): Promise<void> => {
    try {
      const image = await ensureImage({
        name,
        cacheDirectory: options.cacheDirectory,
        report: (step, detail) => {
          observer.log.info({ image: name, step }, detail);
          if (name === "tiny") progress(detail);
        },
        signal,
      });
      built.set(name, image);
      failures.delete(name);
    } catch (error) {
      if (signal.aborted) return;
      observer.log.error({ image: name, err: error }, "image could not be built");
      failures.set(name, error instanceof Error ? error.message : String(error));
    }
  };

  const record = (db: Queryable, name: ImageName): Promise<void> =>
    recordImage(db, { ...said(name), state: stateOf(name) });
  const stateOf = (name: ImageName): "ready" | "failed" | "building" => {
    if (built.has(name)) return "ready";
    return failures.has(name) ? "failed" : "building";
  };

  return {
    build,
    find: (name) => {
      const known = imageNames.find((each) => each === name);
      if (known === undefined) throw refusal("refused", `There is no image ${name} here.`);
      const image = built.get(known);
      if (image !== undefined) return image;
      const why = failures.get(known);
      throw refusal(
        "unavailable",
        why === undefined ? `The image ${name} is being built.` : trouble(known, why),
      );
    },
    troubles: () => [...failures].map(([name, why]) => trouble(name, why)),
    buildAll: async (db) => {
      await db.transaction((tx) => recordSiteImages(tx, { site: "local", images: imageNames }));
      for (const name of imageNames) await record(db, name);
      await untilDone({
        names: imageNames,
        signal,
        attempt: async (name) => {
          const wasThere = built.has(name);
          const startedAt = performance.now();
          if (!wasThere) await inBackground(() => build(name));
          if (signal.aborted) return false;
          await record(db, name);
          const seconds = (performance.now() - startedAt) / 1_000;
          if (!wasThere && built.has(name) && seconds > 1) {
            progress(`image ${name} is ready`);
          }
          return built.has(name);
        },
        resting: (pauseMs) => {
          const next = `Trying again in ${pauseMs / 1_000} s`;
          for (const [name, why] of failures) progress(`${trouble(name, why)} ${next}`);
        },
      });
    },
  };
}

/** Tries each that is not done, then rests, longer each time; ends with the signal too. */
export async function untilDone<Name>(options: {
  readonly names: readonly Name[];
  readonly signal: AbortSignal;
  /** Whether it is done. */
  readonly attempt: (name: Name) => Promise<boolean>;
  readonly resting: (pauseMs: number) => void;
  readonly firstPauseMs?: number;
}): Promise<void> {
  const { signal, attempt } = options;
  const open = new Set(options.names);
  for (let pauseMs = options.firstPauseMs ?? firstPauseMs; ; pauseMs *= 2) {
    for (const name of open) {
      if (signal.aborted) return;
      if (await attempt(name)) open.delete(name);
    }
    if (open.size === 0 || signal.aborted) return;
    const rest = Math.min(pauseMs, pauseMsMax);
    options.resting(rest);
    await wait(rest, undefined, { signal, ref: false }).catch((error: unknown) => {
      assert(signal.aborted, String(error));
    });
  }
}

function said(name: ImageName): Omit<Parameters<typeof recordImage>[1], "state"> {
  const { defaultUser, minMemoryBytes, minDiskBytes, takesUserData } = imageFacts(name);
  return {
    name,
    description: descriptions[name],
    defaultUser,
    minMemoryMiB: Math.ceil(minMemoryBytes / mebibyte),
    minDiskGiB: Math.ceil(minDiskBytes / gibibyte),
    takesUserData,
  };
}

function trouble(name: ImageName, why: string): string {
  return `The image ${name} could not be built: ${why}`;
}

function refusal(code: "refused" | "unavailable", message: string): ProviderError {
  return new ProviderError(code, message, { effect: "none" });
}
