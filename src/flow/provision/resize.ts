/**
 * The ask to resize: holds the larger of both shapes on the host at once, so that a resize that
 * was accepted cannot fail for lack of room.
 */
import { z } from "zod";

import type { Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { overQuota } from "#flow/admit/decide.ts";
import { ask, isBeingResized, openLease } from "#flow/admit/lease.ts";
import type { OperationRow } from "#flow/admit/operations.ts";
import { limitsOf, lockQuota, usedBy } from "#flow/admit/quota.ts";
import { requireClass } from "#flow/admit/service-class.ts";
import type { Priced } from "#flow/admit/work.ts";
import { devicesOf, takeDevices } from "#flow/place/devices.ts";
import { growPlacement } from "#flow/place/store.ts";
import { Failure } from "#kernel/failure.ts";
import type { Shape } from "#kernel/shape.ts";

import { abilityOf, capabilityRow } from "./capability.ts";

export interface ResizeAsk {
  readonly tenantId: string;
  readonly leaseId: string;
  readonly at: number;
  readonly shape: Shape;
  readonly price: Priced;
}

export async function askResize(tx: Tx, wish: ResizeAsk): Promise<OperationRow> {
  const lease = await openLease(tx, wish);
  const { shape: from } = lease;
  const to = wish.shape;
  if (to.diskGiB < from.diskGiB) {
    throw new Failure(
      "rule_violation",
      `A disk only grows: ${from.diskGiB} GiB now, ${to.diskGiB} GiB asked.`,
    );
  }
  if (!onlyCountDiffers(from.gpu, to.gpu) || to.hugePages !== from.hugePages) {
    throw new Failure(
      "rule_violation",
      "Of GPUs only the number of whole ones can be changed on a lease, and huge pages cannot; rent another one and move.",
    );
  }
  const instance = await tx.maybe(
    sql`select i.id, i.state, s.capabilities->'resizeGpus' as gpus, s.capabilities->'diskGrow' as disk
      from instance i left join site s on s.name = i.site
      where i.tenant_id = ${wish.tenantId} and i.request_id = ${wish.leaseId}
        and i.state <> 'gone'`,
    z.object({
      id: z.string(),
      state: z.string(),
      gpus: capabilityRow.nullable(),
      disk: capabilityRow.nullable(),
    }),
  );
  if (instance === undefined || !["running", "stopped"].includes(instance.state)) {
    throw new Failure(
      "wrong_state",
      `The lease ${lease.name} is ${instance?.state ?? "queued"}; resize it when it runs or is stopped.`,
    );
  }
  if (instance.state === "stopped" && lease.wanted === "running") {
    throw new Failure(
      "wrong_state",
      `The lease ${lease.name} is about to start; resize it when it runs.`,
    );
  }
  if (await isBeingResized(tx, wish)) {
    throw new Failure(
      "wrong_state",
      `The lease ${lease.name} is being resized already; wait until that is done.`,
    );
  }
  requireGrowing(instance.disk, { from, to });
  await requireQuota(tx, wish, from);
  await requireClass(tx, { tenantId: wish.tenantId, shape: to });
  const key = { tenantId: wish.tenantId, instanceId: instance.id };
  await requireItsPlace(tx, key, { from, to });
  if ((await growPlacement(tx, key, largerOf(from, to))) === "full") throw noRoom("room");
  const devices = await devicesFor(tx, key, { from, to, instance });
  return ask(tx, wish, "resize", {
    shape: to,
    price: wish.price.shown,
    ...(devices === undefined ? {} : { devices }),
  });
}

/** Before anything is held for it: nothing of the resize happens where its disk cannot follow. */
function requireGrowing(
  said: z.output<typeof capabilityRow> | null,
  { from, to }: { readonly from: Shape; readonly to: Shape },
): void {
  if (to.diskGiB === from.diskGiB) return;
  const disk = abilityOf(said, from);
  if (disk.can) return;
  throw new Failure(
    "unsupported",
    `The disk of this lease cannot grow: ${disk.because}. Keep its ${from.diskGiB} GiB, or rent another one with a larger disk and move.`,
    { details: { capability: "diskGrow", because: disk.because, diskGiB: from.diskGiB } },
  );
}

/** It stays on its host, so a flavor of another pool is none for it, nor is one NUMA node after many. */
async function requireItsPlace(
  tx: Tx,
  key: { readonly tenantId: string; readonly instanceId: string },
  { from, to }: { readonly from: Shape; readonly to: Shape },
): Promise<void> {
  if (to.numa && !from.numa) {
    throw new Failure(
      "rule_violation",
      `The flavor ${to.flavor} is for one NUMA node, which a lease gets when it is made; rent another one and move.`,
    );
  }
  if (to.pool === null) return;
  const { pool } = await tx.one(
    sql`select pool.name as pool from placement p join host h on h.id = p.host_id
        left join pool on pool.id = h.pool_id
      where p.tenant_id = ${key.tenantId} and p.instance_id = ${key.instanceId}`,
    z.object({ pool: z.string().nullable() }),
  );
  if (pool === to.pool) return;
  throw new Failure(
    "rule_violation",
    `The flavor ${to.flavor} is sold from the pool ${to.pool}, and this lease is ${pool === null ? "in no pool" : `in the pool ${pool}`}; rent another one and move.`,
    { details: { pool, asked: to.pool } },
  );
}

/** The GPUs that it is to have, those that come claimed; `undefined` if they stay as they are. */
async function devicesFor(
  tx: Tx,
  key: { readonly tenantId: string; readonly instanceId: string },
  change: {
    readonly from: Shape;
    readonly to: Shape;
    readonly instance: {
      readonly state: string;
      readonly gpus: z.output<typeof capabilityRow> | null;
    };
  },
): Promise<string[] | undefined> {
  const { from, to, instance } = change;
  if (from.gpu === null || to.gpu === null || from.gpu.count === to.gpu.count) return undefined;
  const { gpus } = instance;
  if (gpus?.can !== true) {
    const because = gpus?.because ?? "its platform does not say that it can";
    throw new Failure("unsupported", `The GPUs of this lease cannot be changed: ${because}.`, {
      details: { capability: "resizeGpus", because },
    });
  }
  if (to.gpu.count < from.gpu.count) return (await devicesOf(tx, key)).slice(0, to.gpu.count);
  if (instance.state !== "running") {
    throw new Failure("wrong_state", "GPUs are added to a lease that runs; start it first.");
  }
  const devices = await takeDevices(tx, key, to.gpu);
  if (devices === undefined) throw noRoom(`free ${to.gpu.model}`);
  return devices;
}

function noRoom(what: string): Failure {
  return new Failure(
    "capacity",
    `The host of this lease has no ${what} for that now. Try later, or release and rent it anew.`,
  );
}

function onlyCountDiffers(from: Shape["gpu"], to: Shape["gpu"]): boolean {
  if (from === null || to === null) return from === to;
  if (from.model !== to.model || from.slice !== to.slice) return false;
  return from.count === to.count || from.slice === 1;
}

async function requireQuota(tx: Tx, wish: ResizeAsk, from: Shape): Promise<void> {
  await lockQuota(tx, wish.tenantId);
  const { gpu } = wish.shape;
  const grown = {
    vcpus: Math.max(0, wish.shape.vcpus - from.vcpus),
    memoryMiB: Math.max(0, wish.shape.memoryMiB - from.memoryMiB),
    diskGiB: Math.max(0, wish.shape.diskGiB - from.diskGiB),
    leases: 0,
    jobs: 0,
    snapshots: 0,
    storageGiB: 0,
    gpus: gpu === null ? {} : { [gpu.model]: Math.max(0, gpu.count - (from.gpu?.count ?? 0)) },
  };
  const over = overQuota(grown, await limitsOf(tx, wish.tenantId), await usedBy(tx, wish.tenantId));
  if (over.length === 0) return;
  throw new Failure(
    "quota_exceeded",
    `Over quota: ${over.map((each) => `${each.resource} ${each.used} used + ${each.asked} more > ${each.limit}`).join("; ")}.`,
    { details: { quota: over } },
  );
}

function largerOf(a: Shape, b: Shape): Shape {
  return {
    ...b,
    vcpus: Math.max(a.vcpus, b.vcpus),
    memoryMiB: Math.max(a.memoryMiB, b.memoryMiB),
    overcommitPercent: Math.min(a.overcommitPercent, b.overcommitPercent),
    gpu: (a.gpu?.count ?? 0) > (b.gpu?.count ?? 0) ? a.gpu : b.gpu,
  };
}
