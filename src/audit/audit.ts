/**
 * Who did what. An entry is written in the transaction of the mutation it tells of, so there is
 * never one without the other; a trigger keeps entries as they were written. Details are for people
 * and carry no secret: what a caller sent is not copied here, only what a handler names.
 */
import { v7 as newId } from "uuid";
import { z } from "zod";

import { newestFirst, type PageAsk } from "#db/keyset.ts";
import type { Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { join, sql, type Sql } from "#db/sql.ts";

const detailsCharactersMax = 16_384;
const targetCharactersMax = 500;

/** `system` is this installation itself: a first start, a command on the machine. */
export type Actor =
  | {
      readonly kind: "user";
      readonly name: string;
      readonly tenantId: string;
      readonly userId: string;
      readonly keyId: string | null;
      readonly sessionId: string | null;
    }
  | { readonly kind: "system"; readonly name: string };

export interface AuditEntry {
  /** The tenant acted for; it may read the entry. */
  readonly tenantId: string;
  readonly actor: Actor;
  /** As the contract names it: `lease.create`. */
  readonly action: string;
  readonly target?: string;
  readonly outcome: "done" | "refused";
  readonly requestId: string;
  readonly details?: Readonly<Record<string, unknown>>;
  /** Epoch milliseconds. */
  readonly at: number;
}

export function audit(tx: Tx, entry: AuditEntry): Promise<void> {
  return auditAll(tx, [entry]);
}

export async function auditAll(tx: Tx, entries: readonly AuditEntry[]): Promise<void> {
  const column = <T>(of: (entry: AuditEntry) => T): T[] => entries.map(of);
  const user = ({ actor }: AuditEntry): Extract<Actor, { kind: "user" }> | undefined =>
    actor.kind === "user" ? actor : undefined;
  await tx.execute(sql`
    insert into audit_entry (tenant_id, id, at, actor, actor_tenant_id, actor_user_id,
      actor_key_id, actor_session_id, action, target, outcome, request_id, details)
    select * from unnest(${column(({ tenantId }) => tenantId)}::uuid[],
      ${column(() => newId())}::uuid[], ${column(({ at }) => new Date(at))}::timestamptz[],
      ${column(({ actor }) => actor.name)}::text[],
      ${column((entry) => user(entry)?.tenantId ?? null)}::uuid[],
      ${column((entry) => user(entry)?.userId ?? null)}::uuid[],
      ${column((entry) => user(entry)?.keyId ?? null)}::uuid[],
      ${column((entry) => user(entry)?.sessionId ?? null)}::uuid[],
      ${column(({ action }) => action)}::text[],
      ${column(({ target }) => target?.slice(0, targetCharactersMax) ?? null)}::text[],
      ${column(({ outcome }) => outcome)}::text[],
      ${column(({ requestId }) => requestId)}::text[],
      ${column(({ details }) => bounded(details ?? {}))}::jsonb[])`);
}

function bounded(details: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(details, (_, value: unknown) => storable(value));
  return text.length <= detailsCharactersMax ? text : JSON.stringify({ omitted: text.length });
}

/** JSON has no bigint; jsonb has neither U+0000 nor half a surrogate pair. */
function storable(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "string") return value.toWellFormed().replaceAll("\0", "\ufffd");
  return value;
}

const row = z.object({
  id: z.string(),
  at: instant,
  actor: z.string(),
  action: z.string(),
  target: z.string().nullable(),
  outcome: z.enum(["done", "refused"]),
  requestId: z.string(),
  keyId: z.string().nullable(),
  sessionId: z.string().nullable(),
  details: z.record(z.string(), z.unknown()),
});
export type AuditRow = z.output<typeof row>;

const position = { at: sql`at`, id: sql`id` };

/** What is left out does not matter; epoch milliseconds. */
export interface AuditAsk extends PageAsk {
  /** A part of the name, in any case; so is `target`. */
  readonly actor?: string | undefined;
  /** `lease.create`, or all of `lease`. */
  readonly action?: string | undefined;
  readonly target?: string | undefined;
  readonly outcome?: AuditEntry["outcome"] | undefined;
  readonly requestId?: string | undefined;
  readonly since?: number | undefined;
  /** Not included. */
  readonly until?: number | undefined;
}

export async function listAudit(tx: Tx, tenantId: string, ask: AuditAsk): Promise<AuditRow[]> {
  return tx.rows(
    sql`select id, at, actor, action, target, outcome, request_id as "requestId",
        actor_key_id as "keyId", actor_session_id as "sessionId", details
      from audit_entry where tenant_id = ${tenantId} and ${newestFirst(position, ask)}
        and ${join(filtersOf(ask), " and ")}
      order by at desc, id desc limit ${ask.limit}`,
    row,
  );
}

/** At least one, so that they can be joined. */
function filtersOf(ask: AuditAsk): Sql[] {
  const { actor, action, target, outcome, requestId, since, until } = ask;
  return [
    sql`true`,
    ...(actor === undefined ? [] : [has(sql`actor`, actor)]),
    ...(action === undefined
      ? []
      : [sql`(action = ${action} or starts_with(action, ${`${action}.`}))`]),
    ...(target === undefined ? [] : [has(sql`coalesce(target, '')`, target)]),
    ...(outcome === undefined ? [] : [sql`outcome = ${outcome}`]),
    ...(requestId === undefined ? [] : [sql`request_id = ${requestId}`]),
    ...(since === undefined ? [] : [sql`at >= ${new Date(since)}::timestamptz`]),
    ...(until === undefined ? [] : [sql`at < ${new Date(until)}::timestamptz`]),
  ];
}

function has(column: Sql, part: string): Sql {
  return sql`position(lower(${part}::text) in lower(${column})) > 0`;
}
