/** A program with all its children, as /proc shows them. */
import { readFileSync, readdirSync } from "node:fs";

export interface FamilyMember {
  readonly pid: number;
  /** Short name of the program; Node's is that of its first thread, `MainThread`. */
  readonly program: string;
  /** User and system time of all its threads so far, to the 10 ms that the kernel tells. */
  readonly cpuSeconds: number;
  /** The same of its children that have ended. */
  readonly endedCpuSeconds: number;
}

/** `USER_HZ`, which is 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** The process and its descendants. */
export function familyOf(pid: number): FamilyMember[] {
  const parents = new Map<number, number>();
  const members = new Map<number, FamilyMember>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      const close = stat.lastIndexOf(")");
      // Fields of proc(5) from the third on: state, ppid, …, utime (14), stime, cutime, cstime.
      const fields = stat.slice(close + 2).split(" ");
      parents.set(Number(entry), Number(fields[1]));
      members.set(Number(entry), {
        pid: Number(entry),
        program: stat.slice(stat.indexOf("(") + 1, close),
        cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
        endedCpuSeconds: (Number(fields[13]) + Number(fields[14])) / ticksPerSecond,
      });
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
  return [...members.values()].filter((member) => isOurs(member.pid));
}
