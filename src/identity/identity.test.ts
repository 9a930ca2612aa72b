import { expect, test } from "vitest";
import { z } from "zod";

import type { Role } from "#contract/operation.ts";
import { listAudit } from "#audit/audit.ts";
import { sql } from "#db/sql.ts";
import { testDatabase } from "#test/database.ts";

import { createApiKey, listApiKeys, revokeApiKey } from "./api-keys.ts";
import { authenticate } from "./authenticate.ts";
import { ensureOperator, newRootKey } from "./operator.ts";
import {
  createProject,
  deleteProject,
  listProjects,
  projectForWork,
  requireDefaultProject,
} from "./projects.ts";
import { mayGrant } from "./roles.ts";
import { createTenant, findTenant, updateTenant, type OpenedTenant } from "./tenants.ts";
import { createUser, listUsers, updateUser } from "./users.ts";

const { db } = await testDatabase();
const now = Date.parse("2026-05-04T10:00:00.000Z");
const all = { after: undefined, limit: 200 };

// The first start, by several processes at once.
const starts = await Promise.all(
  Array.from({ length: 4 }, () => db.transaction((tx) => ensureOperator(tx, now))),
);
const operator = starts.find((start) => start !== undefined);
if (operator === undefined) throw new Error("nobody made the operator");

let opened = 0;
function newTenant(): Promise<OpenedTenant> {
  opened += 1;
  const name = `tenant-${opened}`;
  return db.transaction((tx) => createTenant(tx, { name, now }));
}

test("the operator is made once, and his secret is handed out once", async () => {
  expect(starts.filter((start) => start !== undefined)).toHaveLength(1);
  const { principal } = await authenticate(db, operator.secret, now);
  expect(principal).toMatchObject({ tenantName: "operator", userName: "root", role: "root" });
  const entries = await db.transaction((tx) => listAudit(tx, operator.tenantId, all));
  expect(entries.map(({ actor, action }) => [actor, action])).toContainEqual([
    "system",
    "operator.create",
  ]);
});

test("a lost root key is replaced from the machine", async () => {
  const recovered = await db.transaction((tx) => newRootKey(tx, now));
  const { principal } = await authenticate(db, recovered.secret, now);
  expect(principal.userId).toBe(operator.userId);
  await expect(authenticate(db, operator.secret, now)).resolves.toBeDefined();
});

test("a new tenant has a project, an administrator and his key", async () => {
  const { tenant, administrator } = await newTenant();
  expect(tenant).toMatchObject({ kind: "customer", state: "active", timeZone: "Asia/Shanghai" });
  const projects = await db.tenant(tenant.id, (tx) => listProjects(tx, tenant.id, all));
  expect(projects.map(({ name }) => name)).toEqual(["default"]);
  const users = await db.tenant(tenant.id, (tx) => listUsers(tx, tenant.id, all));
  expect(users).toMatchObject([{ id: administrator.userId, name: "admin", role: "domain_admin" }]);
});

test("a tenant is found by id and by name; a taken name and an unknown zone are refused", async () => {
  const { tenant } = await newTenant();
  expect(await findTenant(db, tenant.id.toUpperCase())).toEqual(tenant);
  expect(await findTenant(db, tenant.name)).toEqual(tenant);
  expect(await findTenant(db, "nobody")).toBeUndefined();
  const taken = db.transaction((tx) => createTenant(tx, { name: tenant.name, now }));
  await expect(taken).rejects.toMatchObject({ code: "conflict" });
  const zone = db.transaction((tx) =>
    createTenant(tx, { name: "zone", timeZone: "Mars/Base", now }),
  );
  await expect(zone).rejects.toMatchObject({ code: "invalid_request" });
});

test("the operator's tenant is never suspended", async () => {
  const suspend = db.transaction((tx) =>
    updateTenant(tx, { tenantId: operator.tenantId, state: "suspended" }),
  );
  await expect(suspend).rejects.toMatchObject({ code: "wrong_state" });
});

