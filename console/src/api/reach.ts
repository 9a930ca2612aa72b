/**
 * Whether the server answers and whether the session stands, as the calls saw it last. While
 * nobody answers it is asked again until somebody does; then everything shown is read anew.
 */
import { createStore } from "./store.ts";

export type Reach = "ok" | "gone";

export const reach = createStore<Reach>("ok");
/** Counts the times that a call was refused for want of a session. */
export const sessionEnds = createStore(0);

const probeMsMin = 1000;
const probeMsMax = 10_000;
let probing: ReturnType<typeof setTimeout> | undefined;

export function reportAnswer(): void {
  clearTimeout(probing);
  probing = undefined;
  reach.set("ok");
}

export function reportSilence(): void {
  reach.set("gone");
  if (probing === undefined) probeAfter(probeMsMin);
}

export function reportSessionEnd(): void {
  sessionEnds.set(sessionEnds.get() + 1);
}

/** The button beside the banner. */
export function probeNow(): void {
  clearTimeout(probing);
  probeAfter(0);
}

function probeAfter(delayMs: number): void {
  probing = setTimeout(() => {
    void probe().then((answers) => {
      if (answers) reportAnswer();
      else if (reach.get() === "gone") {
        probeAfter(Math.min(probeMsMax, Math.max(probeMsMin, delayMs * 1.5)));
      }
    });
  }, delayMs);
}

/** Asks once. */
export async function probe(): Promise<boolean> {
  try {
    const response = await fetch("/readyz", {
      cache: "no-store",
      signal: AbortSignal.timeout(5000),
    });
    return response.ok;
  } catch {
    return false;
  }
}
