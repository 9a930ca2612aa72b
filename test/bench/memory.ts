/** Memory of a program with all its children, shared pages counted once (PSS). */
import { readFileSync } from "node:fs";

import { familyOf } from "./processes.ts";

export interface MemoryUse {
  readonly program: string;
  readonly mebibytes: number;
}

/** By program, children included. */
export function memoryOf(pid: number): MemoryUse[] {
  const sums = new Map<string, number>();
  for (const member of familyOf(pid)) {
    sums.set(member.program, (sums.get(member.program) ?? 0) + pssKib(member.pid));
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
