/**
 * Which CPUs a process may run on. `taskset` belongs to util-linux, which every Debian has; threads that a
 * pinned process starts later are pinned as it is.
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

import {
  ProviderError,
  type Capabilities,
  type MachineSpec,
  type Pinning,
} from "#providers/provider.ts";

import { cpusOfNode } from "./numa.ts";
import type { State } from "./records.ts";

const timeoutMs = 5_000;

/** All threads of it; `cpus` as the kernel writes them, such as `0-3,8`. */
export async function keepOnCpus(pid: number, cpus: string): Promise<void> {
  await promisify(execFile)("taskset", ["--all-tasks", "--cpu-list", "--pid", cpus, `${pid}`], {
    timeout: timeoutMs,
  });
}

/** Throws `refused` for what this machine cannot do. */
export function demandPinning(
  pinning: Pinning | undefined,
  { numaPinning, exclusiveCpus }: Pick<Capabilities, "numaPinning" | "exclusiveCpus">,
): void {
  const { numaNode, exclusive } = pinning ?? {};
  if (numaNode !== undefined && !numaPinning.can) throw refused(numaPinning.because);
  if (exclusive === true && !exclusiveCpus.can) throw refused(exclusiveCpus.because);
  if (numaNode !== undefined && cpusOfNode(numaNode) === undefined) {
    throw refused(`there is no NUMA node ${numaNode}`);
  }
}

/** Whether it runs, and where it is to run. */
export async function isPinned(
  { pinning }: Pick<MachineSpec, "pinning">,
  state: Pick<State, "launch"> | undefined,
): Promise<boolean> {
  const process = state?.launch?.process;
  if (pinning?.numaNode === undefined || !process) return false;
  return (await cpusAllowed(process.pid)) === cpusOfNode(pinning.numaNode);
}

/** Undefined for a process that is not there. */
export async function cpusAllowed(pid: number): Promise<string | undefined> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1];
}

function refused(message: string): ProviderError {
  return new ProviderError("refused", message, { effect: "none" });
}
