/** Rows of `lease_group`, `lease_group_member` and `lease_group_event`. */
import { v7 as newId } from "uuid";
import { z } from "zod";

import { json } from "#db/json.ts";
import { newestFirst, type PageAsk } from "#db/keyset.ts";
import { brokenConstraint, type Queryable, type Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { reasonRow } from "#flow/admit/rows.ts";
import { Failure } from "#kernel/failure.ts";
import type { Reason } from "#kernel/reason.ts";

import { signals, type Rules, type Standing } from "./decide.ts";

const directionRow = z.object({ stabilizationMs: z.number(), cooldownMs: z.number() });
const rulesRow: z.ZodType<Rules> = z.object({
  targets: z.array(z.object({ signal: z.enum(signals), value: z.number() })),
  scaleOut: directionRow,
  scaleIn: directionRow,
});
const standingRow: z.ZodType<Standing> = z.object({
  advice: z.array(z.object({ wanted: z.number(), from: z.number(), until: z.number() })),
  outAt: z.number().nullable(),
  inAt: z.number().nullable(),
});

/** What each member is made of; the keys themselves, as they were when the group was made. */
const templateRow = z.object({
  flavor: z.string(),
  image: z.string(),
  diskGiB: z.int().nullable(),
  sshKeys: z.array(z.string()),
  userData: z.string().nullable(),
  restart: z.enum(["never", "on-failure"]),
});
const groupRow = z
  .object({
    tenant_id: z.string(),
    id: z.string(),
    project_id: z.string(),
    name: z.string(),
    created_by: z.string(),
    template: templateRow,
    size_min: z.int(),
    size_max: z.int(),
    wanted: z.int(),
    rules: rulesRow,
    standing: standingRow,
    refusal: reasonRow.nullable(),
    created_at: instant,
    deleted_at: instant.nullable(),
  })
  .transform((row) => ({
    tenantId: row.tenant_id,
    id: row.id,
    projectId: row.project_id,
    name: row.name,
    createdBy: row.created_by,
    template: row.template,
    min: row.size_min,
    max: row.size_max,
    wanted: row.wanted,
    rules: row.rules,
    standing: row.standing,
    refusal: row.refusal,
    createdAt: row.created_at,
    deletedAt: row.deleted_at,
  }));
export type Group = z.output<typeof groupRow>;

interface GroupKey {
  readonly tenantId: string;
  readonly id: string;
}

const columns = sql`tenant_id, id, project_id, name, created_by, template, size_min, size_max, wanted,
  rules, standing, refusal, created_at, deleted_at`;

export type NewGroup = Pick<
  Group,
  "tenantId" | "projectId" | "name" | "createdBy" | "template" | "min" | "max" | "wanted" | "rules"
> & { readonly at: number };

export async function addGroup(tx: Tx, group: NewGroup): Promise<Group> {
  const standing: Standing = { advice: [], outAt: null, inAt: null };
  try {
    return await tx.one(
      sql`insert into lease_group (tenant_id, id, project_id, name, created_by, template, size_min,
          size_max, wanted, rules, standing, created_at)
        values (${group.tenantId}, ${newId()}, ${group.projectId}, ${group.name},
          ${group.createdBy}, ${json(group.template)}, ${group.min}, ${group.max},
          ${group.wanted}, ${json(group.rules)}, ${json(standing)}, ${new Date(group.at)})
        returning ${columns}`,
      groupRow,
    );
  } catch (error) {
    if (brokenConstraint(error) !== "lease_group_name") throw error;
    throw new Failure(
      "conflict",
      `This project has a group named ${group.name} already; choose another name or delete it.`,
      { cause: error },
    );
  }
}

export function findGroup(db: Queryable, key: GroupKey): Promise<Group | undefined> {
  return db.maybe(
    sql`select ${columns} from lease_group where tenant_id = ${key.tenantId} and id = ${key.id}`,
    groupRow,
  );
}

/** Locked against other steps of it until the transaction ends. Throws `not_found`. */
export async function lockGroup(tx: Tx, key: GroupKey): Promise<Group> {
  const found = await tx.maybe(
    sql`select ${columns} from lease_group where tenant_id = ${key.tenantId} and id = ${key.id}
      for no key update`,
    groupRow,
  );
  if (found === undefined) throw new Failure("not_found", "There is no such group.");
  return found;
}

/** Newest first; those that were deleted only when asked for. */
export function listGroups(
  db: Queryable,
  filter: { readonly tenantId: string; readonly state: "there" | "all" },
  ask: PageAsk,
): Promise<Group[]> {
  return db.rows(
    sql`select ${columns} from lease_group where tenant_id = ${filter.tenantId}
        and (deleted_at is null or ${filter.state === "all"})
        and ${newestFirst({ at: sql`created_at`, id: sql`id` }, ask)}
      order by created_at desc, id desc limit ${ask.limit}`,
    groupRow,
  );
}

/** What keeps a project from being removed. */
export async function groupHoldings(
  db: Queryable,
  project: { readonly tenantId: string; readonly projectId: string },
): Promise<{ readonly kind: "groups"; readonly count: number }[]> {
  const { count } = await db.one(
    sql`select count(*)::int as count from lease_group where tenant_id = ${project.tenantId}
      and project_id = ${project.projectId} and deleted_at is null`,
    z.object({ count: z.int() }),
  );
  return [{ kind: "groups", count }];
}

export async function countGroups(db: Queryable, tenantId: string): Promise<number> {
  const { count } = await db.one(
    sql`select count(*)::int as count from lease_group
      where tenant_id = ${tenantId} and deleted_at is null`,
    z.object({ count: z.int() }),
  );
  return count;
}

/** Of all tenants, by id. */
export function groupsToLookAt(
  db: Queryable,
  ask: { readonly after: string | undefined; readonly limit: number },
): Promise<GroupKey[]> {
  return db.rows(
    sql`select tenant_id as "tenantId", id from lease_group where deleted_at is null
        and ${ask.after === undefined ? sql`true` : sql`id > ${ask.after}::uuid`}
      order by id limit ${ask.limit}`,
    z.object({ tenantId: z.string(), id: z.string() }),
  );
}

export async function saveGroup(
  tx: Tx,
  group: Pick<
    Group,
    "tenantId" | "id" | "min" | "max" | "wanted" | "rules" | "standing" | "refusal"
  >,
): Promise<void> {
  await tx.execute(sql`
    update lease_group set size_min = ${group.min}, size_max = ${group.max},
      wanted = ${group.wanted}, rules = ${json(group.rules)}, standing = ${json(group.standing)},
      refusal = ${group.refusal === null ? null : json(group.refusal)}
    where tenant_id = ${group.tenantId} and id = ${group.id}`);
}

export async function endGroup(tx: Tx, key: GroupKey & { readonly at: number }): Promise<void> {
  await tx.execute(sql`
    update lease_group set deleted_at = ${new Date(key.at)}, refusal = null
    where tenant_id = ${key.tenantId} and id = ${key.id}`);
}

const memberRow = z
  .object({
    request_id: z.string(),
    ordinal: z.int(),
    joined_at: instant,
    released_at: instant.nullable(),
  })
  .transform((row) => ({
    leaseId: row.request_id,
    ordinal: row.ordinal,
    joinedAt: row.joined_at,
    releasedAt: row.released_at,
  }));
export type MemberRow = z.output<typeof memberRow>;

/** Those that have a number now, lowest first. */
export function membersOf(db: Queryable, key: GroupKey): Promise<MemberRow[]> {
  return db.rows(
    sql`select request_id, ordinal, joined_at, released_at from lease_group_member
      where tenant_id = ${key.tenantId} and group_id = ${key.id} and left_at is null
      order by ordinal`,
    memberRow,
  );
}

/** By number: when the member joined that was lost there last. */
export async function lostJoined(
  db: Queryable,
  key: GroupKey & { readonly since: number },
): Promise<ReadonlyMap<number, number>> {
  const rows = await db.rows(
    sql`select ordinal, max(joined_at) as joined_at from lease_group_member
      where tenant_id = ${key.tenantId} and group_id = ${key.id} and lost
        and joined_at > ${new Date(key.since)}
      group by ordinal`,
    z.object({ ordinal: z.int(), joined_at: instant }),
  );
  return new Map(rows.map(({ ordinal, joined_at: at }) => [ordinal, at]));
}

export async function join(
  tx: Tx,
  of: GroupKey & { readonly leaseId: string; readonly ordinal: number; readonly at: number },
): Promise<void> {
  await tx.execute(sql`
    insert into lease_group_member (tenant_id, group_id, request_id, ordinal, joined_at)
    values (${of.tenantId}, ${of.id}, ${of.leaseId}, ${of.ordinal}, ${new Date(of.at)})`);
}

/** It is on its way out by the group's doing. */
export async function letGo(
  tx: Tx,
  of: GroupKey & { readonly leaseId: string; readonly at: number },
): Promise<void> {
  await tx.execute(sql`
    update lease_group_member set released_at = ${new Date(of.at)}
    where tenant_id = ${of.tenantId} and group_id = ${of.id} and request_id = ${of.leaseId}`);
}

/** It has no number any more. `lost`: not by the group's doing. */
export async function leave(
  tx: Tx,
  of: GroupKey & {
    readonly leaseId: string;
    readonly at: number;
    readonly how: "lost" | "released";
  },
): Promise<void> {
  await tx.execute(sql`
    update lease_group_member set left_at = ${new Date(of.at)}, lost = ${of.how === "lost"}
    where tenant_id = ${of.tenantId} and group_id = ${of.id} and request_id = ${of.leaseId}
      and left_at is null`);
}

export type GroupEventKind =
  | "created"
  | "changed"
  | "scaled_out"
  | "scaled_in"
  | "refused"
  | "member_added"
  | "member_removed"
  | "member_lost"
  | "deleted";

export interface GroupEvent {
  readonly kind: GroupEventKind;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export async function tell(
  tx: Tx,
  of: GroupKey & { readonly at: number },
  { kind, message, details }: GroupEvent,
): Promise<void> {
  await tx.execute(sql`
    insert into lease_group_event (tenant_id, id, group_id, at, kind, message, details)
    values (${of.tenantId}, ${newId()}, ${of.id}, ${new Date(of.at)}, ${kind}, ${message},
      ${json(details ?? {})})`);
}

const eventRow = z.object({
  id: z.string(),
  at: instant,
  kind: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()),
});

/** Newest first. */
export function groupEvents(
  db: Queryable,
  key: GroupKey,
  ask: PageAsk,
): Promise<z.output<typeof eventRow>[]> {
  return db.rows(
    sql`select id, at, kind, message, details from lease_group_event
      where tenant_id = ${key.tenantId} and group_id = ${key.id}
        and ${newestFirst({ at: sql`at`, id: sql`id` }, ask)}
      order by at desc, id desc limit ${ask.limit}`,
    eventRow,
  );
}

export function sameReason(a: Reason | null, b: Reason): boolean {
  return a !== null && a.code === b.code && a.message === b.message;
}
