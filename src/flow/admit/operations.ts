/** Rows of `operation`: long work that a caller may wait for. */
import { v7 as uuid } from "uuid";
import { z } from "zod";

import { json } from "#db/json.ts";
import type { Queryable } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import type { Reason } from "#kernel/reason.ts";

import { reasonRow } from "./rows.ts";

const kinds = [
  "create",
  "start",
  "stop",
  "reboot",
  "resize",
  "move",
  "release",
  "snapshot",
  "revert",
  "snapshot-delete",
] as const;
export type OperationKind = (typeof kinds)[number];

export const operationRow = z.object({
  tenant_id: z.string(),
  id: z.string(),
  request_id: z.string(),
  kind: z.enum(kinds),
  arguments: z.record(z.string(), z.unknown()),
  state: z.enum(["running", "succeeded", "failed", "superseded"]),
  reason: reasonRow.nullable(),
  note: z.string().nullable(),
  created_at: instant,
  ended_at: instant.nullable(),
});
export type OperationRow = z.output<typeof operationRow>;

export interface NewOperation {
  readonly tenantId: string;
  readonly requestId: string;
  readonly kind: OperationKind;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly at: number;
}

export async function addOperation(db: Queryable, ask: NewOperation): Promise<OperationRow> {
  const operation = newOperation(ask);
  await insertOperations(db, [operation]);
  return operation;
}

/** As its row will be once it is inserted. */
export function newOperation(ask: NewOperation): OperationRow {
  return {
    tenant_id: ask.tenantId,
    id: uuid(),
    request_id: ask.requestId,
    kind: ask.kind,
    arguments: { ...ask.arguments },
    state: "running",
    reason: null,
    note: null,
    created_at: ask.at,
    ended_at: null,
  };
}

export async function insertOperations(
  db: Queryable,
  rows: readonly OperationRow[],
): Promise<void> {
  await db.execute(sql`
    insert into operation (tenant_id, id, request_id, kind, arguments, created_at)
    select * from unnest(${rows.map((row) => row.tenant_id)}::uuid[],
      ${rows.map((row) => row.id)}::uuid[], ${rows.map((row) => row.request_id)}::uuid[],
      ${rows.map((row) => row.kind)}::text[], ${rows.map((row) => json(row.arguments))}::jsonb[],
      ${rows.map((row) => new Date(row.created_at))}::timestamptz[])`);
}

/** Work that a later ask made pointless, such as a start that is followed by a release. */
export async function supersedeOperations(
  db: Queryable,
  of: { readonly tenantId: string; readonly requestId: string; readonly at: number },
  kindsToEnd: readonly OperationKind[],
): Promise<void> {
  await db.execute(sql`
    update operation set state = 'superseded', ended_at = ${new Date(of.at)}
    where tenant_id = ${of.tenantId} and request_id = ${of.requestId} and state = 'running'
      and kind = any(${[...kindsToEnd]})`);
}

export function runningOperations(
  db: Queryable,
  of: { readonly tenantId: string; readonly requestId: string },
): Promise<OperationRow[]> {
  return db.rows(
    sql`select * from operation
      where tenant_id = ${of.tenantId} and request_id = ${of.requestId} and state = 'running'
      order by created_at, id`,
    operationRow,
  );
}

export function findOperation(
  db: Queryable,
  key: { readonly tenantId: string; readonly id: string },
): Promise<OperationRow | undefined> {
  return db.maybe(
    sql`select * from operation where tenant_id = ${key.tenantId} and id = ${key.id}`,
    operationRow,
  );
}

export async function endOperation(
  db: Queryable,
  end: {
    readonly tenantId: string;
    readonly id: string;
    readonly outcome:
      | { readonly state: "succeeded"; readonly note?: string | undefined }
      | { readonly state: "failed"; readonly reason: Reason };
    readonly at: number;
  },
): Promise<void> {
  const { outcome } = end;
  await db.execute(sql`
    update operation set state = ${outcome.state}, ended_at = ${new Date(end.at)},
      note = ${outcome.state === "succeeded" ? (outcome.note ?? null) : null},
      reason = ${outcome.state === "failed" ? json(outcome.reason) : null}
    where tenant_id = ${end.tenantId} and id = ${end.id} and state = 'running'`);
}
