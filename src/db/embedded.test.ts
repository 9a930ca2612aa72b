/**
 * The embedded server's promises, on servers of this file's own: durable, one per directory,
 * damage is named.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { access, chmod, mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, describe, expect, test, vi } from "vitest";

import { startEmbedded, type Embedded, type EmbeddedOptions } from "./embedded.ts";
import { damagedFile } from "./embedded-damage.ts";
import { findPostmaster, waitUntil } from "./embedded-postmaster.ts";
import { checkPages } from "./page-checksum.ts";

// Several servers start and stop in each of these.
vi.setConfig({ testTimeout: 90_000 });

const scratch = await mkdtemp(join(tmpdir(), "millrace-embedded-"));
await chmod(scratch, 0o711);
const running = new Set<Embedded>();
afterAll(async () => {
  await Promise.all([...running].map((embedded) => embedded.stop()));
  await rm(scratch, { recursive: true, force: true });
});

async function start(name: string, options: Partial<EmbeddedOptions> = {}): Promise<Embedded> {
  const embedded = await startEmbedded({
    directory: join(scratch, name),
    log: { info: ignore, warn: ignore, error: ignore },
    signal: new AbortController().signal,
    ...options,
  });
  running.add(embedded);
  return embedded;
}

function ignore(): void {}

async function ask(url: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", ignore);
  await client.connect();
  try {
    return (await client.query({ text: statement, rowMode: "array" })).rows;
  } finally {
    await client.end();
  }
}

/** Fills a few pages; returns the table's file. */
async function makeTable(embedded: Embedded, name: string): Promise<string> {
  await ask(embedded.url, `create table ${name} as select n from generate_series(1, 1000) n`);
  return String((await ask(embedded.url, `select pg_relation_filepath('${name}')`))[0]);
}

/** Asks until the server has restarted, and returns what the statement failed with. */
async function askWhenBack(url: string, statement: string): Promise<unknown> {
  return waitUntil(30_000, undefined, async () => {
    const error: unknown = await ask(url, statement).catch((cause: unknown) => cause);
    const isBack = error instanceof pg.DatabaseError && !(error.code ?? "").startsWith("57");
    return isBack ? error : undefined;
  });
}

async function serverPid(embedded: Embedded): Promise<number> {
  return (await findPostmaster(embedded.cluster))?.pid ?? 0;
}

