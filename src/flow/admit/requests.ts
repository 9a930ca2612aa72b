/** Rows of `request`: what was asked for and admitted. This stage owns them. */
import { z } from "zod";

import { brokenConstraint, type Queryable, type Tx } from "#db/pool.ts";
import { json } from "#db/json.ts";
import { instant } from "#db/row.ts";
import { sql, type Sql } from "#db/sql.ts";
import { releaseHeld } from "#flow/ledger/holds.ts";
import { Failure } from "#kernel/failure.ts";
import type { Reason } from "#kernel/reason.ts";
import type { Shape } from "#kernel/shape.ts";

import { reasonRow, shapeRow, workloadRow, type Workload } from "./rows.ts";

export type Kind = "lease" | "job";
export type Wanted = "running" | "stopped" | "released";
/** What pays for compute: its use, or a term that was bought ahead. */
export type Plan = "on_demand" | "subscription";
/** Each member of a gang on a host of its own, or close together. */
export type GangHow = "spread" | "pack";

/** One member's place in its gang, whose id is that of the member with rank 0. */
export interface GangSeat {
  readonly id: string;
  readonly size: number;
  readonly how: GangHow;
  readonly rank: number;
}

/** Work of the same tenant that it wants to share a host with, or keeps away from. */
export interface Beside {
  /** What it is called, with others, by those who name groups. */
  readonly group: string | null;
  readonly nearGroups: readonly string[];
  readonly apartGroups: readonly string[];
  /** Ids of requests. */
  readonly near: readonly string[];
  readonly apart: readonly string[];
}

const requestRow = z.object({
  tenant_id: z.string(),
  id: z.string(),
  project_id: z.string(),
  kind: z.enum(["lease", "job"]),
  name: z.string(),
  created_by: z.string(),
  shape: shapeRow,
  image: z.string(),
  login_user: z.string(),
  ssh_keys: z.array(z.string()),
  user_data: z.string().nullable(),
  restart: z.enum(["never", "on-failure"]),
  price: z.record(z.string(), z.unknown()),
  priority: z.int(),
  workload: workloadRow.nullable(),
  plan: z.enum(["on_demand", "subscription"]),
  paid_until: instant.nullable(),
  /** Its machine is made of this snapshot, which outlived its lease. */
  from_snapshot: z.string().nullable(),
  gang_id: z.string().nullable(),
  gang_size: z.int(),
  gang_how: z.enum(["spread", "pack"]),
  gang_rank: z.int(),
  wanted: z.enum(["running", "stopped", "released"]),
  turn: z.int(),
  created_at: instant,
  changed_at: instant,
  ended_at: instant.nullable(),
  end_reason: reasonRow.nullable(),
});
export type Request = z.output<typeof requestRow>;

export interface NewRequest {
  readonly tenantId: string;
  readonly id: string;
  readonly projectId: string;
  readonly kind: Kind;
  readonly name: string;
  readonly createdBy: string;
  readonly shape: Shape;
  readonly image: string;
  readonly loginUser: string;
  readonly sshKeys: readonly string[];
  readonly userData: string | undefined;
  readonly restart: "never" | "on-failure";
  readonly price: Readonly<Record<string, unknown>>;
  readonly priority: number;
  readonly workload: Workload | undefined;
  readonly plan: Plan;
  readonly fromSnapshot?: string | undefined;
  readonly gang?: GangSeat;
  readonly beside?: Beside;
  readonly at: number;
}

export function insertRequest(db: Queryable, request: NewRequest): Promise<void> {
  return insertRequests(db, [request]);
}

/**
 * As many statements as for one. Shapes and prices are sent once each and named by their place: those
 * of many jobs are few.
 */
