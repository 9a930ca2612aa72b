import { request as httpRequest } from "node:http";
import { connect } from "node:net";

import { expect, test } from "vitest";
import { z } from "zod";

import { problem } from "#contract/schemas/common.ts";
import { Failure } from "#kernel/failure.ts";
import { createObserver } from "#observe/observer.ts";
import { emptyServices, testApi, type Answer } from "#test/api-server.ts";

import { createServer } from "./server.ts";

const api = await testApi({
  handlers: {
    // Outcomes that the other parts of the program may have.
    listOffers: () => Promise.reject(new Error("the password is hunter2")),
    getBalance: () =>
      Promise.reject(new Failure("quota_exceeded", "no", { details: { limit: 8n } })),
    // What the contract does not have.
    getQuota: () => Promise.resolve(JSON.parse('{"limits":1}')),
  },
});
const { ask, operator, customer } = api;
const secret = customer.administrator.secret;

const pageShape = z.object({
  items: z.array(z.object({ name: z.string() })),
  next: z.string().optional(),
});

function problemOf(answer: Answer): ReturnType<typeof problem.parse> {
  expect(answer.headers.get("content-type")).toMatch("application/problem+json");
  const parsed = problem.parse(answer.body);
  expect(parsed.status).toBe(answer.status);
  expect(parsed.requestId).toBe(answer.headers.get("x-request-id"));
  return parsed;
}

test("who calls is told what the credential may do", async () => {
  const answer = await ask("GET", "/v1/whoami", { secret });
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({
    tenant: { name: "customer" },
    user: { name: "admin", role: "domain_admin" },
    key: { scope: "all", expiresAt: null },
  });
});

test("malformed JSON, a missing body and the wrong type of body are told apart", async () => {
  const path = "/v1/projects";
  const malformed = await ask("POST", path, { secret, body: '{"name": "a' });
  expect(problemOf(malformed)).toMatchObject({ status: 400, code: "invalid_request" });
  const prototype = await ask("POST", path, { secret, body: '{"__proto__": {"a": 1}}' });
  expect(problemOf(prototype)).toMatchObject({ status: 400 });
  const missing = await ask("POST", path, { secret });
  expect(problemOf(missing).details).toEqual({
    fields: [{ in: "body", path: "name", message: "is required" }],
  });
  const headers = { "content-type": "text/plain" };
  const text = await ask("POST", path, { secret, body: "name=a", headers });
  expect(problemOf(text)).toMatchObject({ status: 415, code: "unsupported_media_type" });
  const form = await ask("POST", path, { secret, body: "{}", headers: { "content-type": "" } });
  expect(form.status).toBe(415);
});

test("each wrong field is named, unknown ones too", async () => {
  const body = { name: "No Good", nmae: 1, timeZone: 5 };
  const answer = await ask("POST", "/v1/tenants?dry=1", { secret: operator.secret, body });
  expect(problemOf(answer).details["fields"]).toEqual([
    { in: "query", path: "dry", message: "unknown field" },
    { in: "body", path: "name", message: "lower-case letters, digits and '-', first a letter" },
    { in: "body", path: "timeZone", message: expect.stringContaining("expected string") },
    { in: "body", path: "nmae", message: "unknown field" },
  ]);
});

test.each([
  ["an id that is none", "/v1/tenants/1", "tenantId"],
  ["a limit of 0", "/v1/users?limit=0", "limit"],
  ["a limit of 201", "/v1/users?limit=201", "limit"],
  ["a limit that is no number", "/v1/users?limit=1e999", "limit"],
  ["a parameter given twice", "/v1/users?cursor=a&cursor=b", "cursor"],
  ["a cursor of nobody's", "/v1/users?cursor=abc", "cursor"],
  ["a NUL in the query", "/v1/users?cursor=a%00", "cursor"],
])("%s is refused", async (_, path, field) => {
  const fields = problemOf(await ask("GET", path, { secret })).details["fields"];
  expect(fields).toMatchObject([{ path: field }]);
});

