/**
 * How many decisions a second, and how that grows with the fleet: the trace's nodes repeated to the
 * size wanted, first filled until 130 % of the GPUs have been asked for, then in steady change: the
 * oldest placement ends, the next request comes.
 */
import { Chooser } from "#flow/place/engine/choose.ts";
import type { Held } from "#flow/place/engine/fleet.ts";
import { policies, type PolicyName } from "#flow/place/engine/policies.ts";

import { demandOf } from "./demand.ts";
import { fleetOf, kindsOf } from "./simulate.ts";
import type { Pod, TraceNode } from "./trace.ts";

export interface Speed {
  readonly nodes: number;
  /** Decisions, taken or refused, per second of CPU. */
  readonly filling: number;
  readonly changing: number;
}

const changes = 20_000;

interface Measured {
  readonly nodes: readonly TraceNode[];
  readonly size: number;
  readonly pods: readonly Pod[];
  readonly policy: PolicyName;
}

export function measureSpeed({ nodes, size, pods, policy }: Measured): Speed {
  const many = Array.from({ length: size }, (_, i) => {
    // A stride without common factors, so that a small fleet has all sorts of nodes as well.
    const node = nodes[(i * 509) % nodes.length];
    if (node === undefined) throw new Error("there are no nodes");
    return { ...node, name: `${node.name}-${i}` };
  });
  const fleet = fleetOf(many, []);
  const chooser = new Chooser(fleet, policies[policy](fleet, demandOf(pods, fleet.gpus.names)));
  const kinds = kindsOf(fleet, pods);
  const capacity = many.reduce((sum, node) => sum + node.gpus * 1000, 0);
  const held: Held[] = [];
  let next = 0;
  /** GPU milli asked for. */
  const decide = (): number => {
    const kind = kinds[next % kinds.length];
    next += 1;
    if (kind === undefined) throw new Error("there are no requests");
    const placed = chooser.place(kind);
    if (placed !== undefined) held.push(placed);
    return kind.gpuCount * kind.gpuMilli;
  };
  const filling = perSecond(() => {
    for (let arrived = 0; arrived < 1.3 * capacity;) arrived += decide();
    return next;
  });
  let oldest = 0;
  const changing = perSecond(() => {
    for (let i = 0; i < changes; i += 1) {
      const ends = held[oldest];
      oldest += 1;
      if (ends !== undefined) fleet.release(ends);
      decide();
    }
    return changes;
  });
  return { nodes: size, filling, changing };
}

/** Per second of the process's CPU, so that the figure is the same on a busy machine. */
function perSecond(work: () => number): number {
  const before = process.cpuUsage();
  const done = work();
  const { user, system } = process.cpuUsage(before);
  return (1e6 * done) / (user + system);
}
