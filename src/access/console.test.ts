/** Who is refused a console, and what is left of that. The console itself is tested with machines. */
import { v7 as uuid } from "uuid";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";

import { noFront } from "#api/visitor.ts";
import { createObserver } from "#observe/observer.ts";
import { testApi } from "#test/api-server.ts";

import { consoleRelay, type ConsoleRelay } from "./console.ts";

let relay: ConsoleRelay | undefined;
const api = await testApi({
  upgrade: (request, socket, head) => relay?.upgrade(request, socket, head),
});
const observer = createObserver({ level: "silent" });

/** Limits of its own for each test. */
function openRelay(): void {
  relay?.close();
  relay = consoleRelay({
    db: api.db,
    observer,
    providers: [],
    now: () => api.clock.now,
    front: noFront,
  });
}

interface Refused {
  readonly status: number | undefined;
  readonly retryAfter: string | undefined;
}

function ask(leaseId: string, headers: Record<string, string>, query = ""): Promise<Refused> {
  return new Promise((resolve, reject) => {
    const url = `${api.url.replace("http", "ws")}/v1/leases/${leaseId}/console${query}`;
    const socket = new WebSocket(url, "millrace.console", { headers });
    socket.once("open", () => reject(new Error("it was opened")));
    socket.once("error", () => undefined);
    socket.once("unexpected-response", (request, answer) => {
      const { statusCode: status, headers: said } = answer;
      request.destroy();
      resolve({ status, retryAfter: said["retry-after"] });
    });
  });
}

function bearer(secret: string): Record<string, string> {
  return { authorization: `Bearer ${secret}` };
}

const auditPage = z.object({
  items: z.array(
    z.looseObject({ action: z.string(), target: z.string().nullable(), outcome: z.string() }),
  ),
});

async function audited(): Promise<unknown[]> {
  const { secret } = api.customer.administrator;
  const { body } = await api.ask("GET", "/v1/audit", { secret });
  return auditPage.parse(body).items.filter(({ action }) => action === "lease.console");
}

test("a refused console is audited, with who, what and why", async () => {
  openRelay();
  const leaseId = uuid();
  const { secret } = api.customer.administrator;
  expect((await ask(leaseId, bearer(secret))).status).toBe(404);
  expect(await audited()).toMatchObject([
    { target: leaseId, outcome: "refused", actor: "admin", details: { code: "not_found" } },
  ]);

  const viewer = await api.keyOf("viewer");
  expect((await ask(leaseId, bearer(viewer.secret))).status).toBe(403);
  expect(await audited()).toMatchObject([
    {
      target: leaseId,
      outcome: "refused",
      details: { code: "forbidden", permission: "compute.use", kind: "serial" },
    },
    {},
  ]);

  // Another tenant does not exist, and what was tried stays with the one who tried.
  const named = { ...bearer(secret), "millrace-tenant": "operator" };
  expect((await ask(leaseId, named)).status).toBe(404);
  expect(await audited()).toHaveLength(3);
});

test("root names the tenant in the address too, where a page cannot send the header", async () => {
  openRelay();
  const before = (await audited()).length;
  const root = bearer(api.operator.secret);
  expect((await ask(uuid(), root, "?tenant=customer")).status).toBe(404);
  const rows = await audited();
  expect(rows).toHaveLength(before + 1);
  expect(rows[0]).toMatchObject({ actor: "operator/root", outcome: "refused" });
  const { secret } = api.customer.administrator;
  expect((await ask(uuid(), bearer(secret), "?tenant=operator")).status).toBe(404);
});

test("who has no key is told so and leaves no row", async () => {
  openRelay();
  const before = (await audited()).length;
  expect((await ask(uuid(), {})).status).toBe(401);
  expect((await ask(uuid(), bearer(`mrk_000000000000_${"A".repeat(43)}`))).status).toBe(401);
  expect(await audited()).toHaveLength(before);
});

test("a browser comes with its cookie, from a page of this server only", async () => {
  openRelay();
  const { secret } = api.customer.administrator;
  const body = { credential: secret };
  const signedIn = await api.ask("POST", "/v1/sessions", { body });
  const [cookie = ""] = (signedIn.headers.get("set-cookie") ?? "").split(";");
  const own = new URL(api.url).origin;
  const before = (await audited()).length;
  expect((await ask(uuid(), { cookie })).status).toBe(403);
  expect((await ask(uuid(), { cookie, origin: "https://evil.example" })).status).toBe(403);
  expect(await audited()).toHaveLength(before);
  // Who it is, is known; there is no such machine.
  expect((await ask(uuid(), { cookie, origin: own })).status).toBe(404);
  const { id } = z.object({ id: z.string() }).parse(signedIn.body);
  expect((await audited())[0]).toMatchObject({ outcome: "refused", sessionId: id });
  const key = { "sec-websocket-protocol": `millrace.key.${cookie.split("=")[1] ?? ""}` };
  expect((await ask(uuid(), key)).status).toBe(401);
});

test("asking again and again is throttled, and so are the rows about it", async () => {
  openRelay();
  const before = (await audited()).length;
  const { secret } = api.customer.administrator;
  const answers: Refused[] = [];
  for (let count = 0; count < 30; count += 1) answers.push(await ask(uuid(), bearer(secret)));
  const throttled = answers.filter(({ status }) => status === 429);
  expect(throttled.length).toBeGreaterThanOrEqual(5);
  expect(throttled[0]?.retryAfter).toBeDefined();
  expect((await audited()).length - before).toBe(30 - throttled.length);
  // Another key is not held up by it.
  const other = await api.keyOf("user");
  expect((await ask(uuid(), bearer(other.secret))).status).toBe(404);
});

test("an address without a key is throttled too", async () => {
  openRelay();
  const statuses = new Set<number | undefined>();
  for (let count = 0; count < 200 && !statuses.has(429); count += 1) {
    for (const { status } of await Promise.all(
      Array.from({ length: 10 }, () => ask(uuid(), bearer("wrong"))),
    )) {
      statuses.add(status);
    }
  }
  expect(statuses).toEqual(new Set([401, 429]));
});