test("nobody grants a role above his own", () => {
  const grants: [Role, Role, boolean][] = [
    ["root", "root", true],
    ["domain_admin", "root", false],
    ["domain_admin", "domain_admin", true],
    ["domain_admin", "billing", true],
    ["user", "domain_admin", false],
    ["user", "billing", false],
    ["billing", "viewer", true],
    ["viewer", "user", false],
  ];
  expect(grants.map(([by, to]) => [by, to, mayGrant(by, to)])).toEqual(grants);
});

test("root users exist in the operator's tenant only, also for the database", async () => {
  const { tenant, administrator } = await newTenant();
  const ask = { tenantId: tenant.id, name: "r", role: "root", now } as const;
  for (const actor of ["root", "domain_admin"] as const) {
    const create = db.transaction((tx) => createUser(tx, actor, ask));
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await expect(create).rejects.toMatchObject({ code: "forbidden" });
  }
  const behind = db.execute(
    sql`update tenant_user set role = 'root' where id = ${administrator.userId}`,
  );
  await expect(behind).rejects.toMatchObject({ code: "23514" });
  const own = db.transaction((tx) =>
    createUser(tx, "root", { ...ask, tenantId: operator.tenantId }),
  );
  await expect(own).resolves.toMatchObject({ role: "root" });
});

