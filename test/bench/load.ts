/** Reads at a fixed rate, each sent at its time whether or not the ones before were answered. */
import { setTimeout as wait } from "node:timers/promises";

export interface LoadResult {
  readonly requests: number;
  readonly failures: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export async function readAtRate(options: {
  readonly url: string;
  readonly credential: string;
  readonly paths: readonly string[];
  readonly perSecond: number;
  readonly seconds: number;
}): Promise<LoadResult> {
  const { url, credential, paths, perSecond } = options;
  const total = perSecond * options.seconds;
  const times: number[] = [];
  let failures = 0;
  const one = async (path: string): Promise<void> => {
    const startedAt = performance.now();
    try {
      const answer = await fetch(`${url}${path}`, {
        headers: { authorization: `Bearer ${credential}` },
      });
      await answer.arrayBuffer();
      if (!answer.ok) failures += 1;
      times.push(performance.now() - startedAt);
    } catch {
      failures += 1;
    }
  };
  const startedAt = performance.now();
  const running: Promise<void>[] = [];
  for (let sent = 0; sent < total; sent += 1) {
    const due = startedAt + (sent / perSecond) * 1000;
    const early = due - performance.now();
    if (early > 1) await wait(early);
    running.push(one(paths[sent % paths.length] ?? "/healthz"));
  }
  await Promise.all(running);
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? Number.NaN;
  return { requests: total, failures, p50Ms: at(0.5), p99Ms: at(0.99) };
}
