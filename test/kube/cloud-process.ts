/**
 * The whole program in a process of its own, to be killed: as `npm start`, but for its clock, which goes
 * ahead of the machine's by as much as whoever started it says. Its channel is that process's: when it
 * closes, that one is gone, and so is this.
 */
import { resolve } from "node:path";

import { z } from "zod";

import { startApp } from "#app/app.ts";
import { readConfig } from "#config/config.ts";
import { createObserver } from "#observe/observer.ts";

const order = z.object({ aheadMs: z.number() });

const [dataDirectory = "", aheadMs = "0", ...flags] = process.argv.slice(2);
let ahead = Number(aheadMs);
process.on("message", (message) => {
  ahead = order.parse(message).aheadMs;
  process.send?.({ aheadMs: ahead });
});
process.once("disconnect", () => process.exit());

const app = await startApp({
  config: readConfig(flags, {}),
  dataDirectory,
  repositoryRoot: resolve(import.meta.dirname, "../.."),
  observer: createObserver({ level: process.env["TEST_LOG"] ?? "silent" }),
  now: () => Date.now() + ahead,
});
process.send?.({ url: app.url, operatorKey: app.operator?.secret });
