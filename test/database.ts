/**
 * A real PostgreSQL for tests: one server per test run, started by the first test file that needs
 * it; the migrations are applied once, to a template, and each test file works on its own clone.
 *
 *     const { db } = await testDatabase();   // at the top level of the test file
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";
import { afterAll, inject } from "vitest";

import { startEmbedded } from "#db/embedded.ts";
import { migrate } from "#db/migrate.ts";
import { openDb, type Db } from "#db/pool.ts";
import { createObserver, type Observer } from "#observe/observer.ts";

const migrationsDirectory = resolve(import.meta.dirname, "../db/migrations");
const templateName = "millrace_template";
/** Much is started at once, on a machine that may do other things too. */
const startTimeoutMs = 300_000;
const lookMs = 20;
const connectionsMax = 8;

export interface TestDatabase {
  readonly db: Db;
  /** For a second pool, a raw client or a child process. */
  readonly url: string;
  readonly observer: Observer;
}

/** A database of its own with all migrations applied and no rows. Closed when the file ends. */
export async function testDatabase(): Promise<TestDatabase> {
  const url = await emptyDatabase({ template: templateName });
  const observer = createObserver({ level: "silent" });
  const db = openDb({ url, connectionsMax, observer, applicationName: "test" });
  afterAll(() => db.close());
  return { db, url, observer };
}

/** A database without even the migrations, for tests of those. */
export async function emptyDatabase(options: { readonly template?: string } = {}): Promise<string> {
  const serverUrl = await testServer();
  const name = `test_${process.pid}_${process.hrtime.bigint()}`;
  const template = options.template ?? "template1";
  await execute(serverUrl, `create database ${name} template ${template} strategy file_copy`);
  return withDatabase(serverUrl, name);
}

/** The server's address: started here, or by another worker of this run. */
async function testServer(): Promise<string> {
  const directory = inject("databaseDirectory");
  const ready = join(directory, "ready");
  try {
    await mkdir(join(directory, "starting"));
  } catch {
    return waitForServer(ready);
  }
  try {
    const { url } = await startEmbedded({
      directory,
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      signal: AbortSignal.timeout(startTimeoutMs),
      durability: "none",
    });
    await execute(url, `create database ${templateName}`);
    await migrate(withDatabase(url, templateName), migrationsDirectory);
    await publish(ready, { url });
    return url;
  } catch (cause) {
    await publish(ready, { failed: cause instanceof Error ? cause.message : String(cause) });
    throw cause;
  }
}

async function publish(path: string, content: { url: string } | { failed: string }): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(content));
  await rename(`${path}.new`, path);
}

async function waitForServer(ready: string): Promise<string> {
  const deadline = performance.now() + startTimeoutMs;
  for (;;) {
    const text = await readFile(ready, "utf8").catch(() => undefined);
    if (text !== undefined) {
      const said: { url?: string; failed?: string } = JSON.parse(text);
      if (said.url !== undefined) return said.url;
      throw new Error(`The test database did not start: ${said.failed}`);
    }
    if (performance.now() > deadline) throw new Error("The test database did not start in time.");
    await wait(lookMs);
  }
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function withDatabase(url: string, name: string): string {
  return url.replace(/\/[^/]*$/, `/${name}`);
}
