/** One member's pod: when its program began, and how it ended, if it did. */
import { constants } from "node:os";

import { z } from "zod";

import type { WorkloadEnd } from "#providers/machine.ts";

import { type Ending, lost, preempted, takenOff, timedOut } from "./ending.ts";
import { fetchContainer, mainContainer } from "./pod.ts";
import { isTrue, type SeenCondition, type SeenContainer, type SeenPod } from "./seen.ts";

export interface PodRun {
  readonly startedAt?: number;
  readonly ended?: Ending & { readonly at: number };
}

type Terminated = NonNullable<SeenContainer["state"]["terminated"]>;

/** `evicted` is what took the whole job away, if something did. */
export function podRun(pod: SeenPod, evicted?: Ending): PodRun {
  const main = pod.status.containerStatuses.find(({ name }) => name === mainContainer);
  const { running, terminated } = main?.state ?? {};
  const ran = terminated !== undefined && !neverRan.has(terminated.reason);
  const startedAt = running?.startedAt ?? (ran ? (terminated.startedAt ?? undefined) : undefined);
  const ended =
    terminated === undefined
      ? withoutProgram(pod, startedAt !== undefined)
      : programEnd(pod, terminated, evicted);
  return {
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(ended === undefined ? {} : { ended: { ...ended, at: Math.max(ended.at, startedAt ?? 0) } }),
  };
}

const neverRan = new Set(["StartError", "ContainerCannotRun"]);

const saidEnd = z.object({ end: z.enum(["exited", "signaled", "timed_out", "interrupted"]) });

/** What our script wrote at the end; whatever else stands there says nothing. */
function said(message: string): z.infer<typeof saidEnd>["end"] | undefined {
  try {
    return saidEnd.safeParse(JSON.parse(message)).data?.end;
  } catch {
    return undefined;
  }
}

function programEnd(
  pod: SeenPod,
  terminated: Terminated,
  evicted: Ending | undefined,
): Ending & { readonly at: number } {
  const at = terminated.finishedAt ?? endInstant(pod);
  return { ...endOf(pod, terminated, evicted), at };
}

function endOf(pod: SeenPod, terminated: Terminated, evicted: Ending | undefined): Ending {
  const { status, metadata } = pod;
  const word = said(terminated.message);
  if (neverRan.has(terminated.reason)) {
    const detail = `the node could not start the program's container: ${terminated.message}`;
    return lost("not_started", detail, "Look at the node's container runtime and the image.");
  }
  if (word === "timed_out") return timedOut("It reached its time limit.");
  if (word === "exited" || word === "signaled") return byItself(terminated.exitCode);
  if (status.reason === "DeadlineExceeded") return timedOut("It reached its time limit.");
  const own = ownLimit(pod, terminated);
  if (own !== undefined) return own;
  const disruption = isTrue(status.conditions, "DisruptionTarget");
  if (disruption !== undefined) return disrupted(disruption, pod);
  if (evicted !== undefined) return evicted;
  if (terminated.reason === "ContainerStatusUnknown") return nodeLost(pod, terminated.message);
  if (word === "interrupted" || metadata.deletionTimestamp !== undefined) return ordered;
  return byItself(terminated.exitCode);
}

const ordered: Ending = { end: { kind: "interrupted" }, by: "order", why: null };

/** Of two names of one number the first: SIGABRT, not SIGIOT. */
const signalNames = new Map(
  Object.entries(constants.signals)
    .map(([name, number]) => [number, name] as const)
    .toReversed(),
);

/** A shell tells a signal as 128 and its number; a program that exits with such a code looks the same. */
function byItself(exitCode: number): Ending {
  const signal = exitCode > 128 ? signalNames.get(exitCode - 128) : undefined;
  const end: WorkloadEnd =
    signal === undefined ? { kind: "exited", exitCode } : { kind: "signaled", signal };
  if (exitCode === 0) return { end, by: "program", why: null };
  const how = signal === undefined ? `ended with exit code ${exitCode}` : `was ended by ${signal}`;
  return {
    end,
    by: "program",
    why: {
      code: signal === undefined ? "exited" : "signaled",
      for: "customer",
      message: `The program ${how}.`,
      action: "Its log says why.",
    },
  };
}

