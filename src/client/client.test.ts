import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { operations } from "#contract/operations.ts";
import { collect, dropped, failureOf } from "#test/client-outcome.ts";
import { startContractServer, testCredential, type ContractServer } from "#test/contract-server.ts";
import { addressOf, sampleOf } from "#test/sample.ts";

import { createClient, type Client } from "./client.ts";
import { ApiFailure } from "./problem.ts";
import { urlOf } from "./request.ts";

let server: ContractServer;
let client: Client;
const leaseId = "0190c2b4-0000-7000-8000-000000000001";
const retry = { attemptsMax: 5, firstDelayMs: 1, delayMaxMs: 5 };

beforeAll(async () => {
  server = await startContractServer();
  client = createClient({ baseUrl: server.url, credential: testCredential, retry });
});
afterAll(async () => {
  await server.close();
});
beforeEach(() => {
  server.reset();
});

test("a call sends what the contract says and gives back what it promises", async () => {
  const made = await client.call("createLease", { body: { name: "web", flavor: "small" } });
  expect(made.lease.state).toBe("queued");
  expect(server.seen[0]?.body).toMatchObject({ name: "web", image: "tiny", restart: "on-failure" });
  const lease = await client.call("getLease", { params: { leaseId } });
  expect(lease.price.status).toBe("priced");
  // A body whose fields all have defaults may be left out.
  await client.call("stopLease", { params: { leaseId } });
  expect(server.seen[2]?.body).toEqual({ graceSeconds: 30 });
});

test("a number has its place in a path; what is missing there is said", () => {
  const path = "/v1/usage-events/{leafIndex}/proof";
  expect(urlOf("http://h/", path, { params: { leafIndex: 0 } })).toBe(
    "http://h/v1/usage-events/0/proof",
  );
  expect(() => urlOf("http://h", path, { params: { leafIndex: "" } })).toThrow("leafIndex");
});

const idsWithoutBody = Object.keys(operations)
  .filter(isId)
  .filter((id) => operations[id].body === undefined && id !== "uploadFile");

test.each(idsWithoutBody)("%s can be called, and its answer read", async (id) => {
  const address = addressOf(operations[id], id);
  const read = {
    json: async () => client.callLoose(id, address),
    text: async () => client.textLoose(id, address),
    bytes: async () =>
      Buffer.concat(await collect((await client.bytesLoose(id, address)).chunks)).toString(),
    events: async () => (await collect(client.eventsLoose(id, address))).length,
  };
  const { transport, result } = operations[id];
  const answer = await read[transport]();
  const expected = {
    json: result.parse(sampleOf(result, id)),
    text: `text of ${id}\n`,
    bytes: `bytes of ${id}\n`,
    events: 2,
  };
  expect(answer).toEqual(expected[transport]);
  expect(server.seen.map((seen) => seen.id)).toEqual([id]);
});

test("a refusal is a failure with the server's words, code, request id and details", async () => {
  server.answer("createLease", () => ({
    refused: "quota_exceeded",
    detail: "8 of 8 vCPUs are in use; this asks for 2 more.",
    details: { limit: 8, used: 8, ask: 2 },
  }));
  const failure = await failureOf(
    client.call("createLease", { body: { name: "web", flavor: "small" } }),
  );
  expect(failure).toBeInstanceOf(ApiFailure);
  expect(failure).toMatchObject({
    code: "quota_exceeded",
    message: "8 of 8 vCPUs are in use; this asks for 2 more.",
    requestId: "req-test-1",
    details: { limit: 8, used: 8, ask: 2 },
  });
});

test("a code of a newer server is kept, and counts as the nearest of its status", async () => {
  server.answer("whoami", () => ({ refused: "tenant_frozen", status: 409 }));
  const failure = await failureOf(client.call("whoami"));
  expect(failure).toMatchObject({ code: "conflict", problemCode: "tenant_frozen", status: 409 });
});

test("an answer that is not Millrace's is told apart", async () => {
  server.answer("whoami", () => ({
    raw: (_request, response) => {
      response.writeHead(502, { "content-type": "text/html" }).end("<h1>Bad gateway</h1>");
    },
  }));
  const failure = await failureOf(client.call("whoami"));
  expect(failure.code).toBe("unavailable");
  expect(failure.message).toContain("502 Bad Gateway: <h1>Bad gateway</h1>");
  server.answer("whoami", () => ({
    raw: (_request, response) => {
      response.writeHead(200, { "content-type": "application/json" }).end('{"tenant":1}');
    },
  }));
  expect((await failureOf(client.call("whoami"))).message).toContain("of the same version");
});

test("a redirect is not followed with the credential", async () => {
  server.answer("whoami", () => ({
    raw: (_request, response) => {
      response.writeHead(307, { location: "http://127.0.0.1:1/" }).end();
    },
  }));
  expect((await failureOf(client.call("whoami"))).message).toContain("redirects to");
});

