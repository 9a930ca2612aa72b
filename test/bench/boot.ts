/** Reads at a fixed rate for as long as two machines boot, and what all of it cost. */
import { done } from "#tour/play.ts";

import { releaseAll, type MeasuredCloud } from "./cloud.ts";
import { cpuOf, type CpuSpent } from "./cpu.ts";
import { openReader, type LoadResult } from "./load.ts";

const machines = 2;
const perSecond = 200;
/** So that the boot is measured, and not the compiler and the first statements of a connection. */
const warmUpSeconds = 3;
/** They boot within it, or the figures are those of a boot that has not ended. */
const secondsMax = 60;

export interface ReadsUnderBoot extends LoadResult {
  readonly bootSeconds: number;
  readonly spent: CpuSpent;
}

export async function readUnderBoot(cloud: MeasuredCloud): Promise<ReadsUnderBoot> {
  const { client } = cloud;
  const reader = openReader(cloud);
  try {
    await reader.readAtRate({ paths: listed, perSecond, seconds: warmUpSeconds });
    const asked = await Promise.all(
      Array.from({ length: machines }, (_, index) =>
        client.call("createLease", { body: { name: `boot-${index}`, flavor: "nano" } }),
      ),
    );
    const startedAt = performance.now();
    const booted = new AbortController();
    const ready = Promise.all(asked.map(({ operation }) => done(client, operation))).finally(() =>
      booted.abort(),
    );
    const { result, spent } = await cpuOf(cloud.pid, () =>
      reader.readAtRate({
        paths: readsOf(asked[0]?.lease.id ?? ""),
        perSecond,
        seconds: secondsMax,
        until: booted.signal,
      }),
    );
    const bootSeconds = (performance.now() - startedAt) / 1000;
    await ready;
    return { ...result, bootSeconds, spent };
  } finally {
    reader.close();
    await releaseAll(client);
  }
}

const listed = ["/v1/leases", "/v1/balance", "/v1/usage"] as const;

/** What a console or a script asks for most. */
export function readsOf(leaseId: string): readonly string[] {
  return [...listed, `/v1/leases/${leaseId}`];
}
