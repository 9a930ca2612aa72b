/**
 * Process identity. A pid alone is reused; a pid with its start time and the boot it happened in
 * names one process for ever, and that is what a machine's record keeps.
 */
import { readFileSync, readdirSync } from "node:fs";

import { errorCode } from "./files.ts";

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after boot, field 22 of /proc/pid/stat. */
  readonly startTicks: number;
  readonly bootId: string;
}

export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/**
 * Identity of a live process; undefined if there is none. A zombie is dead once its last thread is:
 * until then the process holds its files and their locks.
 */
export function identify(pid: number): ProcessIdentity | undefined {
  const fields = statFields(pid);
  if (fields === undefined || hasEnded(fields)) return undefined;
  return { pid, startTicks: fields.startTicks, bootId: bootId() };
}

export function isAlive(identity: ProcessIdentity): boolean {
  const now = identify(identity.pid);
  return (
    now !== undefined && now.startTicks === identity.startTicks && now.bootId === identity.bootId
  );
}

/** Sends a signal only if the pid still is this process. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    if (errorCode(error) !== "ESRCH") throw error;
  }
}

/** Processes whose command line holds all of these words; for what a crash left unrecorded. */
export function findByCommandLine(words: readonly string[]): ProcessIdentity[] {
  const found: ProcessIdentity[] = [];
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const command = readOrEmpty(`/proc/${entry}/cmdline`).split("\0");
    if (!words.every((word) => command.includes(word))) continue;
    const identity = identify(Number(entry));
    if (identity !== undefined) found.push(identity);
  }
  return found;
}

/** CPU seconds used so far and resident bytes; undefined if it is gone. */
export function usageOf(pid: number): { cpuSeconds: number; residentBytes: number } | undefined {
  const fields = statFields(pid);
  return (
    fields && { cpuSeconds: fields.cpuTicks / 100, residentBytes: fields.residentPages * 4096 }
  );
}

interface StatFields {
  readonly state: string;
  readonly threads: number;
  readonly startTicks: number;
  readonly cpuTicks: number;
  readonly residentPages: number;
}

function hasEnded({ state, threads }: StatFields): boolean {
  return (state === "Z" && threads <= 1) || state === "X";
}

function statFields(pid: number): StatFields | undefined {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  if (stat === "") return undefined;
  // The name in parentheses may hold spaces and parentheses: count from the last one.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    state: fields[0] ?? "",
    threads: Number(fields[17]),
    startTicks: Number(fields[19]),
    cpuTicks: Number(fields[11]) + Number(fields[12]),
    residentPages: Number(fields[21]),
  };
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
