/** Members of an attempt as machines of the contract: from what is written down and what is seen. Pure. */
import { remarkOf } from "#providers/kubevirt/driver/remarks.ts";
import type { EndedBy } from "#providers/kubevirt/jobs/ending.ts";
import {
  type JobSight,
  kueueSight,
  type TakenAway,
  volcanoSight,
} from "#providers/kubevirt/jobs/observe.ts";
import type { SeenJob, SeenVolcanoJob } from "#providers/kubevirt/jobs/seen.ts";
import type { Machine, Remark, StopEvidence } from "#providers/machine.ts";

import type { MemberRecord } from "./record.ts";
import { sightBefore } from "./run-note.ts";
import type { AttemptSeen } from "./view.ts";

export interface SightOf {
  readonly batch: "kueue" | "volcano";
  readonly now: number;
  /** Of Volcano's event on a pod that is gone. */
  readonly evictSaid?: string;
}

/** `undefined` as long as nothing shows that a Job was made of it. */
export function attemptSight(
  seen: AttemptSeen,
  { batch, now, evictSaid }: SightOf,
): JobSight | undefined {
  const [first] = seen.members;
  if (first === undefined || !(isMade(seen) || hasBegun(seen))) return undefined;
  const told = toldOf(seen);
  const facts = {
    size: first.size,
    pods: seen.pods.map((pod) => pod.seen),
    before: seen.members.map(({ rank, run }) => sightBefore(rank, run)),
    now,
    logBytes: () => 0,
    ...(told === undefined ? {} : { told }),
    ...(evictSaid === undefined ? {} : { evictSaid }),
  };
  // That a Job is gone is believed only of who asked for it: see keeper.ts.
  return batch === "kueue"
    ? kueueSight(seen.job ?? unseenJob, seen.workload, facts)
    : volcanoSight(seen.volcanoJob ?? unseenVolcanoJob, seen.podGroup, facts);
}

export function isMade({ members }: AttemptSeen): boolean {
  return members.some(({ made }) => made !== undefined);
}

/** Where the member that had it written down is gone already, of the others' pods and runs. */
function hasBegun({ members, pods }: AttemptSeen): boolean {
  return pods.length > 0 || members.some(({ run }) => run?.startedAt !== undefined);
}

/** What took it away, as one of its members has it written down. */
export function toldOf({ members }: AttemptSeen): TakenAway | undefined {
  return members.find(({ run }) => run?.told !== undefined)?.run?.told;
}

const metadata: SeenJob["metadata"] = {
  name: "",
  namespace: "",
  uid: "",
  resourceVersion: "0",
  labels: {},
  annotations: {},
};
const unseenJob: SeenJob = { metadata, spec: { suspend: true }, status: { conditions: [] } };
const unseenVolcanoJob: SeenVolcanoJob = {
  metadata,
  status: { state: { phase: "Pending", reason: "", message: "" } },
};

export interface MachineOf {
  readonly member: MemberRecord;
  readonly seen: AttemptSeen;
  readonly sight: JobSight | undefined;
  /** Up to when the cluster is known to be like this. */
  readonly seenAt: number;
  readonly logBytes: number;
  /** Under which the other members reach it. */
  readonly address: string | undefined;
}

export function memberMachine(of: MachineOf): Machine {
  const { member, sight, seenAt, address } = of;
  const { spec, run, namespace } = member;
  const shown = sight?.members[member.rank];
  const waiting = waitingOf(of);
  return {
    id: member.machineId,
    owner: member.owner,
    hostId: run?.node ?? shown?.node ?? spec.hostId,
    locator: {
      namespace,
      name: member.name,
      ...(shown?.pod === undefined ? {} : { pod: shown.pod }),
    },
    ...powerOf(of),
    start: "cold",
    cpu: spec.cpu,
    memoryBytes: spec.memoryBytes,
    diskBytes: spec.diskBytes,
    pendingResize: false,
    endpoints: [],
    ...(address === undefined ? {} : { address }),
    ...(waiting === undefined ? {} : { waiting }),
  };

  function powerOf({
    logBytes,
  }: MachineOf): Pick<Machine, "power" | "powerSince" | "stop" | "guest" | "workload"> {
    const off = { value: "stopped", at: seenAt } as const;
    const startedAt = run?.startedAt ?? shown?.workload.startedAt;
    const started = startedAt === undefined ? {} : { startedAt };
    if (run?.ended !== undefined) {
      const { at, end, by, why } = run.ended;
      return {
        power: off,
        powerSince: at,
        stop: { at, reason: stopReason(by), detail: why?.message ?? "its program ended" },
        guest: { ready: false },
        workload: { state: "ended", ...started, endedAt: at, end, logBytes: run.ended.logBytes },
      };
    }
    if (startedAt === undefined) {
      return {
        power: off,
        powerSince: member.createdAt,
        guest: { ready: false },
        workload: { state: "pending", logBytes: 0 },
      };
    }
    return {
      power: { value: "running", at: seenAt },
      powerSince: startedAt,
      guest: { ready: true, readyAt: startedAt },
      workload: { state: "running", startedAt, logBytes },
    };
  }
}

function stopReason(by: EndedBy): StopEvidence["reason"] {
  switch (by) {
    case "program":
    case "limit":
      return "guest";
    case "order":
    case "gang":
    case "preemption":
      return "requested";
    case "platform":
      return "crashed";
  }
}

function waitingOf({ member, seen, sight }: MachineOf): Remark | undefined {
  if (member.run?.ended !== undefined || sight?.state === "ended") return undefined;
  if (sight === undefined) return incomplete(seen);
  return sight.condition === null ? undefined : remarkOf(sight.condition);
}

function incomplete({ members }: AttemptSeen): Remark {
  const size = members[0]?.size ?? 1;
  if (members.length === size) return notMade;
  return {
    code: "members_missing",
    message: `${members.length} of its ${size} members are here; its job is made of all of them together.`,
    advice: "It goes on by itself once the others are placed.",
    who: "nobody",
    details: { here: members.length, size },
  };
}

const notMade: Remark = {
  code: "job_not_made",
  message: "The cluster has not taken its job yet.",
  advice: "It is tried again by itself; if it stays so, look whether Kueue's webhook answers.",
  who: "nobody",
};
