/** Looks at the machine. Nothing here changes anything or takes longer than a few seconds. */
import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, open, readFile, stat } from "node:fs/promises";
import { connect } from "node:net";
import { cpus, totalmem } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { z } from "zod";

import { closedToOthers, freeBytes, lockHolder } from "#config/data-directory.ts";
import { findEmbedded } from "#db/embedded-find.ts";
import { wasStoppedCleanly } from "#db/embedded-damage.ts";
import { checkPages } from "#db/page-checksum.ts";
import { hostPackages } from "#providers/local/image/host-packages.ts";

import { executionWithoutProbe, probeMachine } from "./probe.ts";
import type { DataFacts, DatabaseFacts, Facts, PageFacts } from "./facts.ts";
import { readSites } from "./sites.ts";

export interface GatherOptions {
  readonly dataDirectory: string;
  readonly databaseUrl: string | undefined;
  readonly port: number;
  /** Where guest images are kept; a probe machine is booted from one. */
  readonly imageCache: string;
}

const run = promisify(execFile);
const programTimeoutMs = 10_000;
const answerTimeoutMs = 3_000;

export async function gather(options: GatherOptions): Promise<Facts> {
  const data = await lookAtData(options.dataDirectory);
  const [qemu, missing, kvmDevice, limits, available, takenBy, database] = await Promise.all([
    qemuVersion(),
    missingPackages(),
    deviceState("/dev/kvm"),
    cgroupState(),
    availableMemory(),
    whoListens(options.port),
    lookAtDatabase(options),
  ]);
  return {
    node: process.version,
    qemu,
    missing,
    kvmDevice,
    execution:
      (await probeMachine(options.imageCache)) ??
      executionWithoutProbe(kvmDevice, qemu !== undefined),
    ...limits,
    cpus: cpus().length,
    memoryBytes: { total: totalmem(), available },
    port: { number: options.port, takenBy },
    data,
    database,
  };
}

/** Reads every page of the embedded database. */
export async function readPages(
  dataDirectory: string,
  database: DatabaseFacts,
  signal: AbortSignal,
): Promise<PageFacts> {
  const isHere =
    database.kind === "stopped" || (database.kind === "answers" && database.where === "embedded");
  if (!isHere) return { because: "there is no embedded database" };
  const cluster = join(dataDirectory, "postgres/cluster");
  if (database.kind === "stopped" && !(await wasStoppedCleanly(cluster))) {
    return { because: "it was not stopped cleanly; its next start repairs them" };
  }
  const { pages, damaged } = await checkPages(cluster, signal);
  return { pages, damaged: damaged.map((page) => `${page.file} block ${page.block}`) };
}

async function qemuVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await run("qemu-system-x86_64", ["--version"], {
      timeout: programTimeoutMs,
    });
    return stdout.trim().split("\n")[0];
  } catch {
    return undefined;
  }
}

async function missingPackages(): Promise<Facts["missing"]> {
  const path = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  const missing: { package: string; reason: string }[] = [];
  for (const { name, command, reason } of hostPackages()) {
    const found = await Promise.all(path.map((place) => isExecutable(join(place, command))));
    if (!found.includes(true)) missing.push({ package: name, reason });
  }
  return missing;
}

async function deviceState(path: string): Promise<"absent" | "closed" | "open"> {
  if (!(await exists(path))) return "absent";
  try {
    await (await open(path, constants.O_RDWR)).close();
    return "open";
  } catch {
    return "closed";
  }
}

async function cgroupState(): Promise<Pick<Facts, "cgroup" | "cgroupWritable">> {
  for (const [cgroup, root, marker] of [
    [2, "/sys/fs/cgroup", "cgroup.controllers"],
    [1, "/sys/fs/cgroup/cpu", "cpu.cfs_quota_us"],
  ] as const) {
    if (!(await exists(join(root, marker)))) continue;
    return { cgroup, cgroupWritable: await isWritable(root) };
  }
  return { cgroup: undefined, cgroupWritable: false };
}

