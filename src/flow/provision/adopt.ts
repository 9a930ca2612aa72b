/** From placements to instances: writes the row, with the exact spec, before anything is created. */
import { z } from "zod";

import { json } from "#db/json.ts";
import type { Db, Queryable, Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { findRequest, type Request } from "#flow/admit/requests.ts";
import { shapeRow } from "#flow/admit/rows.ts";
import { gibibyte, mebibyte } from "#kernel/shape.ts";
import type { MachineSpec, WorkloadSpec } from "#providers/provider.ts";

const placementRow = z.object({
  tenant_id: z.string(),
  instance_id: z.string(),
  request_id: z.string(),
  turn: z.int(),
  host_id: z.string(),
  native_host_id: z.string(),
  shape: shapeRow,
  devices: z.array(z.object({ id: z.string(), slice: z.int() })),
});
export type PlacementRow = z.output<typeof placementRow>;

/** Placements that no instance has followed yet. */
export function unprovisioned(
  db: Queryable,
  site: string,
  rowsMax: number,
): Promise<PlacementRow[]> {
  return db.rows(
    sql`select p.tenant_id, p.instance_id, p.request_id, p.turn, p.host_id,
        h.native_id as native_host_id, p.shape,
        coalesce((select jsonb_agg(jsonb_build_object('id', c.device_id, 'slice', c.slice)
          order by c.device_id) from gpu_claim c
          where c.tenant_id = p.tenant_id and c.instance_id = p.instance_id), '[]') as devices
      from placement p join host h on h.id = p.host_id
      where p.state = 'full' and h.site = ${site}
        and not exists (select from instance i where i.tenant_id = p.tenant_id
          and i.id = p.instance_id)
      order by p.placed_at limit ${rowsMax}`,
    placementRow,
  );
}

/** Makes a job's inputs ready on this disk; `undefined` for a lease. Safe to repeat. */
export type PrepareWorkload = (
  request: Request,
  instanceId: string,
) => Promise<WorkloadSpec | undefined>;

export async function adoptPlacements(
  db: Db,
  of: { readonly site: string; readonly prepareWorkload: PrepareWorkload; readonly now: number },
): Promise<number> {
  const placements = await unprovisioned(db, of.site, placementsPerPassMax);
  for (const placement of placements) {
    const key = { tenantId: placement.tenant_id, id: placement.request_id };
    const request =
      (await findRequest(db, { ...key, kind: "lease" })) ??
      (await findRequest(db, { ...key, kind: "job" }));
    if (request === undefined) continue;
    const workload = await of.prepareWorkload(request, placement.instance_id);
    const spec = machineSpec(request, placement, workload);
    await db.transaction((tx) => insertInstance(tx, { request, placement, spec, ...of }));
  }
  return placements.length;
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
    gpus: placement.devices.map((device) => ({
      deviceId: device.id,
      model: shape.gpu?.model ?? "",
      slice: device.slice,
    })),
    serviceClass: shape.serviceClass,
    network: request.tenant_id,
    loginUser: request.login_user,
    sshKeys: request.ssh_keys,
    ...(request.user_data === null ? {} : { userData: request.user_data }),
    ...(workload === undefined ? {} : { workload }),
    owner: {
      tenantId: request.tenant_id,
      projectId: request.project_id,
      resourceId: request.id,
    },
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
  await tx.nudge("instance");
}
