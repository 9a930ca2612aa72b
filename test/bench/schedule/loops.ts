/**
 * The process of `bench:schedule` that runs the product's queue and place loops, and nothing else, so
 * that what they cost stands by itself. Its one argument is the database. Ends on SIGTERM.
 */
import { once } from "node:events";

import { listenForNudges } from "#db/listen.ts";
import { openDb } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { placeLoop } from "#flow/place/loop.ts";
import { queueLoop } from "#flow/queue/loop.ts";
import { startLoop, type LoopDefinition } from "#loops/loop.ts";
import { createObserver } from "#observe/observer.ts";

const connectionsMax = 4;
const [url = ""] = process.argv.slice(2);
const observer = createObserver({ level: "error", destination: process.stderr });
const db = openDb({ url, connectionsMax, observer, applicationName: "bench loops" });
const nudges = listenForNudges(url, observer);
const context = { nudges, observer, now: Date.now };
/** In place of the loop of the site, which looks at it every few seconds: unseen it would be away. */
const looks: LoopDefinition = {
  name: "looks",
  periodMs: 5_000,
  channels: [],
  pass: async () => {
    await db.execute(sql`update site set inventory_at = now()`);
    return "rest";
  },
};
const loops = [queueLoop({ db }), placeLoop({ db, now: Date.now }), looks].map((definition) =>
  startLoop(definition, context),
);
await once(process, "SIGTERM");
await Promise.all(loops.map((loop) => loop.stop()));
await nudges.close();
await db.close();
