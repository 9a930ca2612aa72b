import { expect, test } from "vitest";
import { z } from "zod";

import { createTenant } from "#identity/tenants.ts";
import { testApi, type Answer } from "#test/api-server.ts";

const busy: { projectId?: string } = {};
const api = await testApi({
  services: {
    projects: {
      holdings: (_tx, { projectId }) =>
        Promise.resolve([{ kind: "leases", count: busy.projectId === projectId ? 1 : 0 }]),
    },
  },
});
const { ask, operator, customer } = api;
const admin = customer.administrator.secret;
const { now } = api.clock;
const other = await api.db.transaction((tx) => createTenant(tx, { name: "other", now }));
const keyLine = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

const withId = z.object({ id: z.string() });
const withSecret = z.object({ id: z.string(), secret: z.string() });
const pageOfIds = z.object({ items: z.array(withId) });

function idOf(answer: Answer): string {
  return withId.parse(answer.body).id;
}

async function idsAt(path: string, secret: string): Promise<string[]> {
  const { body } = await ask("GET", path, { secret });
  return pageOfIds.parse(body).items.map(({ id }) => id);
}

test("the operator opens a tenant, whose administrator can work at once", async () => {
  const body = { name: "acme", displayName: "Acme 有限公司", timeZone: "Europe/Zurich" };
  const opened = await ask("POST", "/v1/tenants", { secret: operator.secret, body });
  expect(opened).toMatchObject({ status: 201, body: { tenant: { ...body, state: "active" } } });
  const { administrator } = z.object({ administrator: withSecret }).parse(opened.body);
  const who = await ask("GET", "/v1/whoami", { secret: administrator.secret });
  expect(who.body).toMatchObject({ tenant: { name: "acme" }, user: { role: "domain_admin" } });
  const again = await ask("POST", "/v1/tenants", { secret: operator.secret, body });
  expect(again).toMatchObject({ status: 409, body: { code: "conflict" } });
  const nowhere = { name: "nowhere", timeZone: "Mars/Base" };
  const refused = await ask("POST", "/v1/tenants", { secret: operator.secret, body: nowhere });
  expect(refused.status).toBe(400);
});

test("a tenant sees itself only; the operator sees all", async () => {
  const own = await ask("GET", `/v1/tenants/${customer.tenant.id}`, { secret: admin });
  expect(own).toMatchObject({ status: 200, body: { name: "customer" } });
  const foreign = await ask("GET", `/v1/tenants/${other.tenant.id}`, { secret: admin });
  expect(foreign.status).toBe(404);
  const seen = await ask("GET", `/v1/tenants/${other.tenant.id}`, { secret: operator.secret });
  expect(seen).toMatchObject({ status: 200, body: { name: "other" } });
  expect(await idsAt("/v1/tenants", operator.secret)).toEqual(
    expect.arrayContaining([operator.tenantId, customer.tenant.id, other.tenant.id]),
  );
});

test("a suspended tenant is told why it can change nothing, until it is active again", async () => {
  const path = `/v1/tenants/${other.tenant.id}`;
  const change = (state: string): Promise<Answer> =>
    ask("PATCH", path, { secret: operator.secret, body: { state } });
  const theirs = { secret: other.administrator.secret, body: { name: "p" } };
  expect(await change("suspended")).toMatchObject({ body: { state: "suspended" } });
  expect((await ask("GET", "/v1/projects", { secret: theirs.secret })).status).toBe(200);
  expect(await ask("POST", "/v1/projects", theirs)).toMatchObject({
    status: 403,
    body: { detail: expect.stringContaining("suspended"), details: { reason: "tenant_suspended" } },
  });
  // The operator can still put things in order for it.
  const headers = { "millrace-tenant": "other" };
  const byRoot = { secret: operator.secret, headers, body: { name: "by-root" } };
  expect((await ask("POST", "/v1/projects", byRoot)).status).toBe(201);
  await change("active");
  expect((await ask("POST", "/v1/projects", theirs)).status).toBe(201);
});

test("what belongs to another tenant is not found, whatever is asked of it", async () => {
  const theirs = other.administrator.secret;
  const project = idOf(
    await ask("POST", "/v1/projects", { secret: theirs, body: { name: "theirs" } }),
  );
  const user = { name: "theirs", role: "user" };
  const userId = idOf(await ask("POST", "/v1/users", { secret: theirs, body: user }));
  const sshKey = { name: "theirs", publicKey: keyLine };
  const sshKeyId = idOf(await ask("POST", "/v1/ssh-keys", { secret: theirs, body: sshKey }));
  const attempts: [string, string, unknown?][] = [
    ["DELETE", `/v1/projects/${project}`],
    ["PATCH", `/v1/users/${userId}`, { state: "disabled" }],
    ["POST", "/v1/api-keys", { name: "k", userId }],
    ["DELETE", `/v1/api-keys/${other.administrator.id}`],
    ["DELETE", `/v1/ssh-keys/${sshKeyId}`],
    ["GET", `/v1/tenants/${other.tenant.id}`],
  ];
  for (const [method, path, body] of attempts) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const answer = await ask(
      method,
      path,
      body === undefined ? { secret: admin } : { secret: admin, body },
    );
    expect([method, path, answer.status]).toEqual([method, path, 404]);
  }
  expect(await idsAt("/v1/projects", admin)).not.toContain(project);
  expect(await idsAt("/v1/users", admin)).not.toContain(userId);
  expect((await ask("GET", "/v1/whoami", { secret: theirs })).status).toBe(200);
});

