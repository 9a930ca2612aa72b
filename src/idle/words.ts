/** What a lease's own list of events says of it, and what its notices are filled with. Pure. */
import type { Signal } from "./signals.ts";

export const eventWords = {
  idle_warned: (from: string, releaseAt: string) =>
    `Nothing has moved since ${from}. Unless something does, the disk is kept as a snapshot and the lease is released after ${releaseAt}; to keep it: millrace lease keep.`,
  idle_taken_back: (what: string) => `It is not released for idleness: ${what}.`,
  idle_snapshot: () => "It was idle to the end; its disk is being kept as a snapshot.",
  idle_snapshot_failed: () =>
    "The snapshot could not be taken, so nothing is released; it is tried again in an hour.",
  idle_released: (until: string, snapshotId: string) =>
    `Released for idleness. A snapshot of its disk is kept until ${until}: millrace lease restore ${snapshotId}.`,
} as const;

const moved: Readonly<Record<Signal, string>> = {
  cpu: "its CPU is in use",
  network: "its network is in use",
  gpu: "its GPU is in use",
  sessions: "somebody logged in",
  console: "its console was opened",
};

/** `missing`: nobody could see the signal, which counts as active. */
export function movedText(signal: Signal | undefined, missing: boolean): string {
  if (signal === undefined) return "it does not stand for release any more";
  return missing ? `nobody can see its ${signal}, which counts as active` : moved[signal];
}
