/** One process that serves and one that works, as docs/operate/KUBERNETES-INSTALL.md sets them up. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { startApp, type App } from "#app/app.ts";
import { createClient } from "#client/client.ts";
import { readConfig } from "#config/config.ts";
import { createObserver } from "#observe/observer.ts";
import { testDatabase } from "#test/database.ts";

const { url } = await testDatabase();
const scratch = await mkdtemp(join(tmpdir(), "millrace-apart-"));
await chmod(scratch, 0o711);
const running: App[] = [];
afterAll(async () => {
  for (const app of running) await app.close();
  await rm(scratch, { recursive: true, force: true });
});

async function start(role: string, options: readonly string[]): Promise<App> {
  const shared = ["--local", "off", "--storage-directory", join(scratch, "storage")];
  const app = await startApp({
    config: readConfig(["--role", role, ...shared, ...options], { DATABASE_URL: url }),
    dataDirectory: join(scratch, role),
    repositoryRoot: resolve(import.meta.dirname, "../.."),
    observer: createObserver({ level: "silent" }),
  });
  running.push(app);
  return app;
}

let api: App;
let tries = 0;
beforeAll(async () => {
  [api] = await Promise.all([
    start("serve", ["--port", "0", "--metrics-port", "0"]),
    start("work", ["--simulate-gpus", "T4=1"]),
  ]);
});

test("what one process took the other works on, by one database and one storage", async () => {
  const baseUrl = api.url ?? "";
  const operator = createClient({ baseUrl, credential: api.operator?.secret ?? "" });
  tries += 1;
  const made = await operator.call("createTenant", { body: { name: `acme-${tries}` } });
  // An ask that no host could ever hold is refused, and none is known before the first pass.
  await expect.poll(async () => (await operator.call("listHosts")).items.length).toBeGreaterThan(0);
  const forThem = createClient({
    baseUrl,
    credential: api.operator?.secret ?? "",
    tenant: made.tenant.id,
  });
  await forThem.call("createTopUp", { body: { amount: "100.00", reference: "transfer 1" } });
  const customer = createClient({ baseUrl, credential: made.administrator.secret });
  const content = new Blob(["a,b\n1,2\n"]);
  const file = await customer.upload("uploadFile", { query: { name: "data.csv" }, content });
  const job = await customer.call("createJob", {
    body: {
      name: "count",
      flavor: "nano",
      command: ["wc", "data.csv"],
      inputs: [file.id],
      environment: { SIMULATE_SECONDS: "0" },
    },
  });
  const params = { jobId: job.id };
  await expect
    .poll(async () => (await customer.call("getJob", { params })).state)
    .toBe("succeeded");
  const log = await fetch(`${baseUrl}/v1/jobs/${job.id}/log`, {
    headers: { authorization: `Bearer ${made.administrator.secret}` },
  });
  expect(await log.text()).toContain("[simulated]");
});

test("with a port for metrics the API's own has none", async () => {
  expect((await fetch(`${api.url ?? ""}/metrics`)).status).toBe(404);
  expect((await fetch(`${api.url ?? ""}/readyz`)).status).toBe(200);
});
