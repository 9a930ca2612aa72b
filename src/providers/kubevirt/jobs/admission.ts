/** What Kueue says of a job: why it waits, and why it was taken off again. */
import type { Explanation } from "#providers/kubevirt/observe/explanation.ts";

import { type Ending, lost, preempted, takenOff, timedOut } from "./ending.ts";
import { isFalse, isTrue, type SeenWorkload } from "./seen.ts";

export interface Eviction {
  /** Absent where the job has been admitted again since: then its pods say when it was. */
  readonly at?: number;
  /** When it was admitted again: what began before that is the run that was ended. */
  readonly admittedAgainAt?: number;
  readonly reason: string;
  readonly ending: Ending;
  /** It is never admitted again by itself. */
  readonly final: boolean;
}

export function evictionOf(workload: SeenWorkload | undefined): Eviction | undefined {
  if (workload === undefined) return undefined;
  const { conditions, schedulingStats } = workload.status;
  const now = isTrue(conditions, "Evicted");
  if (now !== undefined) {
    const detailed = isTrue(conditions, "Preempted");
    const cause = detailed?.reason ?? "";
    const at = now.lastTransitionTime;
    return {
      ...eviction(now.reason, cause, detailed?.message ?? now.message),
      ...(at === undefined ? {} : { at }),
    };
  }
  const counted = schedulingStats?.evictions.filter(({ count }) => count > 0) ?? [];
  const last = counted.at(-1);
  if (last === undefined) return undefined;
  const again = isTrue(conditions, "Admitted")?.lastTransitionTime;
  return {
    ...eviction(last.reason, last.underlyingCause, "it was admitted again since"),
    ...(again === undefined ? {} : { admittedAgainAt: again }),
  };
}

const preemptedBy: Readonly<Record<string, string>> = {
  InClusterQueue: "work of a higher class of the same customer",
  InCohortReclamation: "another customer who took back a share of his own that it had borrowed",
  InCohortFairSharing: "another customer who had had less of what is shared",
  InCohortReclaimWhileBorrowing: "work of a higher class that borrows as well",
};

/** Of what it had borrowed. */
const reclaims: ReadonlySet<string> = new Set(["InCohortReclamation", "InCohortFairSharing"]);

function eviction(
  reason: string,
  cause: string,
  said: string,
): Omit<Eviction, "at" | "admittedAgainAt"> {
  const deactivated = reason.startsWith("Deactivated");
  return { reason, ending: evictionEnding(reason, cause, said), final: deactivated };
}

function evictionEnding(reason: string, cause: string, said: string): Ending {
  // A cause is part of the reason, `DeactivatedDueTo…`, or stands beside it.
  const whole = `${reason} ${cause}`;
  if (reason === "Preempted") {
    const by = preemptedBy[cause] ?? "other work";
    const kind = reclaims.has(cause) ? "reclaimed" : "preempted";
    return preempted(`It made room for ${by}.`, { cause, said }, kind);
  }
  if (whole.includes("MaximumExecutionTimeExceeded")) {
    return timedOut("It reached its time limit, and the cluster ended it.");
  }
  if (reason === "PodsReadyTimeout" || whole.includes("RequeuingLimitExceeded")) {
    return lost(
      "pods_not_ready",
      `not all of its members came up together in time (${said})`,
      "Look at the pods' events: a node that lacks the image, or less room than the quota promises.",
    );
  }
  if (reason === "NodeFailures") {
    return lost("node_lost", `a node of it failed (${said})`, "Look at the node.");
  }
  if (reason === "ClusterQueueStopped" || reason === "LocalQueueStopped") {
    const message = `Its queue in the cluster was stopped (${said}).`;
    return takenOff("queue", { code: "queue_stopped", message, action: "Let the queue go on." });
  }
  const detail = `the cluster took it off: ${reason} ${cause} (${said})`;
  return lost("evicted", detail, "Look at the events of its Workload.");
}

export interface Shortage {
  readonly resource: string;
  readonly flavor: string;
  readonly needed: string;
}

