/**
 * Tells a listener which machines may have changed: at once for what this process did, when it
 * falls due for what happens by itself, and by looking again for what another process did.
 */
import type { SimulatedPlatform } from "./platform.ts";
import type { MachineState } from "./world.ts";

/** How often a shared directory is looked at for what other processes did. */
const pollMs = 500;
const quietMsMax = 60_000;

type Fingerprints = ReadonlyMap<string, string>;

export function changes(platform: SimulatedPlatform, until: AbortSignal): AsyncIterable<string> {
  // From the call on, not from the first read of it, so that nothing in between is missed.
  return changesSince(platform, until, fingerprints(platform));
}

/** Resolves when there may be something new; also when the signal aborts. */
export function mayHaveChanged(
  platform: SimulatedPlatform,
  signal: AbortSignal,
  changed: AbortSignal = platform.changed,
): Promise<void> {
  const ms = Math.min(platform.quietMs(), platform.shared ? pollMs : quietMsMax);
  return platform.clock.wait(ms, AbortSignal.any([signal, changed]));
}

async function* changesSince(
  platform: SimulatedPlatform,
  until: AbortSignal,
  since: Fingerprints,
): AsyncGenerator<string> {
  let before = since;
  while (!until.aborted) {
    // Taken before looking: what changes while a listener is busy wakes us at once.
    const { changed } = platform;
    const after = fingerprints(platform);
    for (const id of new Set([...before.keys(), ...after.keys()])) {
      if (before.get(id) !== after.get(id) && !platform.faults.takeLostEvent()) yield id;
    }
    before = after;
    await mayHaveChanged(platform, until, changed);
  }
}

/** What a listener wants to hear about, in one string for each machine; not each line of a log. */
function fingerprints(platform: SimulatedPlatform): Fingerprints {
  return new Map(
    platform.machines().map((state) => {
      const down = platform.hostDownSince(state.spec.hostId);
      return [state.spec.id, `${down ?? ""} ${fingerprint(state)}`];
    }),
  );
}

/** A state never changes, so this is worked out once for each: it matters at 10,000 machines. */
const known = new WeakMap<MachineState, string>();

function fingerprint(state: MachineState): string {
  const found = known.get(state);
  if (found !== undefined) return found;
  const { serial: _serial, serialDropped: _dropped, ...rest } = state;
  const made = JSON.stringify(rest);
  known.set(state, made);
  return made;
}
