/** Short conversations with a machine's QEMU. Under the machine's lock, which keeps others off. */
import { ProviderError } from "#providers/provider.ts";

import { instancePath, runName } from "./instance.ts";
import { isAlive, signalProcess } from "./process.ts";
import { connectQmp, type Qmp } from "./qmp.ts";
import type { Launch, State } from "./records.ts";
import type { Site } from "./site.ts";
import { waitFor, withDeadline } from "./wait.ts";

const greetingTimeoutMs = 10_000;
const quitMs = 5_000;
const killMs = 10_000;

export async function withMonitor<T>(
  site: Site,
  machineId: string,
  launch: Launch,
  use: (qmp: Qmp) => Promise<T>,
): Promise<T> {
  return monitorAt(instancePath(site, machineId), runName(launch.number), use);
}

export async function monitorAt<T>(
  directory: string,
  runDirectory: string,
  use: (qmp: Qmp) => Promise<T>,
): Promise<T> {
  const socketName = `${runDirectory}/qmp.sock`;
  const qmp = await connectQmp({ directory, socketName, greetingTimeoutMs });
  try {
    return await use(qmp);
  } finally {
    qmp.close();
  }
}

/** Ends QEMU: its caches are written if it still listens, and then it is killed. */
export async function endProcess(
  directory: string,
  state: State,
  how: "flush" | "kill",
): Promise<void> {
  const { launch } = state;
  const process = launch?.process ?? null;
  if (launch === null || process === null) return;
  const gone = (): true | undefined => (isAlive(process) ? undefined : true);
  if (how === "flush" && isAlive(process)) {
    const quit = monitorAt(directory, runName(launch.number), async (qmp) => {
      await qmp.execute("quit");
      await waitFor(gone, { timeoutMs: quitMs, everyMs: 5 });
    });
    await withDeadline(quit, quitMs, "QEMU's end").catch(() => {});
  }
  signalProcess(process, "SIGKILL");
  if ((await waitFor(gone, { timeoutMs: killMs, everyMs: 5 })) === undefined) {
    throw new ProviderError("unknown", `QEMU (pid ${process.pid}) does not end.`, {
      effect: "maybe",
    });
  }
}
