/**
 * An attempt on a host that is down: after a while its job goes on elsewhere. Pure. What must stay true:
 * only the platform's own word that the host is down counts, and nobody is moved whose machine can be
 * seen; the machine that stays behind is removed when its host is back, as one that no row wants.
 * Leases are never moved, because their disks are where they are.
 */
import type { Loss } from "./gone.ts";
import type { View } from "./view.ts";

/** Undefined for what is not stranded, or not yet. What it held ended when its host went down. */
export function strandedOn(view: View): Loss | undefined {
  const { instance, host, hostDownMsMax, now, sight } = view;
  if (instance.kind !== "job" || host.downSince === null) return undefined;
  const isSeen =
    sight.seen === "absent" ||
    (sight.seen === "machine" && sight.machine.power.value !== "unknown");
  if (isSeen || now - host.downSince < hostDownMsMax) return undefined;
  // What ended before is waited for by who brings its results home, and he gives up in time.
  if (instance.workload?.end !== undefined && !instance.collected && !view.request.ended) {
    return undefined;
  }
  const since = new Date(host.downSince).toISOString();
  const detail = `Its host ${host.name} has been down since ${since}, so it was given up there.`;
  return {
    reason: { code: "host_down", message: detail },
    end:
      view.request.wanted === "released"
        ? { kind: "canceled" }
        : // No retry: it is for the host that it ended.
          { kind: "platform_fault", detail, moved: true },
    at: host.downSince,
  };
}
