/** A simulated site as large as the published trace's: hosts with eight, four and no GPUs. */
import { recordHosts, recordSite } from "#catalog/sites.ts";
import type { Db } from "#db/pool.ts";

const gib = 2 ** 30;
const gpusByKind = [8, 4, 8, 0] as const;

export async function recordBenchHosts(db: Db, count: number): Promise<{ readonly gpus: number }> {
  const at = Date.now();
  const site = {
    site: "simulated",
    kind: "simulated",
    version: "1",
    execution: "simulated",
    executionReason: "The hosts and GPUs of this site do not exist; nothing runs.",
    capabilities: {},
  } as const;
  let gpus = 0;
  const items = Array.from({ length: count }, (_, index) => {
    const gpusHere = gpusByKind[index % gpusByKind.length] ?? 0;
    gpus += gpusHere;
    const model = index % 3 === 0 ? "A100" : "T4";
    const memoryBytes = (model === "T4" ? 16 : 80) * gib;
    return {
      id: `host-${index}`,
      state: "up" as const,
      cpus: 128,
      memoryBytes: 1024 * gib,
      diskBytes: 16_384 * gib,
      hugePages: {},
      labels: {},
      gpus: Array.from({ length: gpusHere }, (_each, device) => ({
        id: `gpu-${device}`,
        model,
        memoryBytes,
        isolation: "hard" as const,
        slicesMax: 8,
        // Pairs, as bridges link them.
        ...(model === "A100" ? { nvlinkGroup: `pair-${device >> 1}` } : {}),
      })),
    };
  });
  await db.transaction(async (tx) => {
    await recordSite(tx, site, at);
    await recordHosts(tx, { site: site.site, listing: { items, complete: true }, at });
  });
  return { gpus };
}