test("a project that holds leases stays", async () => {
  const id = idOf(await ask("POST", "/v1/projects", { secret: admin, body: { name: "busy" } }));
  busy.projectId = id;
  expect(await ask("DELETE", `/v1/projects/${id}`, { secret: admin })).toMatchObject({
    status: 409,
    body: { code: "wrong_state", details: { holdings: [{ kind: "leases", count: 1 }] } },
  });
  delete busy.projectId;
  expect((await ask("DELETE", `/v1/projects/${id}`, { secret: admin })).status).toBe(204);
  expect((await ask("DELETE", `/v1/projects/${id}`, { secret: admin })).status).toBe(404);
});

test("an administrator gives a user a role, a key, and takes them away", async () => {
  const user = { name: "Ada", role: "user" };
  const userId = idOf(await ask("POST", "/v1/users", { secret: admin, body: user }));
  expect((await ask("POST", "/v1/users", { secret: admin, body: user })).status).toBe(409);
  const key = await ask("POST", "/v1/api-keys", {
    secret: admin,
    body: { name: "laptop", userId, expiresInDays: 1 },
  });
  const { id: keyId, secret } = withSecret.parse(key.body);
  expect(key.body).toMatchObject({
    userId,
    scope: "all",
    prefix: secret.slice(0, 16),
    lastUsedAt: null,
  });
  expect(await idsAt("/v1/api-keys", secret)).toEqual([keyId]);
  const root = await ask("POST", "/v1/users", { secret: admin, body: { name: "r", role: "root" } });
  expect(root).toMatchObject({ status: 403, body: { code: "forbidden" } });
  await ask("PATCH", `/v1/users/${userId}`, { secret: admin, body: { role: "viewer" } });
  expect((await ask("POST", "/v1/api-keys", { secret, body: { name: "k" } })).status).toBe(403);
  // Used and known to this process until the moment it is revoked.
  expect((await ask("GET", "/v1/whoami", { secret })).status).toBe(200);
  expect((await ask("DELETE", `/v1/api-keys/${keyId}`, { secret: admin })).status).toBe(204);
  expect((await ask("GET", "/v1/whoami", { secret })).status).toBe(401);
});

test("the last administrator stays one", async () => {
  const { userId } = other.administrator;
  for (const body of [{ role: "user" }, { state: "disabled" }]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const answer = await ask("PATCH", `/v1/users/${userId}`, {
      secret: other.administrator.secret,
      body,
    });
    expect(answer).toMatchObject({ status: 409, body: { code: "wrong_state" } });
  }
});

test("root makes a key for an administrator who lost his, but must say for whom", async () => {
  const headers = { "millrace-tenant": "customer" };
  const ask1 = { secret: operator.secret, headers, body: { name: "k" } };
  expect((await ask("POST", "/v1/api-keys", ask1)).status).toBe(400);
  const body = { name: "k", userId: customer.administrator.userId };
  const made = await ask("POST", "/v1/api-keys", { ...ask1, body });
  const { secret } = withSecret.parse(made.body);
  const who = await ask("GET", "/v1/whoami", { secret });
  expect(who.body).toMatchObject({ tenant: { name: "customer" }, user: { name: "admin" } });
});

test("SSH keys are a user's own, each once", async () => {
  const body = { name: "laptop", publicKey: `${keyLine} me@laptop` };
  const made = await ask("POST", "/v1/ssh-keys", { secret: admin, body });
  expect(made).toMatchObject({ status: 201, body: { name: "laptop", publicKey: keyLine } });
  for (const again of [body, { ...body, name: "other" }]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect((await ask("POST", "/v1/ssh-keys", { secret: admin, body: again })).status).toBe(409);
  }
  const user = await api.keyOf("user");
  expect(await idsAt("/v1/ssh-keys", user.secret)).toEqual([]);
  const id = idOf(made);
  expect((await ask("DELETE", `/v1/ssh-keys/${id}`, { secret: user.secret })).status).toBe(404);
  expect((await ask("DELETE", `/v1/ssh-keys/${id}`, { secret: admin })).status).toBe(204);
  const headers = { "millrace-tenant": "customer" };
  const byRoot = await ask("POST", "/v1/ssh-keys", { secret: operator.secret, headers, body });
  expect(byRoot.status).toBe(403);
});
