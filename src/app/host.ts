/** The machine that this process runs on, for its clock (loops/clock.ts). */
import { readFile } from "node:fs/promises";
import { uptime } from "node:os";

import type { Host } from "#loops/clock.ts";

export async function thisHost(): Promise<Host> {
  const text = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "");
  return {
    // Where no kernel says which boot this is, each start is one of its own.
    bootId: text.trim() === "" ? crypto.randomUUID() : text.trim(),
    uptimeMs: () => uptime() * 1000,
    wall: Date.now,
    monotonic: () => performance.now(),
  };
}
