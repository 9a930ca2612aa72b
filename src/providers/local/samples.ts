/** What running machines used so far: CPU and memory of the QEMU process, bytes of its disk. */
import { z } from "zod";

import type { Sample } from "#providers/provider.ts";

import { diskNode } from "./arguments.ts";
import type { Driver } from "./driver.ts";
import { instancePath, readState } from "./instance.ts";
import { withMonitor } from "./monitor.ts";
import { isAlive, usageOf } from "./process.ts";

const blockStats = z.array(
  z.object({
    "node-name": z.string().optional(),
    stats: z.object({ rd_bytes: z.number(), wr_bytes: z.number() }),
  }),
);

/** Undefined if it does not run. */
export async function sampleOf(driver: Driver, machineId: string): Promise<Sample | undefined> {
  const { site } = driver;
  return site.locks.hold(machineId, async () => {
    const state = await readState(instancePath(site, machineId));
    const launch = state?.launch;
    if (!launch?.process || state?.power === "stopped" || !isAlive(launch.process))
      return undefined;
    const usage = usageOf(launch.process.pid);
    if (usage === undefined) return undefined;
    const answer = await withMonitor(site, machineId, launch, (qmp) =>
      qmp.execute("query-blockstats"),
    );
    const disk = blockStats.parse(answer).find((each) => each["node-name"] === diskNode);
    return {
      machineId,
      at: site.now(),
      ...usage,
      diskReadBytes: disk?.stats.rd_bytes ?? 0,
      diskWrittenBytes: disk?.stats.wr_bytes ?? 0,
    };
  });
}
