/**
 * `npm run bench:billing`: what the issue limits of metering and billing, one part after another, each
 * in a process of its own, so that none has the other's compiled code or heap. Each part runs by itself
 * too, and with smaller numbers: `node --conditions=source test/bench/PART.ts [count]`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";

const parts = ["tlog.ts", "ingest.ts", "close.ts", "verify.ts"];

for (const part of parts) {
  const path = resolve(import.meta.dirname, part);
  const running = spawn(process.execPath, ["--conditions=source", path], { stdio: "inherit" });
  // oxlint-disable-next-line no-await-in-loop -- they would take the CPUs from each other
  const [code] = await once(running, "exit");
  if (code !== 0) process.exitCode = 1;
}