test("two administrators who demote each other at once: one of them stays", async () => {
  const { tenant, administrator } = await newTenant();
  const tenantId = tenant.id;
  const second = await db.tenant(tenantId, (tx) =>
    createUser(tx, "domain_admin", { tenantId, name: "second", role: "domain_admin", now }),
  );
  const demote = (userId: string): Promise<unknown> =>
    db.tenant(tenantId, (tx) =>
      updateUser(tx, "domain_admin", { tenantId, userId, role: "user", now }),
    );
  const ended = await Promise.allSettled([demote(administrator.userId), demote(second.id)]);
  expect(ended.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  expect(ended.find(({ status }) => status === "rejected")).toMatchObject({
    reason: { code: "wrong_state" },
  });
  const users = await db.tenant(tenantId, (tx) => listUsers(tx, tenantId, all));
  expect(users.filter(({ role }) => role === "domain_admin")).toHaveLength(1);
});

test("a user handles his own keys, an administrator those of everybody below", async () => {
  const { tenant, administrator } = await newTenant();
  const tenantId = tenant.id;
  const user = await db.tenant(tenantId, (tx) =>
    createUser(tx, "domain_admin", { tenantId, name: "u", role: "user", now }),
  );
  const asUser = { userId: user.id, role: "user" } as const;
  const asAdmin = { userId: administrator.userId, role: "domain_admin" } as const;
  const key = { tenantId, name: "k", scope: "all", expiresAt: null, now } as const;
  const own = await db.tenant(tenantId, (tx) =>
    createApiKey(tx, asUser, { ...key, userId: user.id }),
  );
  const forAdmin = db.tenant(tenantId, (tx) =>
    createApiKey(tx, asUser, { ...key, userId: administrator.userId }),
  );
  await expect(forAdmin).rejects.toMatchObject({ code: "forbidden" });
  const seenByUser = await db.tenant(tenantId, (tx) =>
    listApiKeys(tx, { tenantId, actor: asUser, ask: all }),
  );
  expect(seenByUser.map(({ id }) => id)).toEqual([own.id]);
  const seenByAdmin = await db.tenant(tenantId, (tx) =>
    listApiKeys(tx, { tenantId, actor: asAdmin, ask: all }),
  );
  expect(seenByAdmin).toHaveLength(2);
  const revokeAdmins = db.tenant(tenantId, (tx) =>
    revokeApiKey(tx, asUser, { tenantId, keyId: administrator.id, now }),
  );
  await expect(revokeAdmins).rejects.toMatchObject({ code: "not_found" });
  await db.tenant(tenantId, (tx) => revokeApiKey(tx, asAdmin, { tenantId, keyId: own.id, now }));
  await expect(authenticate(db, own.secret, now)).rejects.toThrow("revoked");
});

test("an administrator in the operator's tenant does not act as root", async () => {
  const { tenantId } = operator;
  const admin = await db.transaction((tx) =>
    createUser(tx, "root", { tenantId, name: "clerk", role: "domain_admin", now }),
  );
  const actor = { userId: admin.id, role: "domain_admin" } as const;
  const key = {
    tenantId,
    userId: operator.userId,
    name: "k",
    scope: "all",
    expiresAt: null,
    now,
  } as const;
  const make = db.transaction((tx) => createApiKey(tx, actor, key));
  await expect(make).rejects.toMatchObject({ code: "forbidden" });
  const disable = db.transaction((tx) =>
    updateUser(tx, "domain_admin", { tenantId, userId: operator.userId, state: "disabled", now }),
  );
  await expect(disable).rejects.toMatchObject({ code: "forbidden" });
});

test("a project that holds something stays, and an empty one waits for work in hand", async () => {
  const { tenant } = await newTenant();
  const tenantId = tenant.id;
  const project = await db.tenant(tenantId, (tx) =>
    createProject(tx, { tenantId, name: "p", now }),
  );
  const which = { tenantId, projectId: project.id, now };
  const full = db.tenant(tenantId, (tx) =>
    deleteProject(tx, which, () => Promise.resolve([{ kind: "leases", count: 2 }])),
  );
  await expect(full).rejects.toThrow("The project still holds 2 leases; remove them first.");
  const both = [
    { kind: "leases", count: 1 },
    { kind: "jobs", count: 3 },
  ] as const;
  for (const [holdings, says] of [
    [both, "1 lease, 3 jobs; remove them first."],
    [[both[0]], "1 lease; remove it first."],
    [[{ kind: "jobs", count: 1 }], "1 job; remove it first."],
  ] as const) {
    const refused = db.tenant(tenantId, (tx) =>
      deleteProject(tx, which, () => Promise.resolve(holdings)),
    );
    // oxlint-disable-next-line no-await-in-loop -- three
    await expect(refused).rejects.toThrow(`The project still holds ${says}`);
  }

  // Work that goes into the project holds the removal up until its transaction ends.
  const working = Promise.withResolvers<void>();
  const mayEnd = Promise.withResolvers<void>();
  const work = db.tenant(tenantId, async (tx) => {
    await projectForWork(tx, tenantId, project.id);
    working.resolve();
    await mayEnd.promise;
  });
  await working.promise;
  let ended = false;
  const removal = db
    .tenant(tenantId, (tx) => deleteProject(tx, which, () => Promise.resolve([])))
    .finally(() => (ended = true));
  const waiting = z.object({ n: z.int() });
  const waits = sql`select count(*)::int4 as n from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`;
  await expect.poll(async () => (await db.one(waits, waiting)).n).toBe(1);
  expect(ended).toBe(false);
  mayEnd.resolve();
  await work;
  await removal;
  const gone = db.tenant(tenantId, (tx) => projectForWork(tx, tenantId, project.id));
  await expect(gone).rejects.toMatchObject({ code: "not_found" });
  // The name is free again.
  await db.tenant(tenantId, (tx) => createProject(tx, { tenantId, name: "p", now }));
});

test("the default project stays, but of a tenant who left; one who comes back has a new one", async () => {
  const { tenant } = await newTenant();
  const tenantId = tenant.id;
  const project = await db.tenant(tenantId, (tx) => projectForWork(tx, tenantId, undefined));
  const remove = (): Promise<unknown> =>
    db.tenant(tenantId, (tx) =>
      deleteProject(tx, { tenantId, projectId: project.id, now }, () => Promise.resolve([])),
    );
  await expect(remove()).rejects.toMatchObject({ code: "wrong_state" });
  await db.transaction((tx) => updateTenant(tx, { tenantId, state: "suspended" }));
  await remove();
  const back = { tenantId, now };
  await db.transaction(async (tx) => {
    await updateTenant(tx, { tenantId, state: "active" });
    await requireDefaultProject(tx, back);
    // Again changes nothing.
    await requireDefaultProject(tx, back);
  });
  const again = await db.tenant(tenantId, (tx) => projectForWork(tx, tenantId, undefined));
  expect(again.id).not.toBe(project.id);
});
