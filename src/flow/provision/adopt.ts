/** From placements to instances: writes the row, with the exact spec, before anything is created. */
import { z } from "zod";

import { json } from "#db/json.ts";
import type { Db, Queryable, Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { endOperation, runningOperations } from "#flow/admit/operations.ts";
import { endRequest, findRequest, setReason, type Request } from "#flow/admit/requests.ts";
import { shapeRow } from "#flow/admit/rows.ts";
import { releasePlacement } from "#flow/place/store.ts";
import { present } from "#kernel/assert.ts";
import { Failure } from "#kernel/failure.ts";
import type { Reason } from "#kernel/reason.ts";
import { othersLabelsOf } from "#kernel/own-labels.ts";
import { gibibyte, mebibyte, type Shape } from "#kernel/shape.ts";
import type { MachineSpec, WorkloadSpec } from "#providers/provider.ts";

import { beginsWhen, copyingCode } from "./clone-rows.ts";
import { settleClones } from "./clones.ts";

const placementRow = z.object({
  tenant_id: z.string(),
  instance_id: z.string(),
  request_id: z.string(),
  turn: z.int(),
  host_id: z.string(),
  native_host_id: z.string(),
  shape: shapeRow,
  numa_node: z.int().nullable(),
  pins_numa: z.boolean(),
  pins_cpus: z.boolean(),
  devices: z.array(z.object({ id: z.string(), slice: z.int(), resource: z.string().nullable() })),
});
export type PlacementRow = z.output<typeof placementRow>;

/** Placements that no instance has followed yet; last those that may have to wait for one before them. */
export function unprovisioned(
  db: Queryable,
  site: string,
  rowsMax: number,
): Promise<PlacementRow[]> {
  return db.rows(
    sql`select p.tenant_id, p.instance_id, p.request_id, p.turn, p.host_id,
        h.native_id as native_host_id, p.shape, p.numa_node,
        coalesce((s.capabilities->'numaPinning'->>'can')::boolean, false) as pins_numa,
        coalesce((s.capabilities->'exclusiveCpus'->>'can')::boolean, false) as pins_cpus,
        coalesce((select jsonb_agg(jsonb_build_object('id', c.device_id, 'slice', c.slice,
            'resource', case c.slice when 1 then d.resource else d.slice_resource end)
          order by c.device_id) from gpu_claim c
            join gpu_device d on d.host_id = c.host_id and d.id = c.device_id
          where c.tenant_id = p.tenant_id and c.instance_id = p.instance_id), '[]') as devices
      from placement p join host h on h.id = p.host_id join site s on s.name = h.site
        join request r on r.tenant_id = p.tenant_id and r.id = p.request_id
      where p.state = 'full' and h.site = ${site}
        and not exists (select from instance i where i.tenant_id = p.tenant_id
          and i.id = p.instance_id)
      order by greatest(least(r.gang_rank, 1), (r.from_snapshot is not null)::int), p.placed_at, p.request_id limit ${rowsMax}`,
    placementRow,
  );
}

/**
 * Makes a job's inputs ready on this disk; `undefined` for a lease, `later` for what must wait for
 * something that is being made. Safe to repeat. Throws a Failure
 * `not_found` for inputs that are gone, which nothing will bring back; anything else may pass.
 */
export type PrepareWorkload = (
  request: Request,
  instanceId: string,
) => Promise<WorkloadSpec | undefined | "later">;

/** `again` when there may be more. One that cannot be made ready does not keep others waiting. */
export async function adoptPlacements(
  db: Db,
  of: {
    readonly site: string;
    readonly prepareWorkload: PrepareWorkload;
    readonly now: number;
    readonly failed: (instanceId: string, error: unknown) => void;
  },
): Promise<"rest" | "again"> {
  await settleClones(db, of);
  const placements = await unprovisioned(db, of.site, placementsPerPassMax);
  let adopted = 0;
  for (const placement of placements) {
    try {
      if (await adopt(db, of, placement)) adopted += 1;
    } catch (error) {
      of.failed(placement.instance_id, error);
    }
  }
  return placements.length === placementsPerPassMax && adopted > 0 ? "again" : "rest";
}

/** False for what waits. */
async function adopt(
  db: Db,
  of: { readonly site: string; readonly prepareWorkload: PrepareWorkload; readonly now: number },
  placement: PlacementRow,
): Promise<boolean> {
  const key = { tenantId: placement.tenant_id, id: placement.request_id };
  const request = present(
    (await findRequest(db, { ...key, kind: "lease" })) ??
      (await findRequest(db, { ...key, kind: "job" })),
    `request ${key.id} of a placement`,
  );
  const begins = await beginsWhen(db, { ...key, fromSnapshot: request.from_snapshot });
  if (begins === "later") return false;
  if (begins !== "now") {
    await db.transaction((tx) => giveUp(tx, { placement, reason: begins, at: of.now }));
    return true;
  }
  let workload: Awaited<ReturnType<PrepareWorkload>>;
  try {
    workload = await of.prepareWorkload(request, placement.instance_id);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "not_found") throw error;
    const reason = { code: error.code, message: error.message, details: error.details };
    await db.transaction((tx) => giveUp(tx, { placement, reason, at: of.now }));
    return true;
  }
  if (workload === "later") return false;
  const spec = machineSpec(request, placement, workload);
  await db.transaction((tx) => insertInstance(tx, { request, placement, spec, ...of }));
  return true;
}