export async function insertRequests(
  db: Queryable,
  requests: readonly NewRequest[],
): Promise<void> {
  const column = <T>(of: (request: NewRequest) => T): T[] => requests.map(of);
  const shapes = placesOf(column(({ shape }) => json(shape)));
  const prices = placesOf(column(({ price }) => json(price)));
  try {
    await db.execute(sql`
      insert into request (tenant_id, id, project_id, kind, name, created_by, shape, image,
        login_user, ssh_keys, user_data, restart, price, priority, workload, plan,
        from_snapshot, gang_id, gang_size, gang_how, gang_rank, group_name, near, apart,
        near_groups, apart_groups, wanted, created_at, changed_at)
      select r.tenant_id, r.id, r.project_id, r.kind, r.name, r.created_by,
        (${shapes.texts}::jsonb[])[r.shape_place], r.image, r.login_user, r.ssh_keys, r.user_data,
        r.restart, (${prices.texts}::jsonb[])[r.price_place], r.priority, r.workload, r.plan,
        r.from_snapshot, r.gang_id, r.gang_size, r.gang_how, r.gang_rank,
        r.beside->>'group', ${uuids(sql`near`)}, ${uuids(sql`apart`)}, ${texts(sql`nearGroups`)},
        ${texts(sql`apartGroups`)}, 'running', r.at, r.at
      from unnest(${column(({ tenantId }) => tenantId)}::uuid[], ${column(({ id }) => id)}::uuid[],
        ${column(({ projectId }) => projectId)}::uuid[], ${column(({ kind }) => kind)}::text[],
        ${column(({ name }) => name)}::text[], ${column(({ createdBy }) => createdBy)}::uuid[],
        ${shapes.places}::int[], ${column(({ image }) => image)}::text[],
        ${column(({ loginUser }) => loginUser)}::text[],
        ${column(({ sshKeys }) => json(sshKeys))}::jsonb[],
        ${column(({ userData }) => userData ?? null)}::text[],
        ${column(({ restart }) => restart)}::text[], ${prices.places}::int[],
        ${column(({ priority }) => priority)}::int[],
        ${column(({ workload }) => (workload === undefined ? null : json(workload)))}::jsonb[],
        ${column(({ plan }) => plan)}::text[],
        ${column(({ fromSnapshot }) => fromSnapshot ?? null)}::uuid[],
        ${column(({ gang }) => gang?.id ?? null)}::uuid[],
        ${column(({ gang }) => gang?.size ?? 1)}::int[],
        ${column(({ gang }) => gang?.how ?? "pack")}::text[],
        ${column(({ gang }) => gang?.rank ?? 0)}::int[],
        ${column(({ beside }) => (beside === undefined ? null : json(beside)))}::jsonb[],
        ${column(({ at }) => new Date(at))}::timestamptz[])
        as r (tenant_id, id, project_id, kind, name, created_by, shape_place, image, login_user,
          ssh_keys, user_data, restart, price_place, priority, workload, plan, from_snapshot, gang_id,
          gang_size, gang_how, gang_rank, beside, at)`);
  } catch (error) {
    const constraint = brokenConstraint(error);
    if (constraint === "request_lease_name") {
      const names = column(({ name }) => name).join(", ");
      throw new Failure(
        "conflict",
        `This project has a lease named ${names} already; choose another name or release it.`,
        { cause: error },
      );
    }
    if (constraint === "request_tenant_id_project_id_fkey") {
      throw new Failure("not_found", "There is no such project.", { cause: error });
    }
    throw error;
  }
}

const uuids = (field: Sql): Sql => sql`(${texts(field)})::uuid[]`;

/** A list of strings in what work is beside; most work is beside nothing. */
const texts = (field: Sql): Sql => sql`case when r.beside is null then '{}'
  else array(select jsonb_array_elements_text(r.beside->'${field}')) end`;

/** Different texts, and for each of these the place of its own among them, from 1. */
function placesOf(all: readonly string[]): { texts: string[]; places: number[] } {
  const placeOf = new Map<string, number>();
  const places = all.map((text) => {
    const place = placeOf.get(text) ?? placeOf.size + 1;
    placeOf.set(text, place);
    return place;
  });
  return { texts: [...placeOf.keys()], places };
}

export function findRequest(
  db: Queryable,
  key: { readonly tenantId: string; readonly id: string; readonly kind: Kind },
): Promise<Request | undefined> {
  return db.maybe(
    sql`select * from request
      where tenant_id = ${key.tenantId} and id = ${key.id} and kind = ${key.kind}`,
    requestRow,
  );
}

