/**
 * Every operation x every role x every state of the credential, through a real server. The handlers
 * answer anything that the contract allows, so that what is tested is the way to them.
 */
import { Readable } from "node:stream";

import { expect, test } from "vitest";
import { z } from "zod";

import type { Operation, Role } from "#contract/operation.ts";
import { operations, type OperationId } from "#contract/operations.ts";
import { mayDo, permissionsOfRole } from "#contract/permissions.ts";
import { role as roleSchema } from "#contract/schemas/identity.ts";
import { sql } from "#db/sql.ts";
import { createTenant } from "#identity/tenants.ts";
import { testApi } from "#test/api-server.ts";
import { addressOf, sampleOf } from "#test/sample.ts";

import type { Handlers, PublicContext } from "./handler.ts";
import { operationIds } from "./route-table.ts";

const roles = roleSchema.options;
const dayMs = 86_400_000;

function sampleAnswer(id: OperationId): unknown {
  const { transport, result }: Operation = operations[id];
  const contentType = "text/plain";
  switch (transport) {
    case "json":
      return sampleOf(result, id);
    case "text":
      return { contentType, body: id };
    case "bytes":
      return { contentType, body: Readable.from([id]) };
    case "events":
      return Readable.from([{ data: id }]);
  }
}

/** Made once: there are thousands of answers, and a schema takes as long to read as a request. */
const jsonAnswers = new Map(
  operationIds
    .filter((id) => operations[id].transport === "json")
    .map((id) => [id, sampleAnswer(id)]),
);

const anyAnswer: Partial<Handlers> = Object.fromEntries(
  operationIds.map((id) => [
    id,
    // oxlint-disable-next-line typescript/no-explicit-any -- answers of all operations in one table
    async (_input: unknown, _context: PublicContext): Promise<any> =>
      jsonAnswers.get(id) ?? sampleAnswer(id),
  ]),
);

const api = await testApi({
  handlers: {
    ...anyAnswer,
    uploadFile: async ({ body }, { commit }) => {
      for await (const chunk of body.stream) z.instanceof(Buffer).parse(chunk);
      const file = operations.uploadFile.result.parse(sampleAnswer("uploadFile"));
      return commit(() => Promise.resolve(file));
    },
  },
  limits: { requestBurstMax: 1e6, requestsPerSecondMax: 1e6 },
});

/** Bodies with rules that their JSON Schema does not say. */
const bodies: Partial<Record<OperationId, unknown>> = {
  createSession: { credential: "mrk_" },
  setPassword: { password: "correct horse battery" },
  acceptInvitation: { code: `mrc_${"A".repeat(43)}`, password: "correct horse battery" },
  voidInvoice: { reason: "wrong" },
  submitApplication: {
    company: "A",
    scale: "1-10",
    monthlyBudget: "1",
    demand: "GPUs",
    contact: "Li",
  },
  publishAgreement: { document: "nda", version: "1", textEn: "a", textZh: "b" },
  createSnapshot: { name: "before the upgrade" },
  createJob: { name: "j", flavor: "small", command: ["true"] },
  resizeLease: { diskGiB: 2 },
  createOpening: { port: 443, sources: ["203.0.113.0/24"] },
  createGroup: { name: "g", flavor: "small", max: 2 },
  createPayment: { amount: "1", method: "bank_transfer" },
  refundPayment: { amount: "1", reason: "closing" },
};

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

/** Well formed in every part, with required fields only. */
function requestFor(id: OperationId): Request {
  const operation: Operation = operations[id];
  const { method, body, requestTransport } = operation;
  const { params, query } = addressOf(operation, id);
  const path = operation.path.replaceAll(/\{\+?(\w+)\}/g, (_, name: string) => params[name] ?? "");
  const needed = new URLSearchParams(query);
  const target = needed.size === 0 ? path : `${path}?${needed.toString()}`;
  if (requestTransport === "bytes") return { method, path: target, body: "content" };
  if (body === undefined) return { method, path: target };
  return { method, path: target, body: bodies[id] ?? sampleOf(body, id) };
}

const requests = operationIds.map((id) => ({ id, ...requestFor(id) }));

interface Attempt {
  readonly secret?: string;
  readonly tenant?: string;
}

/** A few at a time: a connection that takes long to come is another refusal than the one looked for. */
const asksAtOnce = 8;

async function statuses({ secret, tenant }: Attempt): Promise<Record<string, number>> {
  const answers: Record<string, number> = {};
  const waiting = requests.values();
  const asker = async (): Promise<void> => {
    for (const { id, method, path, body } of waiting) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { status } = await api.ask(method, path, {
        headers: tenant === undefined ? {} : { "millrace-tenant": tenant },
        ...(secret === undefined ? {} : { secret }),
        ...(body === undefined ? {} : { body }),
      });
      answers[id] = status;
    }
  };
  await Promise.all(Array.from({ length: asksAtOnce }, asker));
  return answers;
}