describe("life", () => {
  test("made once, durable, with checksums, closed to the network, at one address", async () => {
    const first = await start("life");
    expect(first.outcome).toBe("created");
    const settings = await ask(
      first.url,
      `select name, setting from pg_settings where name in
        ('data_checksums', 'fsync', 'full_page_writes', 'listen_addresses', 'synchronous_commit')
        order by name`,
    );
    expect(settings).toEqual([
      ["data_checksums", "on"],
      ["fsync", "on"],
      ["full_page_writes", "on"],
      ["listen_addresses", ""],
      ["synchronous_commit", "on"],
    ]);
    await ask(first.url, "create table kept as select 7 as n");
    await first.stop();
    await first.stop();
    expect(await findPostmaster(first.cluster)).toBeUndefined();

    const second = await start("life");
    expect(second.outcome).toBe("started");
    expect(second.url).toBe(first.url);
    expect(await ask(second.url, "select n from kept")).toEqual([[7]]);
    await second.stop();
  });

  test("a server that outlived a killed program is taken over, not doubled", async () => {
    const program = spawn(
      process.execPath,
      [
        "--conditions=source",
        "--input-type=module",
        "--eval",
        `const { startEmbedded } = await import(process.argv[1]);
         const say = () => {};
         const { url } = await startEmbedded({ directory: process.argv[2],
           log: { info: say, warn: say, error: say }, signal: new AbortController().signal });
         console.log(url);
         setInterval(say, 1000);`,
        join(import.meta.dirname, "embedded.ts"),
        join(scratch, "adopted"),
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const [url] = await once(program.stdout, "data");
    const cluster = join(scratch, "adopted/cluster");
    const before = await findPostmaster(cluster);
    program.kill("SIGKILL");
    await once(program, "exit");

    const mine = await start("adopted");
    expect(mine.outcome).toBe("adopted");
    expect(mine.url).toBe(String(url).trim());
    expect(await serverPid(mine)).toBe(before?.pid);
    expect(await ask(mine.url, "select 1")).toEqual([[1]]);
    await mine.stop();
    expect(await findPostmaster(cluster)).toBeUndefined();
  });

  test("a server that is killed comes back by itself with what was committed", async () => {
    const embedded = await start("killed");
    await ask(embedded.url, "create table kept as select 7 as n");
    const pid = await serverPid(embedded);
    process.kill(pid, "SIGKILL");
    const next = await waitUntil(30_000, undefined, async () => {
      const found = await findPostmaster(embedded.cluster);
      return found !== undefined && found.pid !== pid && found.state === "ready"
        ? found
        : undefined;
    });
    expect(next?.pid).toBeGreaterThan(0);
    expect(await ask(embedded.url, "select n from kept")).toEqual([[7]]);
    await embedded.stop();
    expect(await findPostmaster(embedded.cluster)).toBeUndefined();
  });

  test("a postmaster.pid that names somebody else's process is stale", async () => {
    const embedded = await start("stale");
    await embedded.stop();
    await writeFile(
      join(embedded.cluster, "postmaster.pid"),
      `${process.pid}\n${embedded.cluster}\n0\n5432\n/nowhere\n\n1 1\nready   \n`,
    );
    const again = await start("stale");
    expect(again.outcome).toBe("started");
    await again.stop();
  });

  test("a start that is broken off leaves no half cluster and no process", async () => {
    const abort = new AbortController();
    const starting = start("aborted", { signal: abort.signal });
    const cluster = join(scratch, "aborted/cluster");
    await waitUntil(10_000, undefined, async () =>
      access(`${cluster}.new`).then(
        (): true => true,
        () => undefined,
      ),
    );
    abort.abort(new Error("enough"));
    await expect(starting).rejects.toThrow("enough");
    await expect(access(cluster)).rejects.toThrow("ENOENT");
    const whole = await start("aborted");
    expect(whole.outcome).toBe("created");
    await whole.stop();
  });
});

async function overwrite(path: string, offset: number, bytes: number): Promise<void> {
  const file = await open(path, "r+");
  await file.write(Buffer.alloc(bytes, 0xa5), 0, bytes, offset);
  await file.close();
}

describe("damage", () => {
  test("a page damaged under the running server: the query fails, the file is known", async () => {
    const embedded = await start("page", { durability: "none" });
    const file = await makeTable(embedded, "books");
    await ask(embedded.adminUrl, "checkpoint");
    process.kill(await serverPid(embedded), "SIGKILL");
    await overwrite(join(embedded.cluster, file), 4_000, 100);
    const error = await askWhenBack(embedded.url, "select count(*) from books");
    expect(error).toBeInstanceOf(pg.DatabaseError);
    expect(damagedFile(String(error))).toBe(file);
    await embedded.stop();
  });

  test("a page damaged while the server was stopped: the start is refused", async () => {
    const embedded = await start("stopped-page", { durability: "none" });
    const file = await makeTable(embedded, "books");
    await embedded.stop();
    const { pages, damaged } = await checkPages(embedded.cluster, AbortSignal.timeout(30_000));
    expect(pages).toBeGreaterThan(1_000);
    expect(damaged).toEqual([]);
    await overwrite(join(embedded.cluster, file), 8_192 + 4_000, 1);
    await expect(start("stopped-page")).rejects.toMatchObject({
      code: "internal",
      message: expect.stringContaining(`the file ${file} in ${embedded.cluster}`),
    });
    expect(await findPostmaster(embedded.cluster)).toBeUndefined();
  });

  test.for(["global/pg_control", "PG_VERSION", "global/pg_filenode.map"])(
    "a damaged %s: the start is refused, the file named, nothing changed",
    async (name) => {
      const directory = name.replaceAll("/", "-");
      const embedded = await start(directory, { durability: "none" });
      await embedded.stop();
      const path = join(embedded.cluster, name);
      if (name === "PG_VERSION") await rm(path);
      else await overwrite(path, 0, 64);
      const before = await readFile(path).catch(() => undefined);
      await expect(start(directory)).rejects.toMatchObject({
        code: "internal",
        message: expect.stringMatching(
          new RegExp(`damaged[^]*${name.split("/").at(-1)}|${name}[^]*damaged`),
        ),
      });
      await expect(start(directory)).rejects.toMatchObject({
        message: expect.stringContaining("Restore the database from a backup"),
      });
      expect(await readFile(path).catch(() => undefined)).toEqual(before);
      expect(await findPostmaster(embedded.cluster)).toBeUndefined();
    },
  );
});

test("a full disk fails statements; when there is room again, everything committed is there", async ({
  skip,
  onTestFinished,
}) => {
  const path = join(scratch, "full");
  await mkdir(path);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=160m,mode=711", "none", path]);
  if (mounted.status !== 0) skip("a small file system cannot be mounted here");
  onTestFinished(() => void spawnSync("umount", ["--lazy", path]));
  const embedded = await start("full");
  onTestFinished(() => embedded.stop());
  await ask(embedded.url, "create table kept (n int)");
  const filler = join(path, "filler");
  spawnSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=1M"]);
  let committed = 0;
  const failure = await waitUntil(60_000, undefined, async () =>
    ask(embedded.url, "insert into kept select generate_series(1, 20000)").then(
      () => {
        committed += 20_000;
        return undefined;
      },
      (cause: unknown) => cause,
    ),
  );
  expect(failure).toBeDefined();
  await rm(filler);
  const rows = await waitUntil(60_000, undefined, async () =>
    ask(embedded.url, "select count(*)::int from kept").catch(() => undefined),
  );
  expect(rows).toEqual([[committed]]);
  await ask(embedded.url, "insert into kept values (1)");
});
