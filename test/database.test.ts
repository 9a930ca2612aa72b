import { expect, test } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";

import { testDatabase } from "./database.ts";

const { db } = await testDatabase();
const other = await testDatabase();

test("each test database is a clone of its own, with the migrations applied", async () => {
  await db.execute(sql`create table only_here (n int)`);
  const { there } = await other.db.one(
    sql`select to_regclass('only_here') is not null as there`,
    z.object({ there: z.boolean() }),
  );
  expect(there).toBe(false);
  const { tenant } = await db.tenant("00000000-0000-7000-8000-000000000001", (tx) =>
    tx.one(sql`select current_tenant_id()::text as tenant`, z.object({ tenant: z.string() })),
  );
  expect(tenant).toBe("00000000-0000-7000-8000-000000000001");
});

test("the program's role is not a superuser, so that row-level security holds", async () => {
  const { superuser } = await db.one(
    sql`select rolsuper or rolbypassrls as superuser from pg_roles where rolname = current_user`,
    z.object({ superuser: z.boolean() }),
  );
  expect(superuser).toBe(false);
});
