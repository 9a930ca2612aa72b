/**
 * From a laptop's cloud to one with a database elsewhere, as docs/operate/KUBERNETES-INSTALL.md says:
 * what customers have, owe and were shown is there afterwards, and the metering log goes on.
 */
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import pg from "pg";
import { afterAll, expect, test, vi } from "vitest";
import { z } from "zod";

import { startApp, type App } from "#app/app.ts";
import { backUp } from "#backup/backup.ts";
import { copyDatabase } from "#backup/copy-database.ts";
import { moveDatabase } from "#backup/into-database.ts";
import { restore } from "#backup/restore.ts";
import { createClient, type Client } from "#client/client.ts";
import { readConfig } from "#config/config.ts";
import { createObserver } from "#observe/observer.ts";
import { emptyDatabase, testDatabase } from "#test/database.ts";

// Servers start and stop several times, and each new database gets its tables.
vi.setConfig({ testTimeout: 300_000 });

const repositoryRoot = resolve(import.meta.dirname, "../..");
const migrationsDirectory = join(repositoryRoot, "db/migrations");
const scratch = await mkdtemp(join(tmpdir(), "millrace-move-"));
await chmod(scratch, 0o711);
const running: App[] = [];
afterAll(async () => {
  for (const app of running) await app.close();
  await rm(scratch, { recursive: true, force: true });
});

// With tables and without rows.
const { url: plain } = await testDatabase();
const { url: other } = await testDatabase();

const log = { info: ignore, warn: ignore, error: ignore };
const { signal } = new AbortController();
function ignore(): void {}

async function start(dataDirectory: string, env: Record<string, string> = {}): Promise<App> {
  const app = await startApp({
    config: readConfig(["--port", "0", "--local", "off", "--simulate-gpus", "T4=2"], env),
    dataDirectory,
    repositoryRoot,
    observer: createObserver({ level: "silent" }),
  });
  running.push(app);
  return app;
}

async function close(app: App): Promise<void> {
  running.splice(running.indexOf(app), 1);
  await app.close();
}

/** Rows of some statement, on a connection of its own. */
async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return z.array(z.unknown()).parse((await client.query(text)).rows);
  } finally {
    await client.end();
  }
}

/** What guards the rows: foreign keys, and triggers that are on. */
function guards(url: string): Promise<unknown[]> {
  return query(
    url,
    `select conname as name, pg_get_constraintdef(oid) as definition from pg_constraint where contype = 'f'
      union all select tgname || ' on ' || tgrelid::regclass, tgenabled::text from pg_trigger where not tgisinternal
      order by 1, 2`,
  );
}

async function oneJob(client: Client): Promise<void> {
  const content = new Blob(["a,b\n"]);
  const file = await client.upload("uploadFile", { query: { name: "data.csv" }, content });
  const { id: jobId } = await client.call("createJob", {
    body: {
      name: "count",
      flavor: "nano",
      command: ["true"],
      inputs: [file.id],
      environment: { SIMULATE_SECONDS: "1" },
    },
  });
  await expect
    .poll(async () => (await client.call("getJob", { params: { jobId } })).state)
    .toBe("succeeded");
}

test("a cloud moves to a database elsewhere, and goes on", async () => {
  // Of this try, so that another begins anew.
  const place = await mkdtemp(join(scratch, "try-"));
  await chmod(place, 0o711);
  const home = join(place, "laptop");
  const laptop = await start(home);
  const credential = laptop.operator?.secret ?? "";
  const operator = createClient({ baseUrl: laptop.url ?? "", credential });
  const made = await operator.call("createTenant", { body: { name: "acme" } });
  const tenant = made.tenant.id;
  const key = made.administrator.secret;
  const forThem = createClient({ baseUrl: laptop.url ?? "", credential, tenant });
  // An ask that no host could ever hold is refused, and none is known before the first pass.
  await expect.poll(async () => (await operator.call("listHosts")).items.length).toBeGreaterThan(0);
  await forThem.call("createTopUp", { body: { amount: "100.00", reference: "transfer 1" } });
  await oneJob(createClient({ baseUrl: laptop.url ?? "", credential: key }));
  await close(laptop);

  const archive = join(place, "today.backup");
  await backUp({
    dataDirectory: home,
    archive,
    running: "refuse",
    now: Date.now,
    log,
    signal,
    onProgress: ignore,
  });
  const moved = join(place, "moved");
  const options = { archive, dataDirectory: moved, log, signal, onProgress: ignore };
  const restored = await restore(options);
  const to = await emptyDatabase();
  const stamp = Date.parse("2026-03-04T05:06:07Z");
  const { copied, former } = await moveDatabase({
    dataDirectory: moved,
    to,
    migrationsDirectory,
    now: () => stamp,
    log,
    signal,
  });
  // All that the backup had, but what the migrations wrote there themselves.
  const expected = [...restored.rows].map(([name, count]) => [name.replace("public.", ""), count]);
  expect([...copied]).toEqual(expected.filter(([name]) => name !== "schema_migration"));
  expect(copied.get("stored_file")).toBeGreaterThanOrEqual(2);
  expect(former).toBe(join(moved, "postgres.until-20260304T050607"));
  expect(await readdir(moved)).toContain("keys");

  // Whatever guards the rows of a cloud guards these.
  expect(await guards(to)).toEqual(await guards(plain));
  expect((await guards(to)).length).toBeGreaterThan(100);
  // And it never takes a second one.
  const again = copyDatabase({ from: plain, to, migrationsDirectory, signal });
  await expect(again).rejects.toMatchObject({ code: "conflict" });

  const cluster = await start(moved, { DATABASE_URL: to });
  expect(cluster.operator).toBeUndefined();
  const baseUrl = cluster.url ?? "";
  const customer = createClient({ baseUrl, credential: key });
  const jobs = await customer.call("listJobs");
  expect(jobs.items.map(({ name, state }) => [name, state])).toEqual([["count", "succeeded"]]);
  const stored = (await customer.call("listFiles")).items;
  const file = stored.find(({ name }) => name === "data.csv");
  const bytes = await fetch(`${baseUrl}/v1/files/${file?.id ?? ""}/content`, {
    headers: { authorization: `Bearer ${key}` },
  });
  expect(await bytes.text()).toBe("a,b\n");
  // New rows fit behind the old ones.
  await oneJob(customer);
});

test("what is broken off leaves nothing, and may be done again", async () => {
  const ended = AbortSignal.abort(new Error("Ctrl-C"));
  const options = { from: plain, to: other, migrationsDirectory };
  await expect(copyDatabase({ ...options, signal: ended })).rejects.toThrow("Ctrl-C");
  expect(await guards(other)).toEqual(await guards(plain));
  expect((await copyDatabase({ ...options, signal })).size).toBeGreaterThan(80);
  expect(await guards(other)).toEqual(await guards(plain));
});
