/**
 * A clock that never goes back. When the machine's clock is set back (an hour, by mistake or by a
 * time server), this one goes on from where it was, at the pace of the monotonic clock, until the
 * other has caught up: instants that order what happened and that are billed must not run
 * backwards. A forward jump is believed, because a machine that slept wakes up with one.
 */

/** A difference so small stands still until it is made up, rather than running ahead for ever. */
export const slewMs = 2_000;

export function steadyClock(
  wall: () => number = Date.now,
  monotonic: () => number = () => performance.now(),
  /** Where it goes on if the machine's clock shows less. */
  startsAt = 0,
): () => number {
  let last = Math.max(wall(), startsAt);
  let lastAt = monotonic();
  return () => {
    const shown = wall();
    const at = monotonic();
    // By the monotonic clock alone; what a fraction of a millisecond leaves over counts next time.
    const passed = Math.floor(at - lastAt);
    const behind = last + passed - shown;
    if (behind > slewMs) {
      last += passed;
      lastAt += passed;
    } else if (shown >= last) {
      last = shown;
      lastAt = at;
    }
    return last;
  };
}
