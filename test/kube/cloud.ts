/**
 * A cloud over the test cluster: the program in a process that can be killed, a database, a cluster, and
 * one clock for both of them that a test may set forward.
 */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { afterAll } from "vitest";
import { stringify } from "yaml";
import { z } from "zod";

import { createClient, type Client } from "#client/client.ts";
import type { Db } from "#db/pool.ts";
import { present } from "#kernel/assert.ts";
import { testDatabase } from "#test/database.ts";

import { startTestCluster, type TestCluster } from "./driver-cluster.ts";
import { kubeconfigOf } from "./kubeconfig.ts";
import type { NodeSideOptions } from "./node-side/node-side.ts";

const startMs = 300_000;
const dayMs = 86_400_000;
const up = z.object({ url: z.string(), operatorKey: z.string().optional() });
const heard = z.object({ aheadMs: z.number() });

export interface ClusterCloud {
  readonly cluster: TestCluster;
  readonly operatorKey: string;
  /** That of the program: what a second process of it would have. */
  readonly db: Db;
  url(): string;
  client(credential: string, tenant?: string): Client;
  now(): number;
  /** For the program and for the cluster. */
  setForward(ms: number): Promise<void>;
  /** `kill -9`. */
  kill(): Promise<void>;
  /** Again, on the same data. */
  start(): Promise<void>;
}

/** At the top level of a test file. It is the tenth of a month, at ten in the morning. `settings` go before the usual ones. */
export async function startClusterCloud(
  options: {
    readonly settings?: Readonly<Record<string, unknown>>;
    /** Of the program, where the cluster must know it before it starts. */
    readonly port?: number;
    readonly side?: NodeSideOptions;
    /** What else is in the cluster before the program looks at it. */
    readonly prepare?: (cluster: TestCluster) => void;
  } = {},
): Promise<ClusterCloud> {
  const { db, url: databaseUrl } = await testDatabase();
  const directory = await mkdtemp(join(tmpdir(), "millrace-cluster-"));
  await chmod(directory, 0o711);
  let aheadMs = tenthOfNextMonth(Date.now()) - Date.now();
  const now = (): number => Date.now() + aheadMs;
  const { settings, port = 0, side } = options;
  const cluster = await startTestCluster({ now, ...(side === undefined ? {} : { side }) });
  options.prepare?.(cluster);
  const file = await writeClusterFile(directory, cluster, settings);
  let child: ChildProcess | undefined;
  let url = "";
  const start = async (): Promise<string | undefined> => {
    const flags = ["--port", String(port), "--local", "off", "--database-url", databaseUrl];
    child = fork(
      resolve(import.meta.dirname, "cloud-process.ts"),
      [join(directory, "data"), String(aheadMs), ...flags, "--clusters", file],
      {
        execArgv: ["--conditions=source", "--no-warnings"],
        // What it says goes where the test's own goes.
        stdio: ["ignore", "inherit", "inherit", "ipc"],
      },
    );
    const said = up.parse(await message(child));
    ({ url } = said);
    return said.operatorKey;
  };
  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  const operatorKey = present(await start(), "the operator's credential");
  afterAll(async () => {
    await kill();
    await cluster.close();
    await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  });
  return {
    cluster,
    operatorKey,
    db,
    url: () => url,
    client: (credential, tenant) =>
      createClient({
        baseUrl: url,
        credential,
        ...(tenant === undefined ? {} : { tenant }),
      }),
    now,
    setForward: async (ms) => {
      aheadMs += ms;
      if (child?.connected !== true) return;
      child.send({ aheadMs });
      while (heard.parse(await message(child)).aheadMs !== aheadMs);
    },
    kill,
    start: async () => {
      await start();
    },
  };
}

/** For who must say it before the program begins. */
export async function freePort(): Promise<number> {
  const free = createServer().listen(0, "127.0.0.1");
  await once(free, "listening");
  const address = free.address();
  free.close();
  await once(free, "close");
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

async function message(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  const fail = (): void => ended.abort(new Error("the program ended"));
  child.once("exit", fail);
  try {
    const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(startMs)]);
    const [said]: unknown[] = await once(child, "message", { signal });
    return said;
  } finally {
    child.off("exit", fail);
  }
}

/** As an operator would write them: what there is to sign in with, and what the cluster has. */
async function writeClusterFile(
  directory: string,
  { server }: TestCluster,
  more: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  await writeFile(join(directory, "kubeconfig"), kubeconfigOf(server));
  const path = join(directory, "cluster-1.yaml");
  const image = { namespace: "millrace-images", minMemoryMib: 256 };
  const settings = {
    site: "cluster-1",
    kubeconfig: "kubeconfig",
    images: {
      tiny: { ...image, dataSource: "tiny" },
      "ubuntu-24.04": { ...image, dataSource: "ubuntu-24.04", loginUser: "ubuntu" },
    },
    sshService: "NodePort",
    sshHost: "127.0.0.1",
    ...more,
  };
  await writeFile(path, stringify(settings));
  return path;
}

/** In Shanghai, where bills are cut by default. */
function tenthOfNextMonth(at: number): number {
  const date = new Date(at);
  const tenth = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 10, 2);
  return tenth - at > 40 * dayMs ? tenth - 31 * dayMs : tenth;
}
