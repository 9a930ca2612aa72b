/**
 * A working process of its own, to be killed: the loops of the program over a simulated platform
 * that other processes share. Arguments: database, folder of the platform, site, folder of storage,
 * seed of the faults (0 for none). Prints "working" once its loops run. Its standard input is a pipe
 * of whoever started it, and is never written to: when it ends, that process is gone, and so is this.
 */
import { listenForNudges } from "#db/listen.ts";
import { openDb } from "#db/pool.ts";
import { thisHost } from "#app/host.ts";
import { startWork } from "#app/work.ts";
import { openClock } from "#loops/clock.ts";
import { createObserver } from "#observe/observer.ts";
import { decorate } from "#providers/decorate.ts";
import { openSimulated } from "#providers/simulated/provider.ts";

import { randomFrom } from "./random.ts";
import { simulatedHosts } from "./simulated-hosts.ts";

process.stdin.once("close", () => process.exit()).resume();

const [url = "", directory = "", site = "", storageDirectory = "", seed = "0"] =
  process.argv.slice(2);
const observer = createObserver({
  level: process.env["SIM_LOG"] === undefined ? "silent" : "info",
});
const host = await thisHost();
const db = openDb({ url, connectionsMax: 6, observer, applicationName: "sim worker" });
const provider = openSimulated({
  site,
  hosts: simulatedHosts,
  directory,
  latencies: { createMs: 60, bootMs: 40, shutdownMs: 40 },
});
if (seed !== "0") {
  const random = randomFrom(Number(seed));
  const { faults } = provider.platform;
  // Wide windows in which to be killed, and some answers that say too little.
  for (let count = 0; count < 200; count += 1) {
    for (const call of ["create", "power", "delete"] as const) {
      faults.slowNext(call, random.below(120));
      const effect = random.pick(["none", "done", "maybe_none", "maybe_done", "accepted"] as const);
      if (random.chance(0.15)) faults.failNext(call, { code: "unavailable", effect });
    }
  }
}
startWork({
  db,
  nudges: listenForNudges(url, observer),
  observer,
  now: await openClock(db, host),
  host,
  providers: [decorate(provider)],
  payments: [],
  storageDirectory,
  logKey: { keysDirectory: storageDirectory, file: undefined, name: undefined },
});
process.stdout.write("working\n");
