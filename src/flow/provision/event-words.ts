/** Transitions in words, for the list of what happened to a lease or a job. Pure. */
import type { EventNote, Step, Transition } from "./view.ts";

/** `undefined` for what another event tells better: a crash, a release. */
export function eventOf({ kind, at, shape, evidence }: Transition): EventNote | undefined {
  switch (kind) {
    case "created":
      return {
        kind,
        at,
        message: `The machine was made: ${shape.flavor}, ${shape.diskGiB} GiB disk.`,
      };
    case "ready": {
      const { start } = evidence;
      const how = typeof start === "string" ? ` (${start} start)` : "";
      return {
        kind,
        at,
        message: `The machine is ready${how}; CPU and memory are metered from now.`,
      };
    }
    case "stopped":
      return evidence["reason"] === "crashed"
        ? undefined
        : { kind, at, message: `The machine stopped; CPU and memory are no longer metered.` };
    case "resized":
      return {
        kind,
        at,
        message: `The machine has the size ${shape.flavor}, ${shape.diskGiB} GiB disk.`,
      };
    case "workload_started":
      return { kind, at, message: "The program runs; it is metered from now." };
    case "workload_ended":
      return { kind, at, message: "The program has ended." };
    case "deleted":
      return undefined;
  }
}

/** The platform's own queue took it away. */
export function evictedEvent(
  { billed, detail, at }: NonNullable<Step["evicted"]>,
  attempt: number,
): EventNote {
  const price = billed ? "What ran is billed." : "This attempt costs nothing.";
  const message = `The platform took attempt ${attempt} off. ${detail} ${price}`;
  return { kind: "evicted", message, at };
}
