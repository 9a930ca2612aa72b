/** The test cluster as a child process, and what its operator writes of it for the program. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { z } from "zod";

import type { Order } from "./cluster-process.ts";
import { heard } from "./heard.ts";

const up = z.object({ url: z.string(), token: z.string() });
const counted = z.object({ requests: z.record(z.string(), z.int()), rss: z.number() });
const standing = z.object({ running: z.int() });

export interface BenchCluster {
  readonly pid: number;
  readonly url: string;
  readonly token: string;
  /** Of `--clusters`. */
  readonly file: string;
  readonly ask: (order: Order) => Promise<unknown>;
  /** So far, by verb and resource; and the memory of the test server. */
  readonly requests: () => Promise<z.output<typeof counted>>;
  readonly running: () => Promise<number>;
  readonly close: () => Promise<void>;
}

export async function startBenchCluster(nodes: number): Promise<BenchCluster> {
  const directory = await mkdtemp(join(tmpdir(), "millrace-bench-cluster-"));
  await chmod(directory, 0o711);
  const child = fork(join(import.meta.dirname, "cluster-process.ts"), [String(nodes)], {
    execArgv: [...process.execArgv],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const { url, token } = up.parse(await heard(child));
  const file = await describe(directory, { url, token });
  let turn: Promise<unknown> = Promise.resolve();
  const ask = (order: Order): Promise<unknown> => {
    // Answers have no names, so one question at a time.
    const answer = turn.then(() => {
      child.send(order);
      return heard(child);
    });
    turn = answer.catch(() => undefined);
    return answer;
  };
  return {
    pid: child.pid ?? 0,
    url,
    token,
    file,
    ask,
    requests: async () => counted.parse(await ask({ do: "requests" })),
    running: async () => standing.parse(await ask({ do: "running" })).running,
    close: async () => {
      child.disconnect();
      if (child.exitCode === null) await once(child, "exit");
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function describe(
  directory: string,
  { url, token }: { readonly url: string; readonly token: string },
): Promise<string> {
  const name = "bench";
  const kubeconfig = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    clusters: [{ name, cluster: { server: url } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  };
  // JSON is YAML.
  await writeFile(join(directory, "kubeconfig"), JSON.stringify(kubeconfig));
  const settings = {
    site: "cluster-1",
    kubeconfig: "kubeconfig",
    images: {
      tiny: { namespace: "millrace-images", dataSource: "tiny", minMemoryMib: 128, minDiskGib: 1 },
    },
    sshService: "NodePort",
    sshHost: "127.0.0.1",
    nodeDiskGib: 100_000,
  };
  const file = join(directory, "cluster-1.yaml");
  await writeFile(file, JSON.stringify(settings));
  return file;
}
