/**
 * `npm start`: from a bare clone to a running cloud. Arguments go to the program (src/main.ts).
 * Node's own options are in setup/node-options.json: a small space for young objects keeps an idle
 * server some 30 MB smaller and costs no measurable time. Source maps would take 5 to 10 MB, for line
 * numbers that differ little: the compiler takes types away and nothing else. A process that only works
 * (`--role work`) answers nobody, so it is kept small: 10,000 machines of a cluster take a third less, while
 * a read of the API would cost half as much again.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { main, root, becomeNode, setUp } from "./setup.mjs";

await main(async () => {
  await setUp();
  const options = JSON.parse(await readFile(join(root, "bin/setup/node-options.json"), "utf8"));
  const role = [process.env.MILLRACE_ROLE, ...process.argv].join(" ");
  const works = /^work |--role[ =]work/.test(role) ? options.work : [];
  return becomeNode([
    ...options.server,
    ...works,
    join(root, "dist/main.js"),
    ...process.argv.slice(2),
  ]);
});
