/**
 * A job's log and results on this side. The keeper copies them out of the guest while it runs, so
 * that they can be read by any process, and after the machine has died. The log file only grows,
 * by the bytes that the guest's log has and it has not: its size is the offset to ask for next, so
 * that nothing is lost and nothing is repeated, whoever the keeper is.
 */
import { createReadStream } from "node:fs";
import { open, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";

import { ProviderError } from "#providers/provider.ts";

import { errorCode } from "./files.ts";
import { instancePath } from "./instance.ts";
import type { Site } from "./site.ts";

const readBytesMax = 4 * 1024 * 1024;

export function logPath(directory: string): string {
  return join(directory, "workload.log");
}

export function resultsPath(directory: string): string {
  return join(directory, "results.tar");
}

/** Why there are none, in words, instead of them. */
export function resultsProblemPath(directory: string): string {
  return join(directory, "results.problem");
}

/** Notes when the guest answered last, as the time of a file: nobody waits for it to be durable. */
export async function markHeard(directory: string, at: number): Promise<void> {
  const path = join(directory, heardName);
  try {
    await utimes(path, at / 1000, at / 1000);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    await writeFile(path, "", { mode: 0o600 });
  }
}

export async function heardAt(directory: string): Promise<number | undefined> {
  const found = await stat(join(directory, heardName)).catch(() => undefined);
  return found?.mtimeMs;
}

const heardName = "heard";

export async function logSize(directory: string): Promise<number> {
  try {
    return (await stat(logPath(directory))).size;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return 0;
    throw error;
  }
}

export async function readWorkloadLog(
  site: Site,
  machineId: string,
  range: { readonly offset: number; readonly bytesMax: number },
): Promise<Buffer> {
  const size = Math.min(Math.max(0, range.bytesMax), readBytesMax);
  try {
    const file = await open(logPath(instancePath(site, machineId)), "r");
    try {
      const buffer = Buffer.alloc(size);
      const { bytesRead } = await file.read(buffer, 0, size, Math.max(0, range.offset));
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errorCode(error) === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
}

export async function readResults(site: Site, machineId: string): Promise<Readable> {
  const directory = instancePath(site, machineId);
  const problem = await readFile(resultsProblemPath(directory), "utf8").catch(() => undefined);
  if (problem !== undefined) throw new ProviderError("refused", problem, { effect: "none" });
  const path = resultsPath(directory);
  try {
    const file = await open(path, "r");
    return createReadStream(path, { fd: file });
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    throw new ProviderError("not_found", "The workload left no results.", { effect: "none" });
  }
}
