/** How values look to a person: local times, sizes, durations, amounts with their currency. */
import type { z } from "zod";

import type { GpuAsk } from "#contract/schemas/catalog.ts";
import type { Lease, usedFlavor } from "#contract/schemas/compute.ts";
import type { Reason } from "#contract/schemas/common.ts";

/** What stands where there is nothing. */
export const none = "-";

/** Control characters but the line feed, and those that turn the direction of writing. */
const unsafe =
  // oxlint-disable-next-line no-control-regex -- control characters are what is replaced
  /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]/gu;

/** Control characters would move a terminal's cursor or worse: they are shown, not sent. */
export function safe(text: string): string {
  return text.replaceAll(unsafe, (character) =>
    character === "\t"
      ? " "
      : `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}

/** "2026-05-04 10:02:03" in this machine's zone. */
export function time(timestamp: string | null): string {
  if (timestamp === null) return none;
  const at = new Date(timestamp);
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

export function money(amount: string | null): string {
  return amount === null ? none : `${amount} CNY`;
}

/** 13 characters: the time in a version 7 uuid to the millisecond, enough to tell most apart. */
export function shortId(id: string): string {
  return id.slice(0, 13);
}

export function duration(ms: number): string {
  if (ms < 60_000) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  if (hours === 0) return `${minutes} min ${seconds % 60} s`;
  if (hours < 48) return `${hours} h ${minutes} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function between(from: string | null, until: string | null): string {
  if (from === null || until === null) return none;
  return duration(Date.parse(until) - Date.parse(from));
}

export function mebibytes(count: number): string {
  if (count < 1024) return `${count} MiB`;
  const tenths = Math.round((count / 1024) * 10) / 10;
  return `${tenths} GiB`;
}

export function bytes(count: number | null): string {
  if (count === null) return none;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let [value, unit] = [count, 0];
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ""}`;
}

export function gpu(ask: GpuAsk | null): string {
  if (ask === null) return none;
  return ask.slice === 1 ? `${ask.count} x ${ask.model}` : `1/${ask.slice} ${ask.model}`;
}

export function shape(flavor: z.output<typeof usedFlavor>): string {
  const parts = [
    `${flavor.vcpus} vCPU`,
    mebibytes(flavor.memoryMiB),
    `${flavor.diskGiB} GiB disk`,
    ...(flavor.gpu === null ? [] : [gpu(flavor.gpu)]),
  ];
  return `${flavor.name} (${parts.join(", ")})`;
}

export function because(reason: Reason | null): string {
  return reason === null ? none : safe(reason.message);
}

/** Where it stands among those that wait, and when it starts. */
export function lineFields(line: Lease["line"]): readonly (readonly [string, string])[] {
  if (line === null) return [];
  const { position, waiting, pool, start } = line;
  return [
    ["Place", `${position} of ${waiting} that wait for ${pool}`],
    ...(start.likely === null ? [] : [["Starts", `about ${time(start.likely)}`] as const]),
    ...(start.earliest === null ? [] : [["At the earliest", time(start.earliest)] as const]),
    ...(start.latest === null ? [] : [["At the latest", time(start.latest)] as const]),
  ];
}

export function yesNo(value: boolean): string {
  return value ? "yes" : "no";
}

/** A share of 1 as "37%". */
export function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}
