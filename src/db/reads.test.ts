/** Reads of a tenant: the wall holds, nothing stays behind, and what is asked at once goes at once. */
import { expect, test } from "vitest";
import { v7 as newId } from "uuid";
import { z } from "zod";

import { testDatabase } from "#test/database.ts";

import { sql } from "./sql.ts";

const { db } = await testDatabase();
const [ours, theirs] = [newId(), newId()];
for (const [id, name] of [
  [ours, "ours"],
  [theirs, "theirs"],
] as const) {
  // oxlint-disable-next-line no-await-in-loop -- two
  await db.execute(sql`with opened as (
      insert into tenant (id, kind, name, display_name, time_zone, created_at)
      values (${id}, 'customer', ${name}, ${name}, 'UTC', now()) returning id)
    insert into project (tenant_id, id, name, created_at)
      select id, gen_random_uuid(), ${name}, now() from opened`);
}

const named = z.object({ name: z.string() });
const text = z.object({ text: z.string().nullable() });
const when = z.object({ at: z.string(), pid: z.int() });

test("a tenant reads its own rows, whatever the statement forgets or asks for", async () => {
  const reads = db.reads(ours);
  expect(await reads.rows(sql`select name from project`, named)).toEqual([{ name: "ours" }]);
  expect(await reads.rows(sql`select name from tenant`, named)).toEqual([{ name: "ours" }]);
  const others = sql`select name from project where tenant_id = ${theirs}`;
  expect(await reads.rows(others, named)).toEqual([]);
  expect(await db.reads(theirs).rows(others, named)).toEqual([{ name: "theirs" }]);
});

test("nothing but a uuid is a tenant", () => {
  expect(() => db.reads("' or true --")).toThrow("uuid");
});

test("a read cannot write", async () => {
  const reads = db.reads(ours);
  const write = sql`update project set name = 'changed' where tenant_id = ${ours}`;
  await expect(reads.execute(write)).rejects.toThrow("read-only transaction");
  expect(await reads.one(sql`select name from project`, named)).toEqual({ name: "ours" });
});

test("neither role nor tenant nor read-only stays on the connection", async () => {
  const left = z.object({ user: z.string(), tenant: z.string().nullable(), readOnly: z.string() });
  const asked = Array.from({ length: 40 }, async (_, index) => {
    const read = index % 2 === 0 ? sql`select name from project` : sql`select 1/0 as name`;
    await Promise.allSettled([db.reads(ours).one(read, named)]);
    return db.one(
      sql`select current_user::text as user, current_tenant_id()::text as tenant,
          current_setting('transaction_read_only') as "readOnly"`,
      left,
    );
  });
  for (const { user, tenant, readOnly } of await Promise.all(asked)) {
    expect([user === "millrace_tenant", tenant, readOnly]).toEqual([false, null, "off"]);
  }
});

test("what is asked at once is one transaction, the same statement twice included", async () => {
  const reads = db.reads(ours);
  const now = sql`select now()::text as at, pg_backend_pid() as pid`;
  const echo = (value: string): Promise<unknown> =>
    reads.one(sql`select ${value}::text as text`, text);
  const together = await Promise.all([reads.one(now, when), echo("a"), echo("b")]);
  expect(together.slice(1)).toEqual([{ text: "a" }, { text: "b" }]);
  const [first, second] = await Promise.all([reads.one(now, when), reads.one(now, when)]);
  expect(first).toEqual(second);
  const later = await reads.one(now, when);
  expect(later.at).not.toBe(first.at);
});

test("a statement that fails takes those asked with it along, and no later one", async () => {
  const reads = db.reads(ours);
  const outcomes = await Promise.allSettled([
    reads.one(sql`select name from project`, named),
    reads.one(sql`select 1/0 as text`, text),
    reads.one(sql`select name from tenant`, named),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  expect(outcomes[1]).toMatchObject({ reason: { message: "division by zero" } });
  expect(await reads.one(sql`select name from project`, named)).toEqual({ name: "ours" });
});

test("a row that its schema refuses is the fault of that statement alone", async () => {
  const reads = db.reads(ours);
  const outcomes = await Promise.allSettled([
    reads.one(sql`select 1 as name`, named),
    reads.one(sql`select name from project`, named),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
});

test("values go and come as they do in a transaction", async () => {
  const awkward = ['a"b', String.raw`\ {`, "", "NULL", "ä,}", "'"];
  const statements = [
    sql`select ${"text"}::text as v, ${null}::text as none, ${true}::boolean as yes`,
    sql`select ${7}::int4 as v, ${2n ** 62n}::int8 as big, ${1.5}::float8 as half`,
    sql`select ${new Date("2026-05-04T10:00:00.123Z")}::timestamptz as v, now() > ${new Date(0)} as past`,
    sql`select ${Buffer.from([0, 255])}::bytea as v, ${new Uint8Array([1, 0])}::bytea as bytes`,
    sql`select ${awkward}::text[] as v, ${[1, null, 3]}::int4[] as numbers, ${[]}::uuid[] as empty`,
    sql`select ${JSON.stringify({ a: [1] })}::jsonb as v, ${ours}::uuid as id`,
  ];
  const any = z.record(z.string(), z.unknown());
  for (const statement of statements) {
    // oxlint-disable-next-line no-await-in-loop -- six, in turn
    const read = await db.reads(ours).rows(statement, any);
    // oxlint-disable-next-line no-await-in-loop -- six, in turn
    expect(read).toEqual(await db.tenant(ours, (tx) => tx.rows(statement, any)));
    // oxlint-disable-next-line no-await-in-loop -- now prepared
    expect(await db.reads(ours).rows(statement, any)).toEqual(read);
  }
  expect(await db.reads(ours).execute(sql`select generate_series(1, 3)`)).toBe(3);
  const object = db.reads(ours).execute(sql`select ${{ a: 1 }}::jsonb`);
  await expect(object).rejects.toThrow("a parameter is");
});

test("a lost connection is `unavailable`, and the next read finds another", async () => {
  const reads = db.reads(ours);
  const slow = reads.execute(sql`select pg_sleep(60)`);
  const outcome = slow.catch((error: unknown) => error);
  const ended = z.object({ ended: z.boolean() });
  const end = sql`select pg_terminate_backend(pid) as ended from pg_stat_activity
    where datname = current_database() and wait_event = 'PgSleep'`;
  await expect.poll(() => db.rows(end, ended), { timeout: 30_000 }).toEqual([{ ended: true }]);
  expect(await outcome).toMatchObject({ code: "unavailable" });
  expect(await reads.one(sql`select name from project`, named)).toEqual({ name: "ours" });
});