test("text that no column holds is refused, not stored", async () => {
  const path = "/v1/users";
  for (const name of ["a\0b", "a\u2028b", "a\nb"]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const answer = await ask("POST", path, { secret, body: { name, role: "user" } });
    expect(problemOf(answer).details["fields"]).toMatchObject([{ path: "name" }]);
  }
  const half = await ask("POST", path, { secret, body: '{"name":"\\ud800","role":"user"}' });
  expect(problemOf(half).details["fields"]).toMatchObject([
    { message: "is not well-formed Unicode" },
  ]);
  const deep = `{"name":${"[".repeat(9999)}${"]".repeat(9999)}}`;
  expect(problemOf(await ask("POST", path, { secret, body: deep })).status).toBe(400);
});

test("quotes and shell characters in names come back as they were", async () => {
  const name = `O'Brien "$(rm -rf /)"; drop table tenant_user; -- ü 你好`;
  const answer = await ask("POST", "/v1/users", { secret, body: { name, role: "viewer" } });
  expect(answer).toMatchObject({ status: 201, body: { name } });
});

test("a body beyond the limit is 413, and the answer arrives", async () => {
  for (const size of [2 ** 20, 10 * 2 ** 20]) {
    const body = JSON.stringify({ name: "a".repeat(size) });
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const answer = await ask("POST", "/v1/projects", { secret, body });
    expect(problemOf(answer)).toMatchObject({ status: 413, code: "payload_too_large" });
  }
  // Sent in chunks, so that no length announces it; and without a credential.
  expect(await postChunks("/v1/projects", 10, secret)).toBe(413);
  expect(await postChunks("/v1/projects", 10, undefined)).toBe(401);
});