/** What it needs is gone for good: it ends before a machine is made. */
async function giveUp(
  tx: Tx,
  end: { readonly placement: PlacementRow; readonly reason: Reason; readonly at: number },
): Promise<void> {
  const { placement, reason, at } = end;
  const tenantId = placement.tenant_id;
  await endRequest(tx, { tenantId, id: placement.request_id, at, reason });
  await releasePlacement(tx, { tenantId, instanceId: placement.instance_id }, at);
  for (const { id } of await runningOperations(tx, {
    tenantId,
    requestId: placement.request_id,
  })) {
    await endOperation(tx, { tenantId, id, at, outcome: { state: "failed", reason } });
  }
  for (const channel of ["request", "operation", "capacity"]) tx.nudge(channel);
}

const placementsPerPassMax = 100;

function machineSpec(
  request: Request,
  placement: PlacementRow,
  workload: WorkloadSpec | undefined,
): MachineSpec {
  const { shape } = placement;
  return {
    id: placement.instance_id,
    name: request.name,
    hostId: placement.native_host_id,
    image: request.image,
    cpu: shape.cpu,
    memoryBytes: shape.memoryMiB * mebibyte,
    diskBytes: shape.diskGiB * gibibyte,
    gpus: placement.devices.map(({ id, slice, resource }) => ({
      deviceId: id,
      model: shape.gpu?.model ?? "",
      slice,
      ...(resource === null ? {} : { resource }),
    })),
    ...pinningOf(placement),
    serviceClass: shape.serviceClass,
    ...(workload === undefined ? wantsOf(shape) : {}),
    network: request.tenant_id,
    loginUser: request.login_user,
    sshKeys: request.ssh_keys,
    ...(request.user_data === null ? {} : { userData: request.user_data }),
    ...(request.from_snapshot === null ? {} : { fromSnapshot: request.from_snapshot }),
    ...(workload === undefined ? {} : { workload }),
    owner: {
      tenantId: request.tenant_id,
      projectId: request.project_id,
      resourceId: request.id,
    },
  };
}

/** What its platform is told of the flavor beside its size; of labels that hosts have from us it does not know. */
function wantsOf(shape: Shape): Pick<MachineSpec, "wants"> {
  const { tolerations, antiAffinity, hugePages, cpuModel, furtherDisks } = shape;
  const hostLabels = othersLabelsOf(shape.hostLabels);
  const disks = furtherDisks?.map(({ name, sizeGiB }) => ({ name, bytes: sizeGiB * gibibyte }));
  const wants = {
    ...(Object.keys(hostLabels).length > 0 ? { hostLabels } : {}),
    ...(tolerations.length > 0 ? { tolerations } : {}),
    ...(antiAffinity ? ({ apart: true } as const) : {}),
    ...(hugePages === "none" ? {} : { hugePages }),
    ...(cpuModel === undefined ? {} : { cpuModel }),
    ...(disks === undefined ? {} : { disks }),
  };
  return Object.keys(wants).length > 0 ? { wants } : {};
}

/** As placement chose, as far as the platform can: a machine runs without it, too, only less alone. */
function pinningOf(placement: PlacementRow): Pick<MachineSpec, "pinning"> {
  const { shape, numa_node: numaNode } = placement;
  const toNode = numaNode !== null && placement.pins_numa;
  const alone = shape.serviceClass === "core" && placement.pins_cpus;
  if (!toNode && !alone) return {};
  return {
    pinning: { ...(toNode ? { numaNode } : {}), ...(alone ? { exclusive: true } : {}) },
  };
}

async function insertInstance(
  tx: Tx,
  made: {
    readonly request: Request;
    readonly placement: PlacementRow;
    readonly spec: MachineSpec;
    readonly site: string;
    readonly now: number;
  },
): Promise<void> {
  const { request, placement } = made;
  const at = new Date(made.now);
  await tx.execute(sql`
    insert into instance (tenant_id, id, request_id, project_id, kind, turn, site, host_id, spec,
      shape, state, state_since, created_at)
    values (${request.tenant_id}, ${placement.instance_id}, ${request.id}, ${request.project_id},
      ${request.kind}, ${placement.turn}, ${made.site}, ${placement.host_id}, ${json(made.spec)},
      ${json(placement.shape)}, 'creating', ${at}, ${at})
    on conflict do nothing`);
  // What it waited for is there.
  if (request.end_reason?.code === copyingCode) {
    await setReason(tx, { tenantId: request.tenant_id, id: request.id, reason: null });
  }
  tx.nudge("instance");
}
