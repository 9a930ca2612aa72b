/** The openb files: a cluster's nodes, and the pods of one variant of its production trace. */
import { readFileSync } from "node:fs";
import { z } from "zod";

import { wholeGpu } from "#flow/place/engine/amounts.ts";

export interface TraceNode {
  readonly name: string;
  readonly cpuMilli: number;
  readonly memoryMiB: number;
  readonly gpus: number;
  readonly model: string;
}

export interface Pod {
  readonly name: string;
  readonly cpuMilli: number;
  readonly memoryMiB: number;
  /** 0 for CPU only. */
  readonly gpuCount: number;
  /** Of each GPU. */
  readonly gpuMilli: number;
  /** Models that will do, as the file writes them: `A|B`, or empty for any. */
  readonly spec: string;
}

const whole = z.coerce.number().int().nonnegative();

const nodeRow = z
  .object({ sn: z.string(), cpu_milli: whole, memory_mib: whole, gpu: whole, model: z.string() })
  .transform((row): TraceNode => ({
    name: row.sn,
    cpuMilli: row.cpu_milli,
    memoryMiB: row.memory_mib,
    gpus: row.gpu,
    model: row.model,
  }));

const podRow = z
  .object({
    name: z.string(),
    cpu_milli: whole,
    memory_mib: whole,
    num_gpu: whole,
    gpu_milli: whole,
    gpu_spec: z.string().optional(),
  })
  .transform((row): Pod => {
    const none = row.num_gpu === 0;
    return {
      name: row.name,
      cpuMilli: row.cpu_milli,
      memoryMiB: row.memory_mib,
      gpuCount: row.num_gpu,
      gpuMilli: none ? 0 : row.num_gpu > 1 ? wholeGpu : Math.min(row.gpu_milli, wholeGpu),
      spec: none ? "" : (row.gpu_spec ?? ""),
    };
  });

/** Sorted by name, as the experiment wants it. */
export function readNodes(path: string): TraceNode[] {
  return byName(rowsOf(path).map((row) => nodeRow.parse(row)));
}

export function readPods(path: string): Pod[] {
  return byName(rowsOf(path).map((row) => podRow.parse(row)));
}

function byName<T extends { readonly name: string }>(rows: readonly T[]): T[] {
  return rows.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Plain CSV: no quotes in these files. */
export function rowsOf(path: string): Record<string, string>[] {
  const [head = "", ...lines] = readFileSync(path, "utf8").trimEnd().split(/\r?\n/);
  const columns = head.split(",");
  return lines.map((line) => {
    const cells = line.split(",");
    return Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? ""]));
  });
}