async function availableMemory(): Promise<number> {
  const text = await readFile("/proc/meminfo", "utf8");
  return Number(/^MemAvailable:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024;
}

/** Asks whoever listens whether it is Millrace. */
async function whoListens(port: number): Promise<Facts["port"]["takenBy"]> {
  const listens = await new Promise<boolean>((done) => {
    const socket = connect({ host: "127.0.0.1", port, timeout: answerTimeoutMs });
    const end = (value: boolean): void => {
      socket.destroy();
      done(value);
    };
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
    socket.once("timeout", () => end(false));
  });
  if (!listens) return "nobody";
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/openapi.json`, {
      signal: AbortSignal.timeout(answerTimeoutMs),
    });
    const document = z.object({ info: z.object({ title: z.string() }) }).parse(await answer.json());
    return /millrace/i.test(document.info.title) ? "millrace" : "another";
  } catch {
    return "another";
  }
}

async function lookAtData(path: string): Promise<DataFacts> {
  const isThere = await exists(path);
  const nearest = await nearestExisting(path);
  const openParts: string[] = [];
  for (const part of ["keys", "storage", "operator.json", "postgres/cluster"]) {
    const found = await stat(join(path, part)).catch(() => undefined);
    if (found !== undefined && (found.mode & 0o077) !== 0) openParts.push(join(path, part));
  }
  return {
    path,
    isThere,
    writable: await isWritable(nearest),
    closedAt: process.getuid?.() === 0 ? await closedToOthers(nearest) : undefined,
    openParts,
    freeBytes: await freeBytes(nearest),
    lockedBy: isThere ? await lockHolder(path) : undefined,
  };
}

async function lookAtDatabase(options: GatherOptions): Promise<DatabaseFacts> {
  if (options.databaseUrl !== undefined) return askDatabase(options.databaseUrl, "external");
  const directory = join(options.dataDirectory, "postgres");
  if (!(await exists(join(directory, "cluster")))) return { kind: "none" };
  try {
    const found = await findEmbedded(directory);
    return found === undefined ? { kind: "stopped" } : await askDatabase(found.url, "embedded");
  } catch (cause) {
    return { kind: "unreachable", where: directory, reason: messageOf(cause) };
  }
}

const settingsRow = z.object({
  version: z.coerce.number(),
  checksums: z.string(),
  fsync: z.string(),
  pages: z.string(),
  commit: z.string(),
});

async function askDatabase(url: string, where: "embedded" | "external"): Promise<DatabaseFacts> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: answerTimeoutMs,
    query_timeout: answerTimeoutMs,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query(
      `select current_setting('server_version_num') as version,
        current_setting('data_checksums') as checksums, current_setting('fsync') as fsync,
        current_setting('full_page_writes') as pages,
        current_setting('synchronous_commit') as commit`,
    );
    const said = settingsRow.parse(rows[0]);
    const keptMachines = await countKept(client);
    const sites = await readSites(client);
    return {
      kind: "answers",
      where,
      version: said.version,
      checksums: said.checksums === "on",
      durable: said.fsync === "on" && said.pages === "on" && said.commit !== "off",
      keptMachines,
      sites,
    };
  } catch (cause) {
    return { kind: "unreachable", where: `the ${where} database`, reason: messageOf(cause) };
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** None in a database that is still to be brought up to date. */
async function countKept(client: pg.Client): Promise<number> {
  const { rows } = await client.query(
    `select exists (select from information_schema.columns
      where table_schema = 'public' and table_name = 'orphan' and column_name = 'known') as there`,
  );
  if (!z.object({ there: z.boolean() }).parse(rows[0]).there) return 0;
  const counted = await client.query(
    `select count(*)::int as count from orphan join site on site.name = orphan.site
      where not known and removed_at is null and decision is null
        and to_jsonb(site)->>'retired_at' is null`,
  );
  return z.object({ count: z.int() }).parse(counted.rows[0]).count;
}

async function nearestExisting(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) if (await exists(at)) return at;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