/** What the contract's tables say. `refused` is what a caller gets who has the permission. */
function expected(
  role: Role,
  refused: (operation: Operation) => number | undefined,
): Record<string, number> {
  return Object.fromEntries(
    operationIds.map((id) => {
      const operation: Operation = operations[id];
      if (operation.permission === "public") return [id, operation.status];
      if (!mayDo(role, operation.permission)) return [id, 403];
      return [id, refused(operation) ?? operation.status];
    }),
  );
}

function everywhere(status: number): Record<string, number> {
  return Object.fromEntries(
    operationIds.map((id) => {
      const operation: Operation = operations[id];
      return [id, operation.permission === "public" ? operation.status : status];
    }),
  );
}

function changesSomething(operation: Operation): boolean {
  return operation.audit !== undefined;
}

/** One's own sign-in can always be ended; the handlers of the others of `self` say what may not be. */
function readsOnly(operation: Operation): number | undefined {
  return changesSomething(operation) && operation.permission !== "self" ? 403 : undefined;
}

function handsIn(operation: Operation): number | undefined {
  return operation.permission === "usage.write" ? undefined : 403;
}

test("what changes nothing has no audit name, and of other methods than GET only asking what would be", () => {
  const reads = operationIds.filter((id) => !changesSomething(operations[id]));
  expect(reads.filter((id) => operations[id].method !== "GET").toSorted()).toEqual([
    "checkPriceProfile",
    "planFleet",
    "planRequest",
    "quote",
    "quoteOrder",
    "replayPrices",
    "replaySchedule",
  ]);
  const gets = operationIds.filter((id) => operations[id].method === "GET");
  expect(gets.filter((id) => changesSomething(operations[id]))).toEqual([]);
});

test("every role has what the one below it has", () => {
  expect(permissionsOfRole.root).toEqual(
    expect.arrayContaining([...permissionsOfRole.domain_admin]),
  );
});

test("no credential", async () => {
  expect(await statuses({})).toEqual(everywhere(401));
});

test.each(roles)("%s: own tenant", async (role) => {
  const { secret } = await api.keyOf(role);
  expect(await statuses({ secret })).toEqual(expected(role, () => undefined));
});

test.each(roles)("%s: another tenant does not exist, except to root", async (role) => {
  const { secret } = await api.keyOf(role);
  const tenant = role === "root" ? "customer" : "operator";
  const refused = role === "root" ? undefined : 404;
  expect(await statuses({ secret, tenant })).toEqual(expected(role, () => refused));
});

test.each(roles)("%s: a key that may only read", async (role) => {
  const { secret, keyId } = await api.keyOf(role);
  await api.db.execute(sql`update api_key set scope = 'read' where id = ${keyId}`);
  expect(await statuses({ secret })).toEqual(expected(role, readsOnly));
});

test.each(roles)("%s: a key that may only hand in usage", async (role) => {
  const { secret, keyId } = await api.keyOf(role);
  await api.db.execute(sql`update api_key set scope = 'usage.write' where id = ${keyId}`);
  expect(await statuses({ secret })).toEqual(expected(role, handsIn));
});

test.each(roles)("%s: an expired key, a revoked key, a disabled user", async (role) => {
  const { secret, keyId, userId } = await api.keyOf(role);
  const past = new Date(api.clock.now - dayMs);
  await api.db.execute(sql`update api_key set expires_at = ${past} where id = ${keyId}`);
  expect(await statuses({ secret })).toEqual(everywhere(401));
  await api.db.execute(
    sql`update api_key set expires_at = null, revoked_at = ${past} where id = ${keyId}`,
  );
  api.secondLater();
  expect(await statuses({ secret })).toEqual(everywhere(401));
  await api.db.execute(sql`update api_key set revoked_at = null where id = ${keyId}`);
  await api.db.execute(sql`update tenant_user set state = 'disabled' where id = ${userId}`);
  api.secondLater();
  expect(await statuses({ secret })).toEqual(everywhere(401));
});

test.each(roles.filter((role) => role !== "root"))(
  "%s: a suspended tenant reads only",
  async (role) => {
    const name = `suspended-${role.replace("_", "-")}`;
    const { now } = api.clock;
    const { tenant } = await api.db.transaction((tx) => createTenant(tx, { name, now }));
    const { secret } = await api.keyOf(role, tenant.id);
    await api.db.execute(sql`update tenant set state = 'suspended' where id = ${tenant.id}`);
    expect(await statuses({ secret })).toEqual(expected(role, readsOnly));
  },
);
