/**
 * What a process has of the world, and loses when it is killed: its connections to the database and
 * its calls to the platform. A call that was under way still arrives; nobody hears the answer.
 */
import { openDb, type Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";
import type { Observer } from "#observe/observer.ts";
import { decorate } from "#providers/decorate.ts";
import { ProviderError, type Call, type Provider } from "#providers/provider.ts";
import { z } from "zod";

export interface Life {
  readonly over: boolean;
}

export function mortalDb(options: {
  readonly url: string;
  readonly name: string;
  readonly observer: Observer;
  readonly life: Life;
}): Db {
  const { url, name, observer, life } = options;
  const db = openDb({ url, connectionsMax: 6, observer, applicationName: name });
  const guard = <A extends readonly unknown[], R>(
    run: (...given: A) => Promise<R>,
  ): ((...given: A) => Promise<R>) => {
    return (...given) =>
      life.over ? Promise.reject(new Failure("unavailable", "killed")) : run(...given);
  };
  return {
    rows: (statement, row) => guard(() => db.rows(statement, row))(),
    one: (statement, row) => guard(() => db.one(statement, row))(),
    maybe: (statement, row) => guard(() => db.maybe(statement, row))(),
    execute: (statement) => guard(() => db.execute(statement))(),
    transaction: (work, how) => guard(() => db.transaction(work, how))(),
    tenant: (tenantId, work, how) => guard(() => db.tenant(tenantId, work, how))(),
    reads: (tenantId) => {
      const reads = db.reads(tenantId);
      return {
        rows: (statement, row) => guard(() => reads.rows(statement, row))(),
        one: (statement, row) => guard(() => reads.one(statement, row))(),
        maybe: (statement, row) => guard(() => reads.maybe(statement, row))(),
        execute: (statement) => guard(() => reads.execute(statement))(),
      };
    },
    pool: db.pool,
    url,
    close: () => db.close(),
  };
}

/** Ends the connections of a process wherever they are, as its death would. */
export async function killConnections(db: Db, applicationName: string): Promise<void> {
  await db.rows(
    sql`select pg_terminate_backend(pid) as ended from pg_stat_activity
      where application_name = ${applicationName} and datname = current_database()`,
    z.object({ ended: z.boolean() }),
  );
}

const never = new AbortController().signal;

/** With deadlines as in production, but short, so that a hung call is given up within a test. */
export function mortalProvider(inner: Provider, life: Life): Provider {
  const alive = (): void => {
    if (life.over) throw new ProviderError("unavailable", "killed", { effect: "none" });
  };
  const mutation = <A extends readonly unknown[], R>(
    run: (call: Call, ...rest: A) => Promise<R>,
  ): ((call: Call, ...rest: A) => Promise<R>) => {
    return async (call, ...rest) => {
      alive();
      // What has left the process arrives, however the process is.
      const result = await run({ ...call, signal: never }, ...rest);
      alive();
      return result;
    };
  };
  const read = <A extends readonly unknown[], R>(
    run: (...given: A) => Promise<R>,
  ): ((...given: A) => Promise<R>) => {
    return async (...given) => {
      alive();
      return run(...given);
    };
  };
  const mortal: Provider = {
    site: inner.site,
    info: read((call) => inner.info(call)),
    hosts: read((call) => inner.hosts(call)),
    machines: read((call) => inner.machines(call)),
    machine: read((call, id) => inner.machine(call, id)),
    changes: (call) => inner.changes(call),
    create: mutation((call, spec) => inner.create(call, spec)),
    power: mutation((call, id, action) => inner.power(call, id, action)),
    interrupt: mutation((call, id, how) => inner.interrupt(call, id, how)),
    resize: mutation((call, id, to) => inner.resize(call, id, to)),
    move: mutation((call, id, hostId) => inner.move(call, id, hostId)),
    delete: mutation((call, id, keep) => inner.delete(call, id, keep)),
    snapshot: mutation((call, id, snapshot) => inner.snapshot(call, id, snapshot)),
    revert: mutation((call, id, snapshotId) => inner.revert(call, id, snapshotId)),
    deleteSnapshot: mutation((call, id, snapshotId) => inner.deleteSnapshot(call, id, snapshotId)),
    dropKept: mutation((call, id, snapshotId) => inner.dropKept(call, id, snapshotId)),
    snapshots: read((call, id) => inner.snapshots(call, id)),
    operation: read((call, ref) => inner.operation(call, ref)),
    console: (call, id, kind) => inner.console(call, id, kind),
    workloadLog: read((call, id, range) => inner.workloadLog(call, id, range)),
    workloadResults: read((call, id) => inner.workloadResults(call, id)),
    samples: read((call, ids) => inner.samples(call, ids)),
    activity: read((call, ids) => inner.activity(call, ids)),
    close: () => Promise.resolve(),
  };
  return decorate(mortal, { readTimeoutMs: 400, mutationTimeoutMs: 600, answerMs: 10 });
}
