/**
 * Connections, statements and transactions. What must stay true:
 *
 * - Rows are parsed by a schema where they enter the program.
 * - Work for a tenant runs as the role `millrace_tenant` with `millrace.tenant_id` set, so that
 *   row-level security is a second wall behind every `where tenant_id = …`.
 * - Serialization failures and deadlocks are the only errors that a transaction retries, because
 *   for them PostgreSQL promises that nothing happened.
 */
import { createHash } from "node:crypto";

import pg from "pg";
import type { z } from "zod";

import { assert } from "#kernel/assert.ts";
import { Failure } from "#kernel/failure.ts";
import type { Observer } from "#observe/observer.ts";

import type { StatementResult } from "./batch.ts";
import { tenantReader } from "./reads.ts";
import type { Sql } from "./sql.ts";

const connectionTimeoutMs = 5_000;
const statementTimeoutMs = 30_000;
const idleInTransactionTimeoutMs = 30_000;
const transactionAttemptsMax = 5;

pg.types.setTypeParser(pg.types.builtins.INT8, BigInt);

export interface Queryable {
  rows<T>(statement: Sql, row: z.ZodType<T>): Promise<T[]>;
  /** Exactly one row. */
  one<T>(statement: Sql, row: z.ZodType<T>): Promise<T>;
  maybe<T>(statement: Sql, row: z.ZodType<T>): Promise<T | undefined>;
  /** How many rows it touched. */
  execute(statement: Sql): Promise<number>;
}

export interface Tx extends Queryable {
  /** Tells listeners on commit that something about `channel` changed; never what. */
  nudge(channel: string): void;
}

export interface TransactionOptions {
  readonly isolation?: "read committed" | "repeatable read" | "serializable";
  readonly readOnly?: true;
}

export interface Db extends Queryable {
  transaction<T>(work: (tx: Tx) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** The same, seeing and writing one tenant's rows only. */
  tenant<T>(
    tenantId: string,
    work: (tx: Tx) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T>;
  /** Reads of one tenant that need no common transaction: one round trip each (see reads.ts). */
  reads(tenantId: string): Queryable;
  readonly pool: pg.Pool;
  readonly url: string;
  close(): Promise<void>;
}

export interface DbOptions {
  readonly url: string;
  readonly connectionsMax: number;
  readonly observer: Observer;
  readonly applicationName: string;
}

export function openDb(options: DbOptions): Db {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.connectionsMax,
    connectionTimeoutMillis: connectionTimeoutMs,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
    application_name: options.applicationName,
  });
  // An idle connection that the server closed (a restart); the pool makes a new one.
  pool.on("error", (cause) => {
    options.observer.log.warn({ cause: String(cause) }, "database connection lost");
  });

  // The pool itself listens only while a connection is idle. One that is lost between two statements
  // of a transaction would end the process; the next statement says that it is lost.
  pool.on("connect", (client) => {
    client.on("error", () => undefined);
  });

  const transaction = async <T>(
    work: (tx: Tx) => Promise<T>,
    { isolation = "read committed", readOnly }: TransactionOptions,
    tenantId: string | undefined,
  ): Promise<T> => {
    // One round trip: a request's transaction is short, and each trip is a tenth of it.
    const begin = `begin isolation level ${isolation}${readOnly === true ? " read only" : ""}${
      tenantId === undefined ? "" : `; ${asTenant(tenantId)}`
    }`;
    for (let attempt = 1; ; attempt += 1) {
      const client = await connect(pool);
      let broken: Error | undefined;
      try {
        await client.query(begin);
        const nudged = new Set<string>();
        const runsAs = tenantId === undefined ? "platform" : "tenant";
        const result = await work(txOn(client, runsAs, nudged));
        await client.query(commitWith(nudged));
        return result;
      } catch (error) {
        await client.query("rollback").catch((cause: unknown) => {
          broken = cause instanceof Error ? cause : new Error(String(cause));
        });
        if (!isSerializationFailure(error) || attempt === transactionAttemptsMax) {
          throw translate(error);
        }
      } finally {
        client.release(broken);
      }
    }
  };

  return {
    ...queryableOn(pool, "platform"),
    reads: (tenantId) => {
      const read = tenantReader(pool, asUuid(tenantId));
      return queryable(({ text, values }) => read({ name: nameOf(text, "read"), text, values }));
    },
    pool,
    url: options.url,
    transaction: (work, transactionOptions = {}) =>
      transaction(work, transactionOptions, undefined),
    tenant: (tenantId, work, transactionOptions = {}) =>
      transaction(work, transactionOptions, tenantId),
    close: () => pool.end(),
  };
}

