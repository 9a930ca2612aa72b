/** Zones to hosts, for the operator. */
import type { z } from "zod";

import type { Handler } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import { placeTree } from "#catalog/places.ts";
import type { Operations } from "#contract/operations.ts";
import type { host as hostSchema } from "#contract/schemas/catalog.ts";
import { findHost, listHosts, setSchedulable, type HostUse } from "#flow/place/hosts.ts";
import { Failure } from "#kernel/failure.ts";
import { gibibyte, mebibyte } from "#kernel/shape.ts";

export const getPlaces: Handler<Operations["getPlaces"]> = (_input, { tx }) => placeTree(tx);

export const listHostsHandler: Handler<Operations["listHosts"]> = ({ query }, { tx }) =>
  pageOf(query, {
    load: (ask) => listHosts(tx, ask),
    show: showHost,
    positionOf: (host) => ({ at: host.created_at, id: host.id }),
  });

export const updateHost: Handler<Operations["updateHost"]> = async ({ params, body }, { tx }) => {
  await setSchedulable(tx, params.hostId, body.schedulable);
  const host = await findHost(tx, params.hostId);
  if (host === undefined) throw new Failure("not_found", "There is no such host.");
  await tx.nudge("capacity");
  return showHost(host);
};

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
    schedulable: host.schedulable,
    cpus: host.cpus,
    cpusUsed: host.milli_cpus_used / 1000,
    memoryMiB: Math.floor(host.memory_bytes / mebibyte),
    memoryMiBUsed: Math.ceil(host.memory_used / mebibyte),
    diskGiB: Math.floor(host.disk_bytes / gibibyte),
    diskGiBUsed: Math.ceil(host.disk_used / gibibyte),
    gpus: host.gpus.map(({ memoryBytes, ...gpu }) => ({
      ...gpu,
      memoryMiB: Math.floor(memoryBytes / mebibyte),
    })),
    seenAt: host.seen_at === null ? null : new Date(host.seen_at).toISOString(),
  };
}
