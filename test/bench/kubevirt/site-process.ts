/** The process whose passes are measured: it keeps a site, and does nothing else. */
import diagnostics from "node:diagnostics_channel";
import { readFileSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { setImmediate as next } from "node:timers/promises";

import pg from "pg";
import { z } from "zod";

import { openSite } from "./site.ts";

const wish = z.enum(["whole", "pass", "figures"]);

const [databaseUrl = "", clusterFile = ""] = process.argv.slice(2);
const sockets = new Set<Socket>();
let bytesOfClosed = 0;
diagnostics.subscribe("net.client.socket", (message) => {
  const { socket } = z.object({ socket: z.custom<Socket>() }).parse(message);
  sockets.add(socket);
  socket.once("close", () => {
    if (sockets.delete(socket)) bytesOfClosed += socket.bytesRead;
  });
});
const statements = countStatements();
process.once("disconnect", () => process.exit());
process.on("message", (message) => {
  void answer(wish.parse(message)).then((said) => process.send?.(said));
});

const site = await openSite(databaseUrl, clusterFile);
process.send?.(figures());

async function answer(asked: z.output<typeof wish>): Promise<object> {
  const { signal } = new AbortController();
  forgetPeak();
  const began = performance.now();
  const cpu = process.cpuUsage();
  let again = false;
  switch (asked) {
    case "whole":
      await site.provider.machines({ signal });
      break;
    case "pass":
      again = (await site.worker.loop.pass(signal)) === "again";
      // What it asked its hands to do waits for nothing when nothing has changed.
      await next();
      break;
    case "figures":
  }
  const { user, system } = process.cpuUsage(cpu);
  return {
    again,
    seconds: (performance.now() - began) / 1000,
    cpuSeconds: (user + system) / 1e6,
    ...figures(),
  };
}

function figures(): object {
  const { rss, heapUsed, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const bytes = [...sockets].reduce((sum, { bytesRead }) => sum + bytesRead, bytesOfClosed);
  return {
    rss,
    peak: peakBytes(),
    heapUsed,
    external,
    bytes,
    statements: statements.count,
    cpuSoFar: (user + system) / 1e6,
  };
}

/** The most memory that was resident since it was forgotten, as Linux counts it. */
function peakBytes(): number {
  const [, kib = "0"] =
    /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return Number(kib) * 1024;
}

function forgetPeak(): void {
  writeFileSync("/proc/self/clear_refs", "5");
}

/** Every statement on every connection, those around transactions included. */
function countStatements(): { count: number } {
  const counted = { count: 0 };
  const { prototype } = pg.Client;
  const query = Reflect.get(prototype, "query");
  prototype.query = new Proxy(query, {
    apply: (target: typeof query, client: unknown, asked: unknown[]): unknown => {
      counted.count += 1;
      return Reflect.apply(target, client, asked);
    },
  });
  return counted;
}
