/** Zones to hosts, for the operator. */
import type { z } from "zod";

import type { Handler } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import { timeOrNull } from "#api/routes/wire.ts";
import { placeTree } from "#catalog/places.ts";
import { moveHost } from "#catalog/pools.ts";
import type { Operations } from "#contract/operations.ts";
import type { host as hostSchema } from "#contract/schemas/catalog.ts";
import {
  findHost,
  listHosts,
  setDeviceHealth,
  setMaintenance,
  setSchedulable,
  type HostUse,
} from "#flow/place/hosts.ts";
import type { Queryable } from "#db/pool.ts";
import { Failure } from "#kernel/failure.ts";
import { workKinds } from "#kernel/host-refuses.ts";
import { gibibyte, mebibyte } from "#kernel/shape.ts";

export const getPlaces: Handler<Operations["getPlaces"]> = (_input, { tx }) => placeTree(tx);

export const listHostsHandler: Handler<Operations["listHosts"]> = ({ query }, { tx, now }) =>
  pageOf(query, {
    load: (ask) => listHosts(tx, ask, now()),
    show: showHost,
    positionOf: (host) => ({ at: host.created_at, id: host.id }),
  });

export const updateHost: Handler<Operations["updateHost"]> = async (
  { params, body },
  { tx, now },
) => {
  await shownHost(tx, params.hostId, now());
  const { schedulable, maintenance, pool } = body;
  if (schedulable !== undefined) await setSchedulable(tx, params.hostId, schedulable);
  if (maintenance !== undefined) await setMaintenance(tx, params.hostId, maintenance);
  if (pool !== undefined) await moveHost(tx, params.hostId, pool);
  tx.nudge("capacity");
  return shownHost(tx, params.hostId, now());
};

export const updateHostGpu: Handler<Operations["updateHostGpu"]> = async (
  { params, body },
  { tx, now },
) => {
  const { healthy, note = null } = body;
  await shownHost(tx, params.hostId, now());
  if (!(await setDeviceHealth(tx, params, { healthy, note }))) {
    throw new Failure("not_found", "The host has no such GPU.");
  }
  tx.nudge("capacity");
  return shownHost(tx, params.hostId, now());
};

export async function shownHost(
  db: Queryable,
  hostId: string,
  at: number,
): Promise<z.output<typeof hostSchema>> {
  const host = await findHost(db, hostId, at);
  if (host === undefined) throw new Failure("not_found", "There is no such host.");
  return showHost(host);
}

function showHost(host: HostUse): z.output<typeof hostSchema> {
  return {
    id: host.id,
    name: host.name,
    zone: host.zone,
    pod: host.pod,
    cluster: host.cluster,
    site: host.site,
    execution: host.execution,
    state: host.state,
    siteAwaySince: timeOrNull(host.site_away_since),
    schedulable: host.schedulable,
    maintenance: host.maintenance,
    pool: host.pool,
    cpus: host.cpus,
    cpusUsed: host.milli_cpus_used / 1000,
    memoryMiB: Math.floor(host.memory_bytes / mebibyte),
    memoryMiBUsed: Math.ceil(host.memory_used / mebibyte),
    diskGiB: Math.floor(host.disk_bytes / gibibyte),
    diskGiBUsed: Math.ceil(host.disk_used / gibibyte),
    numa: host.numa.map(({ cpus, memoryBytes }) => ({
      cpus,
      memoryMiB: Math.floor(memoryBytes / mebibyte),
    })),
    gpus: host.gpus.map(({ memoryBytes, ...gpu }) => ({
      ...gpu,
      healthy: gpu.sickBy.length === 0,
      memoryMiB: Math.floor(memoryBytes / mebibyte),
    })),
    gpuDriver: host.gpu_driver,
    refuses: workKinds.flatMap((work) => {
      const reason = host.refuses[work];
      return reason === undefined ? [] : [{ work, reason }];
    }),
    seenAt: host.seen_at === null ? null : new Date(host.seen_at).toISOString(),
  };
}
