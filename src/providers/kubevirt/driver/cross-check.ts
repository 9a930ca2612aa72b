/**
 * KubeVirt's own word on when machines began and ended to run, against ours: a metric that it sets when its
 * controller noticed a machine's state, whereas ours is when the phase changed. A difference is a finding
 * for the operator, once it has been there for two looks; it never changes a bill. Pure.
 */
import type { SiteFinding } from "#providers/provider.ts";

import type { MetricLine } from "./metrics-text.ts";
import type { RunRecord } from "./run-record.ts";

/** Beyond this the controller was not merely late. */
export const toleranceMs = 60_000;
/** Named in one finding; the rest is counted. */
const namedMax = 5;

export const crossCheckPrefix = "kubevirt_vm_";
const running = "kubevirt_vm_running_status_last_transition_timestamp_seconds";
const notRunning = "kubevirt_vm_non_running_status_last_transition_timestamp_seconds";

/** By `namespace/name`: when it was last seen to begin, or to end; zero is never. */
interface Told {
  readonly runningAt: number | undefined;
  readonly endedAt: number | undefined;
}

export function toldBy(lines: readonly MetricLine[]): ReadonlyMap<string, Told> {
  const told = new Map<string, Told>();
  for (const { name, labels, value } of lines) {
    if ((name !== running && name !== notRunning) || value <= 0) continue;
    const key = `${labels["namespace"] ?? ""}/${labels["name"] ?? ""}`;
    const at = value * 1000;
    const known = told.get(key) ?? { runningAt: undefined, endedAt: undefined };
    told.set(key, name === running ? { ...known, runningAt: at } : { ...known, endedAt: at });
  }
  return told;
}

export interface Difference {
  readonly machine: string;
  readonly of: "beginning" | "end";
  /** Theirs less ours. */
  readonly ms: number;
}

/** Only of the run that both tell of: a metric that is of a run before says nothing. */
export function differenceOf(machine: string, run: RunRecord, told: Told): Difference | undefined {
  const { runningAt, endedAt } = told;
  if (run.end === undefined) {
    if (runningAt === undefined || (endedAt !== undefined && endedAt > runningAt)) return undefined;
    return beyond({ machine, of: "beginning", ms: runningAt - run.since });
  }
  if (endedAt === undefined || endedAt < run.since) return undefined;
  if (runningAt !== undefined && runningAt > endedAt) return undefined;
  return beyond({ machine, of: "end", ms: endedAt - run.end.at });
}

function beyond(difference: Difference): Difference | undefined {
  return Math.abs(difference.ms) > toleranceMs ? difference : undefined;
}

export function findingsOf(differences: readonly Difference[]): readonly SiteFinding[] {
  if (differences.length === 0) return [];
  const named = differences
    .slice(0, namedMax)
    .map(({ machine, of, ms }) => `${machine} (${of}: ${Math.round(ms / 1000)} s)`)
    .join(", ");
  const more = differences.length > namedMax ? ` and ${differences.length - namedMax} more` : "";
  return [
    {
      severity: "warning",
      message: `KubeVirt and Millrace differ on when machines ran: ${named}${more}. Bills follow the phases of the machines' runs.`,
      advice:
        "Compare `status.phaseTransitionTimestamps` of the VirtualMachineInstance, and the clocks of the nodes and of virt-controller.",
    },
  ];
}
