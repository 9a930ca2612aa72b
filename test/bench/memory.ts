/** Memory of a program with all its children, shared pages counted once (PSS). */
import { readFileSync, readdirSync } from "node:fs";

export interface MemoryUse {
  readonly program: string;
  readonly mebibytes: number;
}

/** The process and its descendants, and PostgreSQL's, which outlives it and stands apart. */
export function memoryOf(pid: number): MemoryUse[] {
  const parents = new Map<number, number>();
  const names = new Map<number, string>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      const close = stat.lastIndexOf(")");
      names.set(Number(entry), stat.slice(stat.indexOf("(") + 1, close));
      parents.set(Number(entry), Number(stat.slice(close + 4).split(" ")[0]));
    } catch {
      // It ended while we looked.
    }
  }
  const isOurs = (candidate: number): boolean => {
    for (let at: number | undefined = candidate; at !== undefined && at > 1; at = parents.get(at)) {
      if (at === pid) return true;
    }
    return false;
  };
  const sums = new Map<string, number>();
  for (const [candidate, name] of names) {
    if (!isOurs(candidate)) continue;
    sums.set(name, (sums.get(name) ?? 0) + pssKib(candidate));
  }
  return [...sums].map(([program, kib]) => ({ program, mebibytes: kib / 1024 }));
}

function pssKib(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
