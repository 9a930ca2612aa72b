/**
 * Why a machine does not run any more, and since when: a pure function of what was left behind.
 * Metering ends at this time, so each answer says what it rests on, best witness first:
 *
 * 1. the exit record of the shell that waited for QEMU (exact time and status);
 * 2. QEMU's own SHUTDOWN event (exact time and cause);
 * 3. the moment at which our connection to QEMU broke;
 * 4. the last sign of life on disk: earlier than the end, so never billed too long.
 */
import type { StopEvidence } from "#providers/provider.ts";

import type { QmpEvent } from "./qmp.ts";

export interface Remains {
  /** What we wanted when it ended. */
  readonly intent: "run" | "stop";
  readonly launchedAt: number;
  readonly exit: { readonly code: number; readonly at: number } | undefined;
  readonly events: readonly QmpEvent[];
  readonly disconnectedAt: number | undefined;
  readonly lastSignOfLifeAt: number;
  readonly hostRestarted: boolean;
  /**
   * How far the program's clock is ahead of the machine's, which was set back; the shell and QEMU
   * write the machine's time, everything else here is the program's.
   */
  readonly clockAheadMs: number;
}

export function stopEvidence(remains: Remains): StopEvidence {
  const shutdown = remains.events.findLast((event) => event.name === "SHUTDOWN");
  const { at, witness } = endOf(remains, shutdown);
  const bounded = Math.max(at, remains.launchedAt);
  const cause = causeOf(remains, shutdown);
  return { at: bounded, reason: cause.reason, detail: `${cause.detail} (${witness})` };
}

/** Parses what the shell wrote: exit status and epoch milliseconds. */
export function parseExit(text: string | undefined): { code: number; at: number } | undefined {
  const match = /^(\d+) (\d{13})\n$/.exec(text ?? "");
  return match === null ? undefined : { code: Number(match[1]), at: Number(match[2]) };
}

function endOf(remains: Remains, shutdown: QmpEvent | undefined): { at: number; witness: string } {
  const { exit, disconnectedAt } = remains;
  const setBack = remains.clockAheadMs > 0;
  if (setBack && disconnectedAt !== undefined) {
    return { at: disconnectedAt, witness: "time at which the connection broke" };
  }
  if (exit !== undefined) return { at: programTime(remains, exit.at), witness: "time of its exit" };
  if (shutdown !== undefined) {
    const at = programTime(remains, shutdown.at);
    return { at, witness: "time of QEMU's shutdown event" };
  }
  if (disconnectedAt !== undefined) {
    return { at: disconnectedAt, witness: "time at which the connection broke" };
  }
  return { at: remains.lastSignOfLifeAt, witness: "time of its last sign of life" };
}

/** What was written after the last sign of life was written before the clock was set back. */
function programTime({ clockAheadMs, lastSignOfLifeAt }: Remains, at: number): number {
  return clockAheadMs === 0 || at >= lastSignOfLifeAt ? at : at + clockAheadMs;
}

function causeOf(
  remains: Remains,
  shutdown: QmpEvent | undefined,
): { reason: StopEvidence["reason"]; detail: string } {
  const said = shutdown?.data["reason"];
  if (said === "guest-panic") return { reason: "crashed", detail: "the guest's kernel panicked" };
  if (remains.intent === "stop") return { reason: "requested", detail: "stopped as asked" };
  if (said === "guest-shutdown") return { reason: "guest", detail: "the guest powered off" };
  if (remains.hostRestarted) return { reason: "crashed", detail: "the host restarted" };
  const code = remains.exit?.code;
  if (code !== undefined && code > 128) {
    return { reason: "crashed", detail: `QEMU was killed by signal ${code - 128}` };
  }
  if (typeof said === "string") {
    return { reason: "crashed", detail: `QEMU was ended from outside: ${said}` };
  }
  const status = code === undefined ? "without a trace" : `with status ${code}`;
  return { reason: "crashed", detail: `QEMU ended ${status}` };
}
