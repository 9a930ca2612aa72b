/**
 * Row-level security is the second wall between tenants: whatever a query forgets, one tenant's
 * transaction does not see another's rows. Holds for every table that has a `tenant_id`, also for
 * those that are added later.
 */
import { expect, test } from "vitest";
import { z } from "zod";

import { raw, sql } from "#db/sql.ts";

import { testApi } from "./api-server.ts";

const api = await testApi();
const { db, ask, customer, operator } = api;

/** Rows in as many tables as the API fills by itself. */
const name = "ours";
const publicKey =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
for (const [path, body] of [
  ["/v1/projects", { name }],
  ["/v1/users", { name, role: "user" }],
  ["/v1/ssh-keys", { name, publicKey }],
] as const) {
  for (const { secret } of [customer.administrator, operator]) {
    const headers = { "idempotency-key": path };
    // oxlint-disable-next-line no-await-in-loop -- six rows
    await ask("POST", path, { secret, body, headers });
  }
}

const names = z.object({ name: z.string() });
const count = z.object({ n: z.int() });

const tenantTables = await db.rows(
  sql`select c.oid::regclass::text as name from pg_class c
    join pg_namespace s on s.oid = c.relnamespace and s.nspname = 'public'
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
    where c.relkind in ('r', 'p') order by 1`,
  names,
);
const tables = tenantTables.map((table) => table.name);

test("every table with a tenant_id is behind the wall", async () => {
  expect(tables).toEqual(expect.arrayContaining(["project", "api_key", "audit_entry"]));
  const protectedTables = await db.rows(
    sql`select c.oid::regclass::text as name from pg_class c
      join pg_policy p on p.polrelid = c.oid
      where c.relrowsecurity and p.polpermissive
        and pg_get_expr(p.polqual, c.oid) = '(tenant_id = current_tenant_id())'
        and pg_get_expr(p.polwithcheck, c.oid) = '(tenant_id = current_tenant_id())'
        and p.polcmd = '*' and p.polroles = array['millrace_tenant'::regrole::oid]`,
    names,
  );
  expect(tables).toEqual(
    tables.filter((table) => protectedTables.some((each) => each.name === table)),
  );
});

test("no other policy opens what the wall closes", async () => {
  const policies = await db.rows(
    sql`select polrelid::regclass || ': ' || polname as name from pg_policy
      where polname not in ('tenant_rows', 'own_row')`,
    names,
  );
  expect(policies).toEqual([]);
});

test("the role of tenants owns nothing and cannot step over the wall", async () => {
  const role = await db.one(
    sql`select rolsuper or rolbypassrls or rolcanlogin or rolcreaterole as may,
        (select count(*)::int4 from pg_class where relowner = r.oid) as owned
      from pg_roles r where rolname = 'millrace_tenant'`,
    z.object({ may: z.boolean(), owned: z.int() }),
  );
  expect(role).toEqual({ may: false, owned: 0 });
});

test.each(tables)("%s: a tenant sees its own rows and no others", async (table) => {
  const tenants = [customer.tenant.id, operator.tenantId];
  for (const tenantId of tenants) {
    const ofOthers = sql`select count(*)::int4 as n from ${raw(table)} where tenant_id <> ${tenantId}`;
    // oxlint-disable-next-line no-await-in-loop -- two
    expect(await db.tenant(tenantId, (tx) => tx.one(ofOthers, count))).toEqual({ n: 0 });
    const own = sql`select count(*)::int4 as n from ${raw(table)} where tenant_id = ${tenantId}`;
    // oxlint-disable-next-line no-await-in-loop -- two
    const seen = await db.tenant(tenantId, (tx) => tx.one(own, count));
    // oxlint-disable-next-line no-await-in-loop -- two
    expect(seen).toEqual(await db.one(own, count));
  }
});

test.each(["project", "tenant_user", "api_key", "ssh_key", "audit_entry", "idempotent_answer"])(
  "%s: the test above had rows to hide",
  async (table) => {
    const { n } = await db.one(
      sql`select count(distinct tenant_id)::int4 as n from ${raw(table)}`,
      count,
    );
    expect(n).toBe(2);
  },
);

test("a tenant cannot move a row to another, nor write one there", async () => {
  const ours = customer.tenant.id;
  const move = db.tenant(ours, (tx) =>
    tx.execute(sql`update project set tenant_id = ${operator.tenantId}`),
  );
  await expect(move).rejects.toThrow("row-level security");
  const write = db.tenant(ours, (tx) =>
    tx.execute(sql`insert into project (tenant_id, id, name, created_at)
      values (${operator.tenantId}, gen_random_uuid(), 'spy', now())`),
  );
  await expect(write).rejects.toThrow("row-level security");
});

test("without a tenant there is nothing to see", async () => {
  const seen = await db.transaction(async (tx) => {
    await tx.execute(sql`set local role millrace_tenant`);
    const tenant = await tx.one(sql`select count(*)::int4 as n from tenant`, count);
    const project = await tx.one(sql`select count(*)::int4 as n from project`, count);
    return [tenant.n, project.n];
  });
  expect(seen).toEqual([0, 0]);
});

test("a transaction leaves neither role nor tenant behind on its connection", async () => {
  const who = z.object({ name: z.string(), tenant: z.string().nullable() });
  const ask20 = Array.from({ length: 20 }, async () => {
    await db.tenant(customer.tenant.id, (tx) =>
      tx.one(sql`select count(*)::int4 as n from tenant`, count),
    );
    return db.one(sql`select current_user::text as name, current_tenant_id()::text as tenant`, who);
  });
  for (const { name: user, tenant } of await Promise.all(ask20)) {
    expect([user === "millrace_tenant", tenant]).toEqual([false, null]);
  }
});
