/**
 * Who held what, from when to when? Pure: the transitions of one instance, in order, to intervals
 * opened and closed. A lease holds compute while it can be used (`ready` to `stopped`) and its
 * disk from `created` to `deleted`; an attempt of a job holds compute while its program runs
 * (R-PAYG-3). Queueing, booting and clearing away are free (R-PAYG-6).
 */
import { computeResources, storageResources, type HeldResource } from "#kernel/resources.ts";
import type { Shape } from "#kernel/shape.ts";

export interface MeteredTransition {
  readonly seq: number;
  readonly at: number;
  readonly kind:
    | "created"
    | "ready"
    | "stopped"
    | "resized"
    | "workload_started"
    | "workload_ended"
    | "deleted";
  readonly shape: Shape;
  readonly evidence: Readonly<Record<string, unknown>>;
}

export interface OpenInterval extends HeldResource {
  readonly startedAt: number;
}

export type MeterChange =
  | { readonly change: "open"; readonly interval: OpenInterval; readonly sourceSeq: number }
  | {
      readonly change: "close";
      readonly sku: string;
      readonly endedAt: number;
      readonly endReason: string;
      /** False for an attempt that a platform fault ended (R-PAYG-7). */
      readonly billable: boolean;
    };

const storageSku = "storage";

export function meter(
  kind: "lease" | "job",
  open: readonly OpenInterval[],
  transitions: readonly MeteredTransition[],
): MeterChange[] {
  const held = new Map(open.map((interval) => [interval.sku, interval]));
  const changes: MeterChange[] = [];

  const take = (transition: MeteredTransition, resources: readonly HeldResource[]): void => {
    for (const resource of resources) {
      if (held.has(resource.sku)) continue;
      const interval = { ...resource, startedAt: transition.at };
      held.set(resource.sku, interval);
      changes.push({ change: "open", interval, sourceSeq: transition.seq });
    }
  };
  const giveBack = (transition: MeteredTransition, skus: readonly string[]): void => {
    const { endReason, billable } = endOf(kind, transition);
    for (const sku of skus) {
      if (!held.delete(sku)) continue;
      changes.push({ change: "close", sku, endedAt: transition.at, endReason, billable });
    }
  };
  const compute = (): string[] => [...held.keys()].filter((sku) => sku !== storageSku);

  for (const transition of transitions) {
    const { shape } = transition;
    switch (transition.kind) {
      case "created":
        if (kind === "lease") take(transition, storageResources(shape));
        break;
      case "ready":
        if (kind === "lease") take(transition, computeResources(shape));
        break;
      case "workload_started":
        take(transition, computeResources(shape));
        break;
      case "stopped":
      case "workload_ended":
        giveBack(transition, compute());
        break;
      case "resized": {
        const now = [
          ...(compute().length > 0 ? computeResources(shape) : []),
          ...(held.has(storageSku) ? storageResources(shape) : []),
        ];
        const kept = new Set(now.filter((each) => sameAs(held.get(each.sku), each)).map(skuOf));
        giveBack(
          transition,
          [...held.keys()].filter((sku) => !kept.has(sku)),
        );
        take(transition, now);
        break;
      }
      case "deleted":
        giveBack(transition, [...held.keys()]);
        break;
    }
  }
  return changes;
}

function skuOf({ sku }: HeldResource): string {
  return sku;
}

function sameAs(a: HeldResource | undefined, b: HeldResource): boolean {
  return a !== undefined && a.units === b.units && a.slice === b.slice;
}

function endOf(
  work: "lease" | "job",
  { kind, evidence }: MeteredTransition,
): { endReason: string; billable: boolean } {
  const { end, reason } = evidence;
  const endKind =
    typeof end === "object" && end !== null && "kind" in end ? String(end.kind) : undefined;
  const endReason = endKind ?? (typeof reason === "string" ? reason : kind);
  // What a customer ended, a cancel included, is billed for the time it ran; what the platform
  // lost is not, whichever of its ends was seen first.
  const attemptLost = work === "job" && platformFaults.has(endReason);
  return { endReason, billable: !attemptLost };
}

const platformFaults: ReadonlySet<string> = new Set(["platform_fault", "lost", "crashed"]);
