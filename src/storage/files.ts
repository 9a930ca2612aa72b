/** Rows of `stored_file`: a row that anybody sees is written after its bytes, and hidden before. */
import { z } from "zod";

import { json } from "#db/json.ts";
import { newestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { instant, size } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import type { Reason } from "#kernel/reason.ts";

import type { FileKey } from "./disk.ts";

const row = z
  .object({
    tenant_id: z.string(),
    id: z.string(),
    kind: z.enum(["input", "log", "results"]),
    name: z.string(),
    job_id: z.string().nullable(),
    attempt: z.int().nullable(),
    size_bytes: size,
    sha256: z.string().nullable(),
    state: z.enum(["writing", "ready", "failed", "missing", "deleting"]),
    reason: z.object({ code: z.string(), message: z.string() }).nullable(),
    created_at: instant,
  })
  .transform((found) => ({
    tenantId: found.tenant_id,
    id: found.id,
    kind: found.kind,
    name: found.name,
    jobId: found.job_id,
    attempt: found.attempt,
    sizeBytes: found.size_bytes,
    sha256: found.sha256,
    state: found.state,
    reason: found.reason,
    createdAt: found.created_at,
  }));
export type StoredFile = z.output<typeof row>;

export interface AttemptKey {
  readonly tenantId: string;
  readonly jobId: string;
  readonly attempt: number;
}

export type AttemptFileKind = "log" | "results";

export function insertInput(
  tx: Tx,
  file: FileKey & {
    readonly name: string;
    readonly sizeBytes: number;
    readonly sha256: string;
    readonly at: number;
  },
): Promise<StoredFile> {
  return tx.one(
    sql`insert into stored_file (tenant_id, id, kind, name, size_bytes, sha256, state, created_at)
      values (${file.tenantId}, ${file.id}, 'input', ${file.name}, ${file.sizeBytes},
        ${file.sha256}, 'ready', ${new Date(file.at)})
      returning *`,
    row,
  );
}

/** The attempt's log: the row that is there, or a new one that is being written. */
export async function openLog(
  db: Queryable,
  of: AttemptKey & { readonly id: string; readonly name: string; readonly at: number },
): Promise<StoredFile> {
  const known = await findAttemptFile(db, of, "log");
  if (known !== undefined) return known;
  await db.execute(sql`
    insert into stored_file (tenant_id, id, kind, name, job_id, attempt, size_bytes, state,
      created_at)
    values (${of.tenantId}, ${of.id}, 'log', ${of.name}, ${of.jobId}, ${of.attempt}, 0,
      'writing', ${new Date(of.at)})
    on conflict do nothing`);
  return db.one(
    sql`select * from stored_file where tenant_id = ${of.tenantId} and job_id = ${of.jobId}
      and attempt = ${of.attempt} and kind = 'log'`,
    row,
  );
}

export function findAttemptFile(
  db: Queryable,
  of: AttemptKey,
  kind: AttemptFileKind,
): Promise<StoredFile | undefined> {
  return db.maybe(
    sql`select * from stored_file where tenant_id = ${of.tenantId} and job_id = ${of.jobId}
      and attempt = ${of.attempt} and kind = ${kind}`,
    row,
  );
}

/** Logs or results of all attempts, oldest attempt first. */
export function attemptFiles(
  db: Queryable,
  of: { readonly tenantId: string; readonly jobId: string },
  kind: AttemptFileKind,
): Promise<StoredFile[]> {
  return db.rows(
    sql`select * from stored_file
      where tenant_id = ${of.tenantId} and job_id = ${of.jobId} and kind = ${kind}
      order by attempt`,
    row,
  );
}

export function findFile(db: Queryable, key: FileKey): Promise<StoredFile | undefined> {
  return db.maybe(
    sql`select * from stored_file where tenant_id = ${key.tenantId} and id = ${key.id}`,
    row,
  );
}

/** The row, locked until the transaction ends: nobody else writes or removes the file meanwhile. */
export function lockFile(tx: Tx, key: FileKey): Promise<StoredFile | undefined> {
  return tx.maybe(
    sql`select * from stored_file where tenant_id = ${key.tenantId} and id = ${key.id} for update`,
    row,
  );
}

/** Those of `ids` that the tenant has, whole; none of them can be removed before `tx` ends. */
export function holdFiles(tx: Tx, tenantId: string, ids: readonly string[]): Promise<StoredFile[]> {
  return tx.rows(
    sql`select * from stored_file
      where tenant_id = ${tenantId} and id = any(${[...ids]}::uuid[]) and state = 'ready'
      order by id for share`,
    row,
  );
}

/** What a customer has; a file that is being written, or could not be, is not one yet. */
export function listFiles(db: Queryable, tenantId: string, ask: PageAsk): Promise<StoredFile[]> {
  const position = { at: sql`created_at`, id: sql`id` };
  return db.rows(
    sql`select * from stored_file
      where tenant_id = ${tenantId} and state in ('ready', 'missing')
        and ${newestFirst(position, ask)}
      order by created_at desc, id desc limit ${ask.limit}`,
    row,
  );
}

/** From now on nobody sees it and it counts for nothing; storageLoop removes bytes and row. */
export async function deleteFile(tx: Tx, key: FileKey): Promise<void> {
  await tx.execute(sql`
    update stored_file set state = 'deleting'
    where tenant_id = ${key.tenantId} and id = ${key.id}`);
  tx.nudge("storage");
}

export function deletedFiles(db: Queryable, limit: number): Promise<StoredFile[]> {
  return db.rows(
    sql`select * from stored_file where state = 'deleting' order by created_at limit ${limit}`,
    row,
  );
}

/** Once its bytes are gone. */
export async function forgetFile(db: Queryable, key: FileKey): Promise<void> {
  await db.execute(sql`
    delete from stored_file
    where tenant_id = ${key.tenantId} and id = ${key.id} and state = 'deleting'`);
}

const sumRow = z.object({ bytes: size });

export async function storedBytes(db: Queryable, tenantId: string): Promise<number> {
  const { bytes } = await db.one(
    sql`select coalesce(sum(size_bytes), 0)::int8 as bytes from stored_file
      where tenant_id = ${tenantId} and state <> 'deleting'`,
    sumRow,
  );
  return bytes;
}

/** More bytes of it count from now on. */
export async function grow(tx: Tx, key: FileKey, sizeBytes: number): Promise<void> {
  await tx.execute(sql`
    update stored_file set size_bytes = ${sizeBytes}
    where tenant_id = ${key.tenantId} and id = ${key.id} and state = 'writing'`);
}

/** No more bytes will count, because of `reason`; there are `sizeBytes` now. */
export async function cutFile(
  tx: Tx,
  key: FileKey,
  cut: { readonly sizeBytes: number; readonly reason: Reason },
): Promise<void> {
  await tx.execute(sql`
    update stored_file set size_bytes = ${cut.sizeBytes}, reason = ${json(cut.reason)}
    where tenant_id = ${key.tenantId} and id = ${key.id} and state = 'writing'`);
}

/** The writing is over. False if it grew since `sizeBytes` and `sha256` were taken. */
export async function finishFile(
  db: Queryable,
  file: FileKey & {
    readonly sizeBytes: number;
    readonly sha256: string;
    readonly reason: Reason | null;
  },
): Promise<boolean> {
  const count = await db.execute(sql`
    update stored_file set state = 'ready', sha256 = ${file.sha256},
      reason = ${file.reason === null ? null : json(file.reason)}
    where tenant_id = ${file.tenantId} and id = ${file.id} and state = 'writing'
      and size_bytes = ${file.sizeBytes}`);
  return count === 1;
}

/** The results of an attempt, or that there are none, and why. The first to say it is right. */
export async function insertResults(
  tx: Tx,
  of: AttemptKey & {
    readonly id: string;
    readonly name: string;
    readonly at: number;
    readonly outcome:
      | { readonly state: "ready"; readonly sizeBytes: number; readonly sha256: string }
      | { readonly state: "failed"; readonly reason: Reason };
  },
): Promise<void> {
  const { outcome } = of;
  const kept = outcome.state === "ready" ? outcome : { sizeBytes: 0, sha256: null };
  const reason = outcome.state === "failed" ? json(outcome.reason) : null;
  await tx.execute(sql`
    insert into stored_file (tenant_id, id, kind, name, job_id, attempt, size_bytes, sha256, state,
      reason, created_at)
    values (${of.tenantId}, ${of.id}, 'results', ${of.name}, ${of.jobId}, ${of.attempt},
      ${kept.sizeBytes}, ${kept.sha256}, ${outcome.state}, ${reason}, ${new Date(of.at)})
    on conflict do nothing`);
}

export async function setMissing(
  db: Queryable,
  key: FileKey,
  bytes: "gone" | "back",
): Promise<number> {
  return bytes === "gone"
    ? db.execute(sql`update stored_file set state = 'missing'
        where tenant_id = ${key.tenantId} and id = ${key.id} and state = 'ready'`)
    : db.execute(sql`update stored_file set state = 'ready'
        where tenant_id = ${key.tenantId} and id = ${key.id} and state = 'missing'`);
}

/** Rows in the order of their keys, for walking through all of them. */
export function filesAfter(
  db: Queryable,
  after: FileKey | undefined,
  limit: number,
): Promise<StoredFile[]> {
  const position =
    after === undefined
      ? sql`true`
      : sql`(tenant_id, id) > (${after.tenantId}::uuid, ${after.id}::uuid)`;
  return db.rows(
    sql`select * from stored_file where ${position} order by tenant_id, id limit ${limit}`,
    row,
  );
}
