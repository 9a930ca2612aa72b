/** Ports that customers open: what is accepted, who sees it, what platforms are told, and when it ends. */
import { expect, test } from "vitest";
import { z } from "zod";

import { recordSite } from "#catalog/sites.ts";
import { openingsMax, opening as openingShown } from "#contract/schemas/openings.ts";
import { json } from "#db/json.ts";
import { sql } from "#db/sql.ts";
import { endRequest } from "#flow/admit/requests.ts";
import { tellProjectsLoop } from "#openings/loop.ts";
import { projectsToTell } from "#openings/store.ts";
import { decorate } from "#providers/decorate.ts";
import type { ToldProject, ReadCall } from "#providers/provider.ts";
import { openSimulated } from "#providers/simulated/provider.ts";
import { testApi } from "#test/api-server.ts";
import { holdingRows } from "#test/holding-rows.ts";
import { endlessCredit, lease, rent } from "#test/sim/cloud.ts";

import { openingHandlers } from "./openings.ts";

const api = await testApi({ handlers: openingHandlers });
const { ask, db, customer } = api;
const tenantId = customer.tenant.id;
const { secret } = customer.administrator;
const { signal } = new AbortController();
const audited = z.object({ action: z.string(), outcome: z.string() });

await site("cluster-1", { openings: { can: true } });
const projectId = await newProject();
const path = `/v1/projects/${projectId}/openings`;
const https = { port: 443, sources: ["203.0.113.0/24"] };

function site(name: string, capabilities: unknown): Promise<boolean> {
  const rest = { kind: "kubevirt", version: "1", executionReason: "" };
  const said = { ...rest, site: name, execution: "kvm" as const, capabilities };
  return recordSite(db, said, Date.now());
}

async function newProject(): Promise<string> {
  const { body } = await ask("POST", "/v1/projects", {
    secret,
    body: { name: `p-${Math.random().toString(36).slice(2)}` },
  });
  return z.object({ id: z.string() }).parse(body).id;
}

let posted = 0;
function post(body: unknown, to = path, by = secret): ReturnType<typeof ask> {
  posted += 1;
  return ask("POST", to, { secret: by, body, headers: { "idempotency-key": `opening-${posted}` } });
}

async function opened(body: unknown, to = path) {
  const answer = await post(body, to);
  expect(answer).toMatchObject({ status: 201 });
  return openingShown.parse(answer.body);
}

async function listed(of = path): Promise<readonly string[]> {
  const { body } = await ask("GET", of, { secret });
  const { items } = z.object({ items: z.array(openingShown) }).parse(body);
  return items.map(({ id }) => id);
}

async function leaseIn(project: string, name: string): Promise<string> {
  return rent(db, lease({ tenantId, projectId: project }, { name }), endlessCredit);
}

test("what a customer opens is in his list and told to platforms, and gone once he closes it", async () => {
  const told: ReadonlyMap<string, ToldProject>[] = [];
  const provider = decorate(
    Object.assign(openSimulated({ site: "cluster-1", hosts: [] }), {
      tellProjects: (_: ReadCall, all: ReadonlyMap<string, ToldProject>) => {
        told.push(all);
        return Promise.resolve();
      },
    }),
  );
  const loop = tellProjectsLoop({ db, provider });
  const made = await opened({
    ...https,
    sources: ["203.0.113.0/24", "2001:DB8::/32"],
    note: "web",
  });
  expect(made).toMatchObject({ projectId, leaseId: null, protocol: "tcp", port: 443, note: "web" });
  expect(made.sources).toEqual(["203.0.113.0/24", "2001:db8::/32"]);
  expect(await listed()).toEqual([made.id]);
  await loop.pass(signal);
  // As after a restart: the same again.
  await loop.pass(signal);
  const { protocol, port, sources } = made;
  const openings = [{ protocol, port, sources }];
  const all = new Map([[projectId, { openings, serviceClass: "standard" }]]);
  expect(told).toEqual([all, all]);
  expect(await ask("DELETE", `/v1/openings/${made.id}`, { secret })).toMatchObject({ status: 204 });
  expect(await ask("DELETE", `/v1/openings/${made.id}`, { secret })).toMatchObject({ status: 404 });
  expect(await listed()).toEqual([]);
  await loop.pass(signal);
  expect(told.at(-1)).toEqual(new Map());
  const entries = await db.rows(
    sql`select action, outcome from audit_entry where action like 'opening.%' order by id`,
    audited,
  );
  expect(entries.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
    "opening.create done",
    "opening.delete done",
    "opening.delete refused",
  ]);
});

test.each<[unknown, number, string, string]>([
  [{ ...https, port: 22 }, 422, "rule_violation", "the operator's decision"],
  [{ ...https, sources: ["10.0.0.5/8"] }, 422, "rule_violation", "Write 10.0.0.0/8"],
  [{ ...https, port: 0 }, 400, "invalid_request", ""],
  [{ ...https, port: 65_536 }, 400, "invalid_request", ""],
  [{ ...https, protocol: "sctp" }, 400, "invalid_request", ""],
  [{ ...https, sources: [] }, 400, "invalid_request", ""],
  [{ ...https, sources: Array.from({ length: 33 }, (_, n) => `10.${n}.0.0/16`) }, 400, "", ""],
  [{ ...https, leaseId: "00000000-0000-4000-8000-000000000009" }, 404, "not_found", "lease"],
])("%j is refused", async (body, status, code, said) => {
  const answer = await post(body);
  expect(answer.status).toBe(status);
  expect(answer.body).toMatchObject({
    code: expect.stringContaining(code),
    detail: expect.stringContaining(said),
  });
  expect(await listed()).toEqual([]);
});