async function postChunks(
  path: string,
  mebibytes: number,
  key: string | undefined,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const request = httpRequest(`${api.url}${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    },
  });
  request.on("response", (response) => {
    response.resume();
    resolve(response.statusCode ?? 0);
  });
  request.on("error", reject);
  for (let sent = 0; sent < mebibytes; sent += 1) request.write("a".repeat(2 ** 20));
  request.end();
  return promise;
}

test("an unknown path is 404, a wrong method 405 with what is allowed", async () => {
  expect(problemOf(await ask("GET", "/v1/nothing", { secret })).code).toBe("not_found");
  const wrong = await ask("PUT", "/v1/tenants", { secret });
  expect(problemOf(wrong)).toMatchObject({ status: 405, code: "method_not_allowed" });
  expect(wrong.headers.get("allow")).toBe("GET, HEAD, POST");
  const removed = await ask("DELETE", "/v1/projects", { secret });
  expect(removed.headers.get("allow")).toBe("GET, HEAD, POST");
  const stream = await ask("HEAD", "/v1/events", { secret });
  expect(stream.headers.get("allow")).toBe("GET");
  expect((await ask("GET", "/v1/users/%zz", { secret })).status).toBe(400);
  expect((await ask("GET", "/v1/whoami/", { secret })).status).toBe(404);
});

test("HEAD is GET without the body", async () => {
  const head = await ask("HEAD", "/v1/whoami", { secret });
  expect(head.status).toBe(200);
  expect(head.text).toBe("");
  expect(Number(head.headers.get("content-length"))).toBeGreaterThan(100);
});

test("without a credential it is 401, and it says how to send one", async () => {
  const wrong = [undefined, "Basic abc", "Bearer", "Bearer a b", "mrk_x"];
  for (const authorization of wrong) {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const answer = await ask("GET", "/v1/whoami", { headers });
    expect(problemOf(answer)).toMatchObject({ status: 401, code: "unauthenticated" });
    expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="millrace"');
  }
});

test("a well-formed request id of the caller is kept, another is replaced", async () => {
  const kept = await ask("GET", "/healthz", { headers: { "x-request-id": "caller-0001" } });
  expect(kept.headers.get("x-request-id")).toBe("caller-0001");
  const replaced = await ask("GET", "/healthz", { headers: { "x-request-id": 'a"b{}' } });
  expect(replaced.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
});

test("what fails inside says nothing but the request id, under which the log has the cause", async () => {
  const answer = await ask("GET", "/v1/offers", { secret });
  const { requestId, code } = problemOf(answer);
  expect(code).toBe("internal");
  expect(answer.text).not.toContain("hunter2");
  const logged = api.logged.find((line) => line["requestId"] === requestId && line["level"] === 50);
  expect(JSON.stringify(logged)).toContain("hunter2");
});

test("an answer that the contract does not have is our fault: 500", async () => {
  expect(problemOf(await ask("GET", "/v1/quota", { secret })).code).toBe("internal");
});

test("numbers in a refusal are there for programs, also those beyond JSON's", async () => {
  const answer = await ask("GET", "/v1/balance", { secret });
  expect(problemOf(answer)).toMatchObject({ code: "quota_exceeded", details: { limit: "8" } });
});

test("an operation that nobody serves says so", async () => {
  const answer = await ask("GET", "/v1/leases", { secret });
  expect(problemOf(answer)).toMatchObject({ status: 503, code: "unavailable" });
  expect(answer.headers.get("retry-after")).toBe("1");
});

test("no answer may be stored, framed or guessed at", async () => {
  for (const path of ["/healthz", "/v1/nothing", "/v1/whoami"]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { headers } = await ask("GET", path);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
  }
});

test("bytes that are not HTTP are answered and the connection ends", async () => {
  const { hostname, port } = new URL(api.url);
  const socket = connect(Number(port), hostname);
  socket.end("hello\r\n\r\n");
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  expect(text).toMatch(/^HTTP\/1\.1 400 [^]*problem\+json[^]*invalid_request/);
});

function usersOf(tenant: string, by: string): Promise<Answer> {
  return ask("GET", "/v1/users", { secret: by, headers: { "millrace-tenant": tenant } });
}

test("root acts for a tenant by id or name; to others that tenant does not exist", async () => {
  for (const tenant of ["customer", customer.tenant.id]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const answer = await usersOf(tenant, operator.secret);
    expect(answer.text).toContain('"admin"');
  }
  expect((await usersOf("customer", secret)).status).toBe(200);
  for (const [who, tenant] of [
    [secret, "operator"],
    [secret, "nobody"],
    [operator.secret, "nobody"],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(problemOf(await usersOf(tenant, who))).toMatchObject({ code: "not_found" });
  }
});

test("lists are read page by page, and a changed cursor is refused", async () => {
  const path = "/v1/projects";
  for (const name of ["p1", "p2", "p3", "p4"]) {
    // oxlint-disable-next-line no-await-in-loop -- in this order
    await ask("POST", path, { secret, body: { name } });
  }
  const names: string[] = [];
  let cursor = "";
  let pages = 0;
  do {
    // oxlint-disable-next-line no-await-in-loop -- each names the next
    const { body } = await ask("GET", `${path}?limit=2${cursor}`, { secret });
    const page = pageShape.parse(body);
    names.push(...page.items.map(({ name }) => name));
    cursor = page.next === undefined ? "" : `&cursor=${page.next}`;
    pages += 1;
  } while (cursor !== "");
  expect(names).toEqual(["default", "p1", "p2", "p3", "p4"]);
  expect(pages).toBe(3);
});

test("the rate of a key is limited, and the answer says when to come back", async () => {
  const slow = await testApi({ limits: { requestBurstMax: 3, requestsPerSecondMax: 1 } });
  const mine = slow.customer.administrator.secret;
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => slow.ask("GET", "/v1/whoami", { secret: mine })),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
  const throttled = answers.find(({ status }) => status === 429);
  expect(throttled?.headers.get("retry-after")).toBe("1");
  // Others are not held up.
  const other = await slow.ask("GET", "/v1/whoami", { secret: slow.operator.secret });
  expect(other.status).toBe(200);
});

test("a port that is taken is said so", async () => {
  const second = createServer({
    db: api.db,
    observer: createObserver({ level: "silent" }),
    services: emptyServices,
    handlers: {},
    now: () => 0,
  });
  const port = Number(new URL(api.url).port);
  await expect(second.listen({ host: "127.0.0.1", port })).rejects.toThrow("in use");
  await second.close();
});
