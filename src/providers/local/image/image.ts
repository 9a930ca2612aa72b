/**
 * The images that machines boot from. `ensureImage` gives one out of the cache, checked, or builds
 * it from Debian's packages: without root and without mounting anything. A cached image needs no
 * network. Newer packages are taken when the recipe changes or the cache is emptied, never
 * behind the back of a running cloud.
 */
import { join } from "node:path";

import { ProviderError } from "#providers/provider.ts";
import { agentScript } from "#providers/local/guest/agent-script.ts";

import { cachedOrBuilt, recipeKey } from "./cache.ts";
import { buildDebian, debianDiskBytes, debianRecipe } from "./debian.ts";
import { isDiskFull, noRoom, requireRoom } from "./room.ts";
import { buildTiny, tinyDiskBytes, tinyRecipe } from "./tiny.ts";

export type ImageName = "tiny" | "debian-12";
/** The quick one first: it is ready seconds after the first start, the other takes a minute. */
export const imageNames: readonly ImageName[] = ["tiny", "debian-12"];

export interface BuiltImage {
  /** Hash of the contents. */
  readonly id: string;
  readonly name: ImageName;
  readonly kernelPath: string;
  readonly initrdPath: string;
  /** qcow2; machines write to overlays over it. */
  readonly baseDiskPath: string;
  readonly kernelArguments: string;
  readonly defaultUser: string;
  readonly minDiskBytes: number;
  readonly minMemoryBytes: number;
  /** It runs cloud-init where it finds a seed disk (seed.ts). */
  readonly takesUserData: boolean;
}

/** What is known of an image before it is built. */
export type ImageFacts = Pick<
  BuiltImage,
  "defaultUser" | "minDiskBytes" | "minMemoryBytes" | "takesUserData"
>;

/** `step` is a word for programs, `detail` a sentence for people. */
export type Report = (step: string, detail: string) => void;

export interface ImageRequest {
  readonly name: ImageName;
  readonly cacheDirectory: string;
  readonly report: Report;
  readonly signal: AbortSignal;
}

export interface BuildContext {
  /** Where the image's files go. */
  readonly output: string;
  /** Scratch space that is removed afterwards. */
  readonly work: string;
  readonly report: Report;
  readonly signal: AbortSignal;
}

interface ImageKind {
  readonly recipe: unknown;
  readonly build: (context: BuildContext) => Promise<string[]>;
  /** What a build takes on the disk while it lasts, measured and rounded up. */
  readonly buildBytes: number;
  readonly facts: ImageFacts;
}

const mebibyte = 1024 * 1024;

const kinds: Readonly<Record<ImageName, ImageKind>> = {
  tiny: {
    recipe: tinyRecipe,
    build: buildTiny,
    buildBytes: 256 * mebibyte,
    facts: {
      defaultUser: "root",
      minDiskBytes: tinyDiskBytes,
      minMemoryBytes: 96 * mebibyte,
      takesUserData: false,
    },
  },
  "debian-12": {
    recipe: debianRecipe,
    build: buildDebian,
    buildBytes: 2048 * mebibyte,
    facts: {
      defaultUser: "debian",
      minDiskBytes: debianDiskBytes,
      minMemoryBytes: 256 * mebibyte,
      takesUserData: true,
    },
  },
};

export function imageFacts(name: ImageName): ImageFacts {
  return kinds[name].facts;
}

export function namesWithUserData(): ImageName[] {
  return imageNames.filter((name) => kinds[name].facts.takesUserData);
}

/**
 * Quick under emulation: no calibrations, no work for speculation flaws that an emulated CPU does
 * not have and that a guest under KVM would only have against itself; memory that is plugged comes
 * online by itself; a panic ends the machine, so that it is seen.
 */
const kernelArguments = [
  "console=ttyS0 quiet mitigations=off nokaslr random.trust_cpu=on no_timer_check",
  "lpj=4000000 tsc=reliable net.ifnames=0 memhp_default_state=online panic=-1",
].join(" ");

/**
 * Throws ProviderError if it has to be built and cannot be: `capacity` if the disk has no room for
 * it, else `unavailable`.
 */
export async function ensureImage(request: ImageRequest): Promise<BuiltImage> {
  const { name, cacheDirectory, report, signal } = request;
  const kind = kinds[name];
  const fileNames = ["kernel", "initrd", "base.qcow2"];
  const recipe = recipeKey([kind.recipe, await agentScript()]);
  const { id, path } = await cachedOrBuilt({
    directory: cacheDirectory,
    name,
    recipe,
    fileNames,
    signal,
    build: async (output) => {
      await requireRoom({ image: name, directory: cacheDirectory, buildBytes: kind.buildBytes });
      return buildOrExplain(request, { output, work: join(output, ".."), report, signal });
    },
  });
  return {
    id,
    name,
    kernelPath: join(path, "kernel"),
    initrdPath: join(path, "initrd"),
    baseDiskPath: join(path, "base.qcow2"),
    kernelArguments,
    ...kind.facts,
  };
}

async function buildOrExplain(
  { name, cacheDirectory }: ImageRequest,
  context: BuildContext,
): Promise<string[]> {
  const { build, buildBytes } = kinds[name];
  try {
    return await build(context);
  } catch (error) {
    if (context.signal.aborted) throw error;
    if (error instanceof ProviderError && error.code === "capacity") throw error;
    if (isDiskFull(error)) {
      throw await noRoom({ image: name, directory: cacheDirectory, buildBytes, cause: error });
    }
    if (error instanceof ProviderError) throw error;
    throw new ProviderError("unavailable", `The guest image ${name} could not be built.`, {
      effect: "none",
      cause: error,
    });
  }
}