test("of another customer's project and lease nothing is told", async () => {
  const { body } = await ask("POST", "/v1/tenants", {
    secret: api.operator.secret,
    body: { name: "another" },
  });
  const { administrator } = z
    .object({ administrator: z.object({ secret: z.string() }) })
    .parse(body);
  const made = await opened(https);
  const theirs = administrator.secret;
  expect((await post(https, path, theirs)).status).toBe(404);
  expect((await ask("GET", path, { secret: theirs })).status).toBe(404);
  const gone = await ask("DELETE", `/v1/openings/${made.id}`, { secret: theirs });
  expect(gone.status).toBe(404);
  const viewer = await api.keyOf("viewer", tenantId);
  expect((await post(https, path, viewer.secret)).status).toBe(403);
  expect(await listed()).toEqual([made.id]);
  await ask("DELETE", `/v1/openings/${made.id}`, { secret });
});

test("what is open of a lease ends with it, what is open of a project with that", async () => {
  const other = await newProject();
  const at = `/v1/projects/${other}/openings`;
  const leaseId = await leaseIn(other, "web");
  // Of a lease in another project.
  expect((await post({ ...https, leaseId })).status).toBe(404);
  const ofLease = await opened({ ...https, leaseId }, at);
  const ofProject = await opened({ port: 53, protocol: "udp", sources: ["::/0"] }, at);
  expect(await listed(at)).toEqual([ofLease.id, ofProject.id]);
  expect((await projectsToTell(db)).get(other)).toMatchObject({
    openings: [{ resourceId: leaseId, port: 443 }, { port: 53 }],
  });
  await db.tenant(tenantId, (tx) =>
    endRequest(tx, { tenantId, id: leaseId, at: Date.now(), reason: null }),
  );
  expect(await listed(at)).toEqual([ofProject.id]);
  expect((await post({ ...https, leaseId }, at)).status).toBe(409);
  expect((await ask("DELETE", `/v1/projects/${other}`, { secret })).status).toBe(204);
  expect((await projectsToTell(db)).has(other)).toBe(false);
  expect((await ask("GET", at, { secret })).status).toBe(404);
});

test(`a project has ${openingsMax} open ports at most`, async () => {
  const full = await newProject();
  const at = `/v1/projects/${full}/openings`;
  await db.execute(sql`
    insert into opening (tenant_id, id, project_id, protocol, port, sources, created_at)
    select ${tenantId}, gen_random_uuid(), ${full}, 'tcp', 1000 + n, '{::/0}', now()
      from generate_series(1, ${openingsMax}) n`);
  const { status, body } = await post(https, at);
  expect(status).toBe(403);
  expect(body).toMatchObject({ code: "quota_exceeded", details: { limit: openingsMax } });
});

test("where no site can, it is refused with the reason; where the lease is decides of a lease", async () => {
  const leaseId = await leaseIn(projectId, "here");
  const { newHost } = await holdingRows(db);
  const hostId = await newHost(null);
  await db.execute(sql`update site set retired_at = now() where name <> 'cluster-1'`);
  await site("laptop", { openings: { can: false, because: "no way in" } });
  await db.execute(sql`
    insert into instance (tenant_id, id, request_id, project_id, kind, turn, site, host_id, spec,
      shape, state, state_since, created_at)
    values (${tenantId}, gen_random_uuid(), ${leaseId}, ${projectId}, 'lease', 1, 'laptop',
      ${hostId}, ${json({})}, ${json({})}, 'running', now(), now())`);
  expect(await post({ ...https, leaseId })).toMatchObject({
    status: 422,
    body: { code: "unsupported", detail: "No port can be opened: no way in." },
  });
  // Of all machines of the project: those that it will have at the other site.
  await opened(https);
  await site("cluster-1", { openings: { can: false, because: "not here" } });
  expect((await post(https)).body).toMatchObject({
    code: "unsupported",
    detail: "No port can be opened: not here; no way in.",
  });
});

test("I-DES-02: all projects of a tenant whom the operator calls core are told as strict, when none of his leases shares", async () => {
  const { body } = await ask("POST", "/v1/tenants", {
    secret: api.operator.secret,
    body: { name: "strict" },
  });
  const strictTenant = z
    .object({
      tenant: z.object({ id: z.string(), serviceClass: z.string() }),
      administrator: z.object({ secret: z.string() }),
    })
    .parse(body);
  const { id, serviceClass } = strictTenant.tenant;
  expect(serviceClass).toBe("standard");
  const become = (to: string, by = api.operator.secret) =>
    ask("PATCH", `/v1/tenants/${id}`, { secret: by, body: { serviceClass: to } });
  expect((await become("core", strictTenant.administrator.secret)).status).toBe(403);
  const [project] = await db.rows(
    sql`select id from project where tenant_id = ${id}`,
    z.object({ id: z.string() }),
  );
  const of = { tenantId: id, projectId: project?.id ?? "" };
  const leaseId = await rent(db, lease(of), endlessCredit);
  expect(await become("core")).toMatchObject({ status: 409, body: { code: "wrong_state" } });
  expect((await projectsToTell(db)).has(of.projectId)).toBe(false);
  await db.tenant(id, (tx) =>
    endRequest(tx, { tenantId: id, id: leaseId, at: Date.now(), reason: null }),
  );
  expect(await become("core")).toMatchObject({ status: 200, body: { serviceClass: "core" } });
  const strict = { openings: [], serviceClass: "core" };
  expect((await projectsToTell(db)).get(of.projectId)).toEqual(strict);
  await become("standard");
  expect((await projectsToTell(db)).has(of.projectId)).toBe(false);
});