/** The request, locked against other asks until the transaction ends. */
export async function lockRequest(
  db: Queryable,
  key: { readonly tenantId: string; readonly id: string; readonly kind?: Kind },
): Promise<Request> {
  const kind: Sql = key.kind === undefined ? sql`` : sql`and kind = ${key.kind}`;
  const found = await db.maybe(
    sql`select * from request where tenant_id = ${key.tenantId} and id = ${key.id} ${kind}
      for no key update`,
    requestRow,
  );
  if (found === undefined)
    throw new Failure("not_found", `There is no such ${key.kind ?? "request"}.`);
  return found;
}

/**
 * What is wanted from now on; asking for capacity again takes the next turn, which is an ordinary one
 * unless who asks says (`holdBack`) that it stands in for what a fault of ours took.
 */
export async function setWanted(
  db: Queryable,
  change: {
    readonly tenantId: string;
    readonly id: string;
    readonly wanted: Wanted;
    readonly nextTurn?: true;
    readonly at: number;
  },
): Promise<void> {
  await db.execute(sql`
    update request set wanted = ${change.wanted}, changed_at = ${new Date(change.at)},
      turn = turn + ${change.nextTurn === true ? 1 : 0},
      after_fault = after_fault and ${change.nextTurn !== true}
    where tenant_id = ${change.tenantId} and id = ${change.id}`);
}

/** When its machine is deleted, this snapshot of it stays. */
export async function keepSnapshotOf(
  tx: Tx,
  change: { readonly tenantId: string; readonly id: string; readonly snapshotId: string },
): Promise<void> {
  await tx.execute(sql`
    update request set keep_snapshot = ${change.snapshotId}
    where tenant_id = ${change.tenantId} and id = ${change.id}`);
}

/** Of a subscription: until when it may run. */
export async function setPaidUntil(
  db: Queryable,
  change: { readonly tenantId: string; readonly id: string; readonly paidUntil: number },
): Promise<void> {
  await db.execute(sql`
    update request set paid_until = ${new Date(change.paidUntil)}
    where tenant_id = ${change.tenantId} and id = ${change.id} and plan = 'subscription'`);
}

export async function setShape(
  db: Queryable,
  change: {
    readonly tenantId: string;
    readonly id: string;
    readonly shape: Shape;
    readonly price: Readonly<Record<string, unknown>>;
    readonly at: number;
  },
): Promise<void> {
  await db.execute(sql`
    update request set shape = ${json(change.shape)}, price = ${json(change.price)},
      changed_at = ${new Date(change.at)}
    where tenant_id = ${change.tenantId} and id = ${change.id}`);
}

/**
 * Closes a request: nothing of it is left anywhere, and the money held for it is free again.
 * Called by the stage that saw it gone.
 */
export async function endRequest(
  tx: Tx,
  end: {
    readonly tenantId: string;
    readonly id: string;
    readonly at: number;
    readonly reason: Reason | null;
  },
): Promise<void> {
  await tx.execute(sql`
    update request set ended_at = ${new Date(end.at)}, wanted = 'released',
      end_reason = coalesce(${end.reason === null ? null : json(end.reason)}::jsonb, end_reason)
    where tenant_id = ${end.tenantId} and id = ${end.id} and ended_at is null`);
  await releaseHeld(tx, end.tenantId, { reference: end.id, at: end.at });
}

/** Says why a request is as it is, without ending it. */
export async function setReason(
  db: Queryable,
  change: { readonly tenantId: string; readonly id: string; readonly reason: Reason | null },
): Promise<void> {
  await db.execute(sql`
    update request set end_reason = ${change.reason === null ? null : json(change.reason)}
    where tenant_id = ${change.tenantId} and id = ${change.id}`);
}

/** What customers call them, ended ones too. */
export async function requestNames(
  db: Queryable,
  of: { readonly tenantId: string; readonly ids: readonly string[] },
): Promise<ReadonlyMap<string, string>> {
  const rows = await db.rows(
    sql`select id, name from request
      where tenant_id = ${of.tenantId} and id = any(${of.ids}::uuid[])`,
    z.object({ id: z.string(), name: z.string() }),
  );
  return new Map(rows.map(({ id, name }) => [id, name]));
}
