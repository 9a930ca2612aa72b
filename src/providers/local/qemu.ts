/** The QEMU programs of this host: which there are, and running the short ones. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { ProviderError } from "#providers/provider.ts";

import { errorCode } from "./files.ts";

export interface Qemu {
  readonly system: string;
  readonly image: string;
  readonly version: string;
}

const run = promisify(execFile);
const imageToolTimeoutMs = 120_000;

export const qemuMissing =
  "QEMU is not installed on this host. Install qemu-system-x86 and qemu-utils (Debian: apt-get install qemu-system-x86 qemu-utils).";

export async function findQemu(): Promise<Qemu> {
  try {
    const system = "qemu-system-x86_64";
    const { stdout } = await run(system, ["--version"], { timeout: 10_000 });
    await run("qemu-img", ["--version"], { timeout: 10_000 });
    return {
      system,
      image: "qemu-img",
      version: /version ([^\s(]+)/.exec(stdout)?.[1] ?? "unknown",
    };
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    throw new ProviderError("unavailable", qemuMissing, { effect: "none", cause: error });
  }
}

/**
 * Runs `qemu-img` inside a directory, as the user that the machine's QEMU runs as: a disk's header
 * names other files, so it is never read with more rights than the machine has.
 */
export async function qemuImage(
  qemu: Qemu,
  place: { readonly directory: string; readonly uid: number | null; readonly gid: number },
  parameters: readonly string[],
): Promise<string> {
  try {
    const { stdout } = await run(qemu.image, [...parameters], {
      cwd: place.directory,
      ...(place.uid === null ? {} : { uid: place.uid, gid: place.gid }),
      timeout: imageToolTimeoutMs,
      maxBuffer: 16 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    throw imageToolError(error, parameters);
  }
}

function imageToolError(error: unknown, parameters: readonly string[]): ProviderError {
  if (errorCode(error) === "ENOENT") {
    return new ProviderError("unavailable", qemuMissing, { effect: "none", cause: error });
  }
  const text = stderrOf(error);
  if (/No space left on device/.test(text)) {
    return new ProviderError("capacity", "The disk of this host is full.", {
      effect: "none",
      cause: error,
    });
  }
  return new ProviderError("unknown", `qemu-img ${parameters[0] ?? ""} failed: ${text}`, {
    effect: "none",
    cause: error,
  });
}

function stderrOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "stderr" in error && typeof error.stderr === "string" && error.stderr !== ""
    ? error.stderr.trim()
    : error.message;
}
