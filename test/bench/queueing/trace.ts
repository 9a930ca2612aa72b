/** The Philly trace: when each job came, from whom, how many GPUs for how long. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface TraceJob {
  readonly id: string;
  readonly tenantId: string;
  readonly askedAt: number;
  readonly durationMs: number;
  readonly gpus: number;
}

export function readPhilly(traces: string): TraceJob[] | undefined {
  const path = join(traces, "philly", "philly_jobs.csv");
  if (!existsSync(path)) return undefined;
  const [, ...lines] = readFileSync(path, "utf8").trim().split("\n");
  return lines
    .map((line, i) => {
      const [timestamp = "", duration, gpus, , tenantId = ""] = line.split(",");
      return {
        // Of one width, so that the order of ids is the order of the file.
        id: String(i).padStart(8, "0"),
        tenantId,
        askedAt: Date.parse(`${timestamp.replace(" ", "T")}Z`),
        durationMs: Number(duration) * 1000,
        gpus: Number(gpus),
      };
    })
    .toSorted((a, b) => a.askedAt - b.askedAt || (a.id < b.id ? -1 : 1));
}