test("a POST whose answer is lost is sent again with its key, and takes effect once", async () => {
  let tries = 0;
  server.answer("createLease", (_seen, sample) => {
    tries += 1;
    if (tries < 3) return { raw: (_request, response) => dropped(response) };
    return { result: sample };
  });
  await client.call("createLease", { body: { name: "web", flavor: "small" } });
  const keys = new Set(server.seen.map((seen) => seen.headers["idempotency-key"]));
  expect(server.seen).toHaveLength(3);
  expect(keys.size).toBe(1);
  expect(server.effects).toEqual(["createLease"]);
  await client.call("createLease", { body: { name: "web", flavor: "small" } });
  expect(server.seen[3]?.headers["idempotency-key"]).not.toBe([...keys][0]);
});

test("the caller's own key is sent, and asks for the effect once", async () => {
  const options = { idempotencyKey: "my-own-key-0123456789" };
  const body = { name: "web", flavor: "small" };
  const first = await client.call("createLease", { body }, options);
  expect(await client.call("createLease", { body }, options)).toEqual(first);
  expect(server.effects).toEqual(["createLease"]);
});

test("503 is sent again only when it says when", async () => {
  server.answer("whoami", () =>
    server.seen.length < 3 ? { refused: "unavailable", retryAfter: "0" } : undefined,
  );
  await client.call("whoami");
  expect(server.seen).toHaveLength(3);
  server.reset();
  server.answer("whoami", () => ({ refused: "capacity" }));
  expect((await failureOf(client.call("whoami"))).code).toBe("capacity");
  expect(server.seen).toHaveLength(1);
});

test("retries are bounded in number and in time", async () => {
  server.answer("whoami", () => ({ raw: (_request, response) => dropped(response) }));
  const failure = await failureOf(client.call("whoami"));
  expect(failure.code).toBe("unavailable");
  expect(failure.message).toMatch(/^Cannot reach http:\/\/127\.0\.0\.1:\d+: .+\. Check the URL/);
  expect(server.seen).toHaveLength(retry.attemptsMax);
  server.reset();
  server.answer("whoami", () => ({ refused: "unavailable", retryAfter: "3600" }));
  await failureOf(client.call("whoami"));
  expect(server.seen).toHaveLength(1);
});

test("a deletion that a lost answer had done is done, not missing", async () => {
  server.answer("deleteFile", () =>
    server.seen.length === 1
      ? { raw: (_request, response) => dropped(response) }
      : { refused: "not_found" },
  );
  await client.call("deleteFile", { params: { fileId: leaseId } });
  expect((await failureOf(client.call("deleteFile", { params: { fileId: leaseId } }))).code).toBe(
    "not_found",
  );
});

test("a silent server ends in a timeout, an aborted call in its reason", async () => {
  server.answer("whoami", () => ({ raw: () => undefined }));
  expect((await failureOf(client.call("whoami", {}, { timeoutMs: 50 }))).code).toBe("timeout");
  const controller = new AbortController();
  const reason = new Error("enough");
  const call = client.call("whoami", {}, { signal: controller.signal });
  controller.abort(reason);
  await expect(call).rejects.toBe(reason);
});

test("a server that is asked to wait has its time to answer after that", async () => {
  server.answer("getOperation", () => ({ raw: () => undefined }));
  const hasty = createClient({ baseUrl: server.url, credential: testCredential, timeoutMs: 50 });
  const startedAt = performance.now();
  const call = hasty.call("getOperation", {
    params: { operationId: leaseId },
    query: { waitSeconds: 1 },
  });
  expect((await failureOf(call)).message).toContain("within 1.1 s");
  expect(performance.now() - startedAt).toBeGreaterThan(1_000);
});

test("a list is walked over all its pages, up to a limit", async () => {
  server.answer("listLeases", (seen, sample) => {
    const at = Number(seen.query["cursor"] ?? 0);
    const items = itemsOf(sample).slice(0, 1);
    return { result: at < 3 ? { items, next: String(at + 1) } : { items } };
  });
  expect(await collect(client.items("listLeases"))).toHaveLength(4);
  expect(server.seen.map((seen) => seen.query["limit"])).toEqual([200, 200, 200, 200]);
  server.seen.length = 0;
  expect(await collect(client.items("listLeases", {}, { itemsMax: 2 }))).toHaveLength(2);
  expect(server.seen).toHaveLength(2);
});

test("a list that leads back to itself ends", async () => {
  server.answer("listLeases", (_seen, sample) => ({
    result: { items: itemsOf(sample), next: "same" },
  }));
  const walk = collect(client.items("listLeases"));
  expect((await failureOf(walk)).message).toContain("the page itself");
});

test("the tenant that the operator acts for is named", async () => {
  const acting = createClient({ baseUrl: server.url, credential: testCredential, tenant: "acme" });
  await acting.call("getBalance");
  expect(server.seen[0]?.headers["millrace-tenant"]).toBe("acme");
});

test("a base URL that is none is refused at once", () => {
  expect(() => createClient({ baseUrl: "ftp://x" })).toThrow("no URL of a server");
  expect(() => createClient({ baseUrl: "" })).toThrow("no URL of a server");
});

function isId(id: string): id is keyof typeof operations {
  return Object.hasOwn(operations, id);
}

function itemsOf(sample: unknown): unknown[] {
  return operations.listLeases.result.parse(sample).items;
}
