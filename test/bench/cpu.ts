/**
 * CPU that a span of work cost: of the server, of its database, and of the client that measures
 * (this process). Unlike latency, it hardly depends on what else runs on the machine.
 */
import { familyOf } from "./processes.ts";

export interface CpuSpent {
  readonly serverMs: number;
  readonly databaseMs: number;
  readonly clientMs: number;
}

export async function cpuOf<T>(
  serverPid: number,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly spent: CpuSpent }> {
  const before = snapshot(serverPid);
  const result = await work();
  const after = snapshot(serverPid);
  return {
    result,
    spent: {
      serverMs: after.serverMs - before.serverMs,
      databaseMs: after.databaseMs - before.databaseMs,
      clientMs: after.clientMs - before.clientMs,
    },
  };
}

function snapshot(serverPid: number): CpuSpent {
  let serverMs = 0;
  let databaseMs = 0;
  for (const { pid, program, cpuSeconds, endedCpuSeconds } of familyOf(serverPid)) {
    if (pid === serverPid) serverMs += cpuSeconds * 1000;
    else if (program === "postgres") databaseMs += (cpuSeconds + endedCpuSeconds) * 1000;
  }
  const { user, system } = process.cpuUsage();
  return { serverMs, databaseMs, clientMs: (user + system) / 1000 };
}
