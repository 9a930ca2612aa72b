/** The process whose passes are measured: it keeps a site, and does nothing else. */
import diagnostics from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { setImmediate as next } from "node:timers/promises";

import { z } from "zod";

import { openSite } from "./site.ts";

const wish = z.enum(["whole", "pass", "figures"]);

const [databaseUrl = "", clusterFile = ""] = process.argv.slice(2);
const sockets = new Set<Socket>();
diagnostics.subscribe("net.client.socket", (message) => {
  sockets.add(z.object({ socket: z.custom<Socket>() }).parse(message).socket);
});
process.once("disconnect", () => process.exit());
process.on("message", (message) => {
  void answer(wish.parse(message)).then((said) => process.send?.(said));
});

const site = await openSite(databaseUrl, clusterFile);
process.send?.(figures());

async function answer(asked: z.output<typeof wish>): Promise<object> {
  const { signal } = new AbortController();
  const began = performance.now();
  const cpu = process.cpuUsage();
  switch (asked) {
    case "whole":
      await site.provider.machines({ signal });
      break;
    case "pass":
      await site.worker.loop.pass(signal);
      // What it asked its hands to do waits for nothing when nothing has changed.
      await next();
      break;
    case "figures":
  }
  const { user, system } = process.cpuUsage(cpu);
  return {
    seconds: (performance.now() - began) / 1000,
    cpuSeconds: (user + system) / 1e6,
    ...figures(),
  };
}

function figures(): object {
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const bytes = [...sockets].reduce((sum, { bytesRead }) => sum + bytesRead, 0);
  return { rss, heapUsed, bytes, cpuSoFar: (user + system) / 1e6 };
}