/** It took more than it had ordered: its own doing, however the node calls it. */
function ownLimit({ status }: SeenPod, terminated: Terminated): Ending | undefined {
  const end = { kind: "signaled", signal: "SIGKILL" } as const;
  if (terminated.reason === "OOMKilled") {
    const message = "It used more memory than its flavor has, and was killed.";
    const action = "Take a flavor with more memory; /dev/shm counts too.";
    return { end, by: "program", why: { code: "out_of_memory", for: "customer", message, action } };
  }
  if (
    status.reason === "Evicted" &&
    /emptydir|ephemeral.*exceed|exceed.*limit/iu.test(status.message)
  ) {
    const message = `It wrote more than its flavor's disk holds, and was ended: ${status.message}`;
    const action = "Take a flavor with a larger disk, or write less.";
    return { end, by: "program", why: { code: "disk_full", for: "customer", message, action } };
  }
  return undefined;
}

function disrupted({ reason, message }: SeenCondition, pod: SeenPod): Ending {
  switch (reason) {
    case "PreemptionByScheduler":
      return preempted(`It made room for work of a higher priority (${message}).`, { reason });
    case "EvictionByEvictionAPI":
      return takenOff("node", {
        code: "node_drained",
        message: `Its node is being emptied (${message}).`,
        action: "None, if a drain was meant.",
      });
    case "TerminationByKubelet":
      return lost(
        "node_pressure",
        `its node ended it: ${pod.status.message === "" ? message : pod.status.message}`,
        "Look at the node's memory and disk, or whether it was shut down.",
      );
    default:
      return nodeLost(pod, message);
  }
}

function nodeLost({ spec }: SeenPod, message: string): Ending {
  const detail = `its node ${spec.nodeName ?? ""} does not answer: ${message}`;
  return lost("node_lost", detail, "Look at the node; what ran there is started elsewhere.");
}

const goneNodes = new Set(["DeletionByTaintManager", "DeletionByPodGC"]);

/** The program's container says nothing: it never began, or its node does not speak any more. */
function withoutProgram(
  pod: SeenPod,
  started: boolean,
): (Ending & { readonly at: number }) | undefined {
  const { status } = pod;
  const disruption = isTrue(status.conditions, "DisruptionTarget");
  if (disruption !== undefined && (goneNodes.has(disruption.reason) || status.phase === "Failed")) {
    return { ...disrupted(disruption, pod), at: disruption.lastTransitionTime ?? endInstant(pod) };
  }
  if (status.phase !== "Failed") return undefined;
  const at = endInstant(pod);
  const fetch = status.initContainerStatuses.find(({ name }) => name === fetchContainer);
  const code = fetch?.state.terminated?.exitCode ?? 0;
  if (code === 76) return { ...ordered, at };
  if (code !== 0) {
    const detail = `its inputs could not be brought (${code}): ${fetch?.state.terminated?.message ?? ""}`;
    return { ...lost("inputs", detail, "Look at the way from the pod to the control plane."), at };
  }
  if (status.reason === "DeadlineExceeded" && started) {
    return { ...timedOut("It reached its time limit."), at };
  }
  const detail = `its pod failed before the program ran: ${status.reason} ${status.message}`.trim();
  return { ...lost("pod_failed", detail, "Look at the pod's events and at its node."), at };
}

/** Of a pod whose containers do not say it: the last that changed on it. */
function endInstant({ metadata, status }: SeenPod): number {
  const told = status.conditions.map(({ lastTransitionTime }) => lastTransitionTime ?? 0);
  return Math.max(metadata.creationTimestamp ?? 0, ...told);
}
