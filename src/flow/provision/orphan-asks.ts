/**
 * The operator's word about a machine that no row ever named: it is a customer's lease from now on,
 * or it goes. Adopting writes the rows that a machine would have had, with what the platform shows of
 * it; it is metered from now, as nobody knows what was agreed before.
 */
import { v7 as uuid } from "uuid";
import { z } from "zod";

import { json } from "#db/json.ts";
import type { Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { insertRequest, setWanted } from "#flow/admit/requests.ts";
import { requireActive } from "#flow/admit/suspension.ts";
import { holdAdopted } from "#flow/place/adopted.ts";
import { Failure } from "#kernel/failure.ts";
import { gibibyte, mebibyte, type Shape } from "#kernel/shape.ts";
import { resolveAlert } from "#notices/store.ts";
import type { MachineSpec, Owner } from "#providers/provider.ts";

import { lockOrphan, orphanAlert, type Orphan, type OrphanDetail } from "./orphan-rows.ts";
import { addEvent } from "./store.ts";

/** Of its later starts; it has its place already. */
const ordinaryPriority = 30;

export interface RemovalAsk {
  readonly machineId: string;
  /** Who says so, for people. */
  readonly by: string;
  readonly at: number;
}

/** It goes with the next look at its site. Saying it twice is saying it once. */
export async function askOrphanRemoval(tx: Tx, ask: RemovalAsk): Promise<Orphan> {
  const orphan = await openOrphan(tx, ask.machineId);
  if (orphan.detail.owner === null) {
    throw new Failure(
      "wrong_state",
      "The platform does not say whose this machine is, so it is not ours to remove: do it there.",
    );
  }
  await tx.execute(sql`
    update orphan set decision = 'remove', decided_by = ${ask.by}, decided_at = ${new Date(ask.at)}
    where site = ${orphan.site} and machine_id = ${orphan.machineId}`);
  tx.nudge("provision");
  return { ...orphan, decision: "remove", decidedBy: ask.by };
}

export interface AdoptionAsk {
  readonly machineId: string;
  /** Of the lease. */
  readonly name: string;
  readonly image: string;
  /** Its owner's, as the platform shows it, when left out. */
  readonly tenantId: string | undefined;
  readonly projectId: string | undefined;
  readonly createdBy: string;
  readonly priceOf: (shape: Shape) => Readonly<Record<string, unknown>>;
  readonly at: number;
}

export interface Adopted {
  readonly tenantId: string;
  readonly projectId: string;
  readonly leaseId: string;
}

export async function adoptOrphan(tx: Tx, ask: AdoptionAsk): Promise<Adopted> {
  const orphan = await openOrphan(tx, ask.machineId);
  const { detail } = orphan;
  const { owner } = detail;
  if (owner === null || detail.isJob || orphan.decision !== null) {
    throw new Failure("wrong_state", whyNot(orphan));
  }
  const hostId = await hostOf(tx, orphan);
  const { tenantId, projectId } = await tenantFor(tx, ask, owner);
  await requireActive(tx, tenantId);
  const shape = shapeOf(detail);
  const leaseId = await freeRequestId(tx, owner.resourceId);
  await insertRequest(tx, {
    tenantId,
    id: leaseId,
    projectId,
    kind: "lease",
    name: ask.name,
    createdBy: ask.createdBy,
    shape,
    image: ask.image,
    loginUser: "root",
    sshKeys: [],
    userData: undefined,
    restart: "on-failure",
    price: ask.priceOf(shape),
    priority: ordinaryPriority,
    workload: undefined,
    plan: "on_demand",
    at: ask.at,
  });
  const runs = detail.power !== "stopped";
  if (!runs) await setWanted(tx, { tenantId, id: leaseId, wanted: "stopped", at: ask.at });
  const instanceId = orphan.machineId;
  const state = runs ? "full" : "disk";
  const place = {
    tenantId,
    requestId: leaseId,
    instanceId,
    hostId,
    shape,
    state,
    at: ask.at,
  } as const;
  if ((await holdAdopted(tx, place)) === "full") {
    throw new Failure(
      "capacity",
      "By the rows its host is full without it. Cordon the host and make room, then adopt it.",
    );
  }
  const spec = specOf(orphan, owner, { ask, shape, tenantId });
  const at = new Date(ask.at);
  await tx.execute(sql`
    insert into instance (tenant_id, id, request_id, project_id, kind, turn, site, host_id, spec,
      shape, state, state_since, created_at)
    values (${tenantId}, ${instanceId}, ${leaseId}, ${projectId}, 'lease', 1, ${orphan.site},
      ${hostId}, ${json(spec)}, ${json(shape)}, ${runs ? "starting" : "stopped"}, ${at}, ${at})`);
  const message = "The operator adopted the machine: it was there, and no record of it was.";
  await addEvent(tx, { tenantId, requestId: leaseId, kind: "adopted", message, at: ask.at });
  await tx.execute(sql`
    delete from orphan where site = ${orphan.site} and machine_id = ${instanceId}`);
  await resolveAlert(tx, { key: orphanAlert(orphan.site, instanceId), by: "adoption", at: ask.at });
  for (const channel of ["provision", "request", "instance"]) tx.nudge(channel);
  return { tenantId, projectId, leaseId };
}

async function openOrphan(tx: Tx, machineId: string): Promise<Orphan> {
  const orphan = await lockOrphan(tx, machineId);
  if (orphan === undefined) throw new Failure("not_found", "There is no such orphan.");
  if (!orphan.known) return orphan;
  throw new Failure("wrong_state", "A row tells that this machine is gone: it is being removed.");
}

function whyNot({ detail, decision }: Orphan): string {
  if (decision !== null) return "This machine is being removed.";
  return detail.isJob
    ? "It ran an attempt of a job, which nobody waits for any more; it can only be removed."
    : "The platform does not say whose this machine is, so it is not ours to adopt.";
}

const hostRow = z.object({ id: z.string(), gpus: z.int() });

async function hostOf(tx: Tx, { site, detail }: Orphan): Promise<string> {
  const host = await tx.maybe(
    sql`select h.id, (select count(*)::int from gpu_device d
        where d.host_id = h.id and d.present) as gpus
      from host h where h.site = ${site} and h.native_id = ${detail.hostId}`,
    hostRow,
  );
  if (host === undefined) throw new Failure("not_found", "Its host is not in the catalog.");
  if (host.gpus === 0) return host.id;
  throw new Failure(
    "unsupported",
    "Its host has GPUs, and which of them it holds cannot be seen; adopted without them, they would be sold twice. Let its customer save what he needs, then remove it.",
  );
}

const projectRow = z.object({ id: z.string() });

async function tenantFor(
  tx: Tx,
  ask: AdoptionAsk,
  owner: Owner,
): Promise<{ readonly tenantId: string; readonly projectId: string }> {
  const tenantId = ask.tenantId ?? owner.tenantId;
  const wished = ask.projectId ?? (ask.tenantId === undefined ? owner.projectId : null);
  const project = await tx.maybe(
    sql`select id from project
      where tenant_id = ${tenantId} and deleted_at is null
        and (id = ${wished} or (${wished}::uuid is null and name = 'default'))`,
    projectRow,
  );
  if (project !== undefined) return { tenantId, projectId: project.id };
  throw new Failure(
    "not_found",
    `There is no such tenant or project here (tenant ${tenantId}). If it was made after the backup, make it anew and name it.`,
    { details: { owner } },
  );
}

/** The lease's own id again, which its customer may have written down, unless it is taken. */
async function freeRequestId(tx: Tx, wished: string): Promise<string> {
  const taken = await tx.maybe(sql`select id from request where id = ${wished}`, projectRow);
  return taken === undefined && z.uuid().safeParse(wished).success ? wished : uuid();
}

function shapeOf({ cpu, memoryBytes, diskBytes }: OrphanDetail): Shape {
  return {
    flavor: "adopted",
    vcpus: cpu.sockets * cpu.cores * cpu.threads,
    cpu,
    memoryMiB: Math.ceil(memoryBytes / mebibyte),
    diskGiB: Math.ceil(diskBytes / gibibyte),
    gpu: null,
    serviceClass: "standard",
    overcommitPercent: 100,
    hugePages: "none",
    hostLabels: {},
    antiAffinity: false,
    tolerations: [],
    pool: null,
    numa: false,
  };
}

/** The owner stays what the platform has, or it would refuse to let go of it. */
function specOf(
  { machineId, detail }: Orphan,
  owner: Owner,
  made: { readonly ask: AdoptionAsk; readonly shape: Shape; readonly tenantId: string },
): MachineSpec {
  return {
    id: machineId,
    name: made.ask.name,
    hostId: detail.hostId,
    image: made.ask.image,
    cpu: detail.cpu,
    memoryBytes: detail.memoryBytes,
    diskBytes: detail.diskBytes,
    gpus: [],
    serviceClass: made.shape.serviceClass,
    network: owner.tenantId,
    loginUser: "root",
    sshKeys: [],
    owner,
  };
}
