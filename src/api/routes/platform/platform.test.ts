import { expect, test } from "vitest";

import { createServer } from "#api/server.ts";
import { openDb } from "#db/pool.ts";
import { createObserver } from "#observe/observer.ts";
import { emptyServices, testApi } from "#test/api-server.ts";

const checks = [{ name: "loops", ok: true, detail: "run" }];
const site = {
  site: "local",
  kind: "local",
  version: "1",
  execution: "emulated",
  executionReason: "no /dev/kvm",
  capabilities: { pause: { can: true }, gpus: { can: false, because: "there are none" } },
  inventoryAt: null,
  reachable: true,
  awaySince: null,
} as const;
const api = await testApi({
  services: {
    system: {
      ...emptyServices.system,
      checks: () => Promise.resolve(checks),
      sites: () => Promise.resolve([site]),
      findings: () =>
        Promise.resolve([
          { severity: "warning", site: null, message: "emulated is slow", advice: null },
        ]),
    },
  },
});

test("ready while every check is, and 503 with the reasons while one is not", async () => {
  expect(await api.ask("GET", "/readyz")).toMatchObject({ status: 200, body: { status: "ready" } });
  checks[0] = { name: "loops", ok: false, detail: "one hangs" };
  expect(await api.ask("GET", "/readyz")).toMatchObject({
    status: 503,
    body: {
      status: "not_ready",
      checks: [
        { name: "database", ok: true },
        { name: "loops", ok: false },
      ],
    },
  });
});

test("healthy without a database, but not ready", async () => {
  const observer = createObserver({ level: "silent" });
  const url = "postgres://nobody:secret@127.0.0.1:1/none";
  const db = openDb({ url, connectionsMax: 1, observer, applicationName: "test" });
  const server = createServer({
    db,
    observer,
    services: emptyServices,
    handlers: {},
    now: Date.now,
  });
  const at = await server.listen({ host: "127.0.0.1", port: 0 });
  try {
    expect((await fetch(`${at}/healthz`)).status).toBe(200);
    const ready = await fetch(`${at}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([
      503,
      expect.not.stringContaining("nobody"),
    ]);
    const secret = `mrk_000000000000_${"A".repeat(43)}`;
    const headers = { authorization: `Bearer ${secret}` };
    const asked = await fetch(`${at}/v1/whoami`, { headers });
    expect([asked.status, asked.headers.get("retry-after")]).toEqual([503, "1"]);
  } finally {
    await server.close();
    await db.close();
  }
});

test("requests are counted by operation and status, never by path", async () => {
  await api.ask("GET", "/v1/tenants/0190c2b4-0000-7000-8000-000000000001");
  await api.ask("GET", "/v1/no/such/path");
  const { text, headers } = await api.ask("GET", "/metrics");
  expect(headers.get("content-type")).toContain("text/plain");
  expect(text).toContain(
    'millrace_http_request_seconds_count{operation="getTenant",status="401"} 1',
  );
  expect(text).toContain('millrace_http_request_seconds_count{operation="none",status="404"} 1');
  expect(text).not.toContain("0190c2b4");
});

test("the document of the API is served", async () => {
  const { body } = await api.ask("GET", "/openapi.json");
  expect(body).toMatchObject({ openapi: "3.1.1", paths: { "/v1/leases": { post: {} } } });
});

test("the operator sees sites, loops and findings; a customer does not", async () => {
  const own = await api.ask("GET", "/v1/system", { secret: api.operator.secret });
  expect(own).toMatchObject({ status: 200, body: { sites: [site], findings: [{}], loops: [] } });
  const theirs = await api.ask("GET", "/v1/system", { secret: api.customer.administrator.secret });
  expect(theirs.status).toBe(403);
});
