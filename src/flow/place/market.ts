/**
 * The hosts as the queue's policy counts them: units of each GPU model by host, and CPUs by host for
 * work without GPU, less what work with GPUs takes of them. Pure.
 */
import { usualRules } from "#flow/queue/policy.ts";
import { cpuPool, limitsFor, unitsPerWhole, usageOf } from "#flow/queue/snapshot.ts";
import type { PoolHost, Snapshot } from "#flow/queue/work.ts";

import type { Group } from "./asks.ts";
import type { HostState } from "./host-state.ts";
import type { View } from "./read.ts";

export function marketOf(
  view: Pick<View, "hosts" | "running" | "limits">,
  of: { readonly groups: readonly Group[]; readonly at: number },
): Omit<Snapshot, "waiting"> {
  const running = view.running.work;
  const known = poolHosts(view.hosts, cpuUnits(running));
  const away = new Set(view.hosts.flatMap(({ id, awaySince }) => (awaySince === null ? [] : [id])));
  const hosts = known.filter(({ id }) => !away.has(id));
  const waiting = of.groups.map(({ work }) => work);
  return {
    now: of.at,
    running,
    hosts,
    // Nobody's share is less because a site does not answer: what is held there is still held.
    limits: limitsFor(view.limits, { waiting, hosts: known }),
    fenPerUnitHour: new Map(),
    usage: usageOf(view.limits.used, usualRules.halfLifeMs),
    unitsPerWhole,
  };
}

/** Of work without GPU, by host. */
function cpuUnits(running: Snapshot["running"]): Map<string, number> {
  const units = new Map<string, number>();
  for (const { pool, parts } of running) {
    if (pool !== cpuPool) continue;
    for (const part of parts) units.set(part.hostId, (units.get(part.hostId) ?? 0) + part.units);
  }
  return units;
}

/** Hosts that are down have nothing; what lies there does not count either. */
function poolHosts(hosts: readonly HostState[], cpuWork: ReadonlyMap<string, number>): PoolHost[] {
  return hosts
    .filter(({ up }) => up)
    .flatMap((host): PoolHost[] => {
      const { id } = host;
      const byOthers = host.milliCpusUsed - (cpuWork.get(id) ?? 0);
      const cpus = { id, pool: cpuPool, units: Math.max(0, host.milliCpus - byOthers) };
      // A sick device keeps what it has and takes nothing new.
      const devices = host.devices.filter(({ healthy, claims }) => healthy || claims > 0);
      const models = Map.groupBy(devices, ({ model }) => model);
      const gpus = [...models].map(([pool, of]) => ({
        id,
        pool,
        units: of.length * unitsPerWhole,
      }));
      return [cpus, ...gpus];
    });
}
