/**
 * `npm run tour`: plays the main job over the API, as a customer and his operator would, on the
 * cloud that runs on this machine, or on a throwaway one that it starts and removes. Each step is
 * printed with its time; it ends with exit code 0 only if everything was right.
 */
import { parseArgs } from "node:util";

import { Failure, failureClasses } from "#kernel/failure.ts";

import { findCloud } from "./cloud.ts";
import { play } from "./play.ts";
import { createStage } from "./stage.ts";

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      url: { type: "string" },
      key: { type: "string" },
      throwaway: { type: "boolean", default: false },
    },
  });
  const stage = createStage(process.stdout);
  const stopping = new AbortController();
  process.once("SIGINT", () => stopping.abort(new Failure("timeout", "The tour was stopped.")));
  const cloud = await findCloud(values, stage, stopping.signal);
  try {
    await play(cloud, stage, stopping.signal);
    stage.say("\nThe tour is over: everything was right.");
  } finally {
    await cloud.close();
  }
}

try {
  await main();
} catch (error) {
  const known = error instanceof Failure;
  const text = error instanceof Error ? (known ? error.message : error.stack) : String(error);
  process.stderr.write(`\nmillrace tour: ${text ?? ""}\n`);
  process.exitCode = known ? failureClasses[error.code].exitCode : 1;
}