/** Several statements take no parameters, so the id goes in as text: a uuid and nothing else. */
function asTenant(tenantId: string): string {
  return `set local role millrace_tenant; set local "millrace.tenant_id" = '${asUuid(tenantId)}'`;
}

function asUuid(tenantId: string): string {
  assert(uuidPattern.test(tenantId), "a tenant's id is a uuid");
  return tenantId;
}

const uuidPattern = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

async function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect();
  } catch (cause) {
    throw translate(cause);
  }
}

/**
 * As whom a statement runs: its plan depends on it, because row-level security does. Reads (reads.ts)
 * keep count themselves of what they have prepared.
 */
type RunsAs = "platform" | "tenant" | "read";

/**
 * Statements are prepared once per connection under a name made of their text and of who runs them:
 * planning the reads of the API takes longer than running them.
 */
const names: Readonly<Record<RunsAs, Map<string, string>>> = {
  platform: new Map(),
  tenant: new Map(),
  read: new Map(),
};
/** Texts are few; one that is built from data would fill this and is not prepared. */
const namesMax = 2_000;

function nameOf(text: string, runsAs: RunsAs): string | undefined {
  const known = names[runsAs].get(text);
  if (known !== undefined || names[runsAs].size >= namesMax) return known;
  const digest = createHash("sha256").update(text).digest("base64url").slice(0, 32);
  const name = `${runsAs} ${digest}`;
  names[runsAs].set(text, name);
  return name;
}

function queryableOn(client: pg.Pool | pg.PoolClient, runsAs: RunsAs): Queryable {
  return queryable(async ({ text, values }) => {
    const { rows, rowCount } = await client.query<Record<string, unknown>>({
      name: nameOf(text, runsAs),
      text,
      values,
    });
    return { rows, rowCount: rowCount ?? 0 };
  });
}

function queryable(send: (statement: Sql) => Promise<StatementResult>): Queryable {
  const run = async (statement: Sql): Promise<StatementResult> => {
    try {
      return await send(statement);
    } catch (error) {
      throw isSerializationFailure(error) ? error : translate(error);
    }
  };
  const maybe = async <T>(statement: Sql, row: z.ZodType<T>): Promise<T | undefined> => {
    const { rows } = await run(statement);
    if (rows.length > 1) throw new Error(`expected one row at most, got ${rows.length}`);
    return rows[0] === undefined ? undefined : row.parse(rows[0]);
  };
  return {
    rows: async (statement, row) => (await run(statement)).rows.map((each) => row.parse(each)),
    maybe,
    one: async (statement, row) => {
      const found = await maybe(statement, row);
      if (found === undefined) throw new Error("expected one row, got none");
      return found;
    },
    execute: async (statement) => (await run(statement)).rowCount,
  };
}

function txOn(client: pg.PoolClient, runsAs: RunsAs, nudged: Set<string>): Tx {
  return {
    ...queryableOn(client, runsAs),
    nudge: (channel) => {
      assert(channelPattern.test(channel), "the name of a channel needs no quotes");
      nudged.add(channel);
    },
  };
}

const channelPattern = /^[a-z][a-z0-9:-]*$/;

/** One round trip for the commit and all that is told with it. */
function commitWith(nudged: ReadonlySet<string>): string {
  const notices = [...nudged].map((channel) => `pg_notify('millrace', '${channel}')`);
  return notices.length === 0 ? "commit" : `select ${notices.join(", ")}; commit`;
}

const serializationFailure = "40001";
const deadlockDetected = "40P01";

function isSerializationFailure(error: unknown): boolean {
  const code = sqlState(error);
  return code === serializationFailure || code === deadlockDetected;
}

/** The five characters of PostgreSQL's error code, if it is one of its errors. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

/** Names the unique or check constraint that a statement broke. */
export function brokenConstraint(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.constraint : undefined;
}

/** Loss of the server becomes `unavailable`; anything else stays what it is. */
function translate(error: unknown): unknown {
  if (error instanceof Failure) return error;
  const state = sqlState(error);
  const lost =
    state === undefined
      ? error instanceof Error && connectionLost.test(`${error.message} ${codeOf(error)}`)
      : state.startsWith("08") || state.startsWith("57P");
  if (!lost) return error;
  return new Failure("unavailable", "The database does not answer; try again in a moment.", {
    cause: error,
  });
}

const connectionLost =
  /ECONNREFUSED|ECONNRESET|ENOENT|EPIPE|timeout exceeded when trying to connect|Connection terminated|not queryable/;

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}