const unused = /insufficient unused quota for (\S+) in flavor (\S+?),? (\S+) more need/gu;
const never =
  /insufficient quota for (\S+) in flavor (\S+?)(?:,.*?\((\S+)\))? > maximum capacity \((\S+)\)/gu;

/** Which quota is short, and by how much. */
export function shortages(message: string): readonly Shortage[] {
  return [...message.matchAll(unused)].map(([, resource = "", flavor = "", needed = ""]) => ({
    resource,
    flavor,
    needed,
  }));
}

/** Why it has not been admitted; `undefined` once it is. */
export function explainWait(workload: SeenWorkload | undefined): Explanation | undefined {
  if (workload === undefined) {
    return {
      code: "not_seen_yet",
      for: "nobody",
      message: "Kueue has not taken notice of the job yet.",
      action: "If it stays so, Kueue does not run, or the job's queue label is wrong.",
    };
  }
  const { conditions, requeueState } = workload.status;
  if (isTrue(conditions, "Admitted") !== undefined) return undefined;
  if (!workload.spec.active) {
    const message = "Kueue has put the job aside, and will not try it again.";
    return {
      code: "deactivated",
      for: "operator",
      message,
      action: "Its next attempt is a new job.",
    };
  }
  const at = requeueState?.requeueAt;
  const again = at === undefined ? {} : { again: new Date(at).toISOString() };
  if (isTrue(conditions, "QuotaReserved") !== undefined) {
    const message = "Its quota is reserved, and a check of the cluster is still to pass.";
    return {
      code: "admission_check",
      for: "operator",
      message,
      action: "Look at the checks of its queue.",
      details: again,
    };
  }
  const said = isFalse(conditions, "QuotaReserved");
  return quotaWait(said?.reason ?? "", said?.message ?? "", {
    ...again,
    queue: workload.spec.queueName,
  });
}

/** As Kueue calls it, by one name before 0.19 and by several since. */
const closed: ReadonlySet<string> = new Set(["Inadmissible", "Misconfigured", "Suspended"]);

function quotaWait(
  reason: string,
  said: string,
  facts: Readonly<Record<string, unknown>>,
): Explanation {
  const short = shortages(said);
  const details = { ...facts, said, shortages: short };
  const tooMuch = [...said.matchAll(never)].map(
    ([, resource, flavor, , most]) => `${resource} (${flavor}): ${most} at most`,
  );
  if (tooMuch.length > 0) {
    const message = `It asks for more than its queue ever has: ${tooMuch.join(", ")}.`;
    const action = "Buy a larger share, or submit a smaller job.";
    return { code: "over_quota", for: "customer", message, action, details };
  }
  if (short.length > 0) {
    const list = short.map((each) => `${each.needed} more of ${each.resource} (${each.flavor})`);
    const making = said.includes("Pending the preemption");
    const message = `It waits for quota: ${list.join(", ")} ${short.length === 1 ? "is" : "are"} needed${making ? ", and other work is making room" : ""}.`;
    const action = "It starts when work of the same share ends, or the share grows.";
    return { code: "quota", for: "nobody", message, action, details };
  }
  if (
    closed.has(reason) ||
    /doesn't exist|is inactive|stopped|terminating or missing/u.test(said)
  ) {
    const message = `Its queue takes no work: ${said}`;
    const action = "Look at the tenant's ClusterQueue and its flavors.";
    return { code: "queue_closed", for: "operator", message, action, details };
  }
  if (said.includes("doesn't match node affinity") || said.includes("untolerated taint")) {
    const message = `None of the flavors of its queue fits it: ${said}`;
    const action = "Compare the flavors' node labels and taints with the site's table.";
    return { code: "no_flavor", for: "operator", message, action, details };
  }
  const message = said === "" ? "It stands in line." : `It stands in line: ${said}`;
  return {
    code: "in_line",
    for: "nobody",
    message,
    action: "It starts when it is its turn.",
    details,
  };
}
