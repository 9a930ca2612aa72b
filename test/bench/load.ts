/**
 * Reads at a fixed rate, each sent at its time whether or not the ones before were answered. The
 * client shares the CPUs with what it measures, so it is `node:http` on connections that are kept
 * open.
 */
import { Agent, get } from "node:http";
import { setTimeout as wait } from "node:timers/promises";

export interface LoadResult {
  readonly requests: number;
  readonly failures: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Load {
  readonly paths: readonly string[];
  readonly perSecond: number;
  readonly seconds: number;
  /** Ends it before. */
  readonly until?: AbortSignal;
}

export interface Reader {
  readAtRate(load: Load): Promise<LoadResult>;
  close(): void;
}

export function openReader(cloud: { readonly url: string; readonly credential: string }): Reader {
  const { hostname, port } = new URL(cloud.url);
  const agent = new Agent({ keepAlive: true });
  const headers = { authorization: `Bearer ${cloud.credential}` };
  /** Resolves with the status once the whole answer is here; 0 where there is none. */
  const read = (path: string): Promise<number> =>
    new Promise((resolve) => {
      get({ hostname, port, path, agent, headers }, (answer) => {
        answer.resume();
        answer.once("end", () => resolve(answer.statusCode ?? 0));
        answer.once("error", () => resolve(0));
      }).once("error", () => resolve(0));
    });
  return {
    readAtRate: (load) => readAtRate(read, load),
    close: () => agent.destroy(),
  };
}

async function readAtRate(
  read: (path: string) => Promise<number>,
  { paths, perSecond, seconds, until }: Load,
): Promise<LoadResult> {
  const total = perSecond * seconds;
  const times: number[] = [];
  let failures = 0;
  const startedAt = performance.now();
  const one = async (path: string, from: number): Promise<void> => {
    const status = await read(path);
    if (status !== 200) failures += 1;
    times.push(performance.now() - from);
  };
  const running: Promise<void>[] = [];
  for (let sent = 0; sent < total; sent += 1) {
    if (until?.aborted === true) break;
    const due = startedAt + (sent / perSecond) * 1000;
    const early = due - performance.now();
    if (early > 0) await wait(early);
    // What a busy client sends late is late all the same.
    const from = Math.min(due, performance.now());
    running.push(one(paths[sent % paths.length] ?? "/healthz", from));
  }
  await Promise.all(running);
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? Number.NaN;
  return { requests: times.length, failures, p50Ms: at(0.5), p99Ms: at(0.99) };
}
