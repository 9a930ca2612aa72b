/**
 * Whether KubeVirt starts a machine that has no run. `RerunOnFailure` alone does not say so: it starts what it
 * was told to, what comes from another strategy, and what crashed, for which it tells itself. A run that
 * somebody deletes, also in the middle of a crash loop, is followed by none. Pure.
 */
import type { SeenMachine } from "./seen.ts";

type Seen = Pick<SeenMachine, "spec" | "status">;

/** It is on, and KubeVirt has not acted upon that yet. */
export function startsByItself({ spec, status }: Seen): boolean {
  if (status?.stateChangeRequests.some(({ action }) => action === "Start") === true) return true;
  return status?.runStrategy !== spec.runStrategy;
}

/** Said of a machine without a run by its controller, which between two runs says "Starting". */
const noneIsDue: ReadonlySet<string> = new Set(["Stopped", "CrashLoopBackOff"]);

/** It is on, and has no run, and gets none unless it is told to start. */
export function staysOff(seen: Seen): boolean {
  const { spec, status } = seen;
  return (
    spec.runStrategy === "RerunOnFailure" &&
    status?.created === false &&
    noneIsDue.has(status.printableStatus) &&
    !startsByItself(seen)
  );
}
