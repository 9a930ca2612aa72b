/**
 * `npm start`: reads the configuration, starts the program, says where it is, and ends it cleanly
 * on SIGTERM or SIGINT. Standard output is for the person who started it; the log goes to a file
 * in the data directory, or to standard error where there is no terminal.
 */
import { once } from "node:events";
import { join, resolve } from "node:path";

import { startApp, type App } from "#app/app.ts";
import { welcome } from "#app/welcome.ts";
import { readConfig } from "#config/config.ts";
import { defaultDataDirectory } from "#config/data-directory.ts";
import { ensureOperator, newRootKey } from "#identity/operator.ts";
import { Failure, failureClasses } from "#kernel/failure.ts";
import { openLogFile } from "#observe/log-file.ts";
import { createObserver, type Observer } from "#observe/observer.ts";

const repositoryRoot = resolve(import.meta.dirname, "..");

async function main(): Promise<void> {
  const startedAt = performance.now();
  const config = readConfig(process.argv.slice(2), process.env);
  const dataDirectory =
    config.dataDirectory ?? (await defaultDataDirectory(process.env, repositoryRoot));
  const observer = createObserver({
    level: config.logLevel,
    processMetrics: true,
    destination: process.stderr.isTTY
      ? openLogFile({ path: join(dataDirectory, "millrace.log") })
      : process.stderr,
  });
  const stopped = new AbortController();
  const stop = (signal: NodeJS.Signals): void => stopped.abort(signal);
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  const { signal } = stopped;
  const app = await startApp({
    config,
    dataDirectory,
    repositoryRoot,
    observer,
    progress: (step) => {
      say(`  ${step} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
    },
    signal,
  }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
    say("Stopped before it was up; the next start goes on from here.");
  });
  if (app === undefined) return;
  if (config.role === "migrate" || config.role === "operator-key") {
    if (config.role === "operator-key") {
      const { secret } = await app.db.transaction(
        async (tx) => (await ensureOperator(tx, Date.now())) ?? newRootKey(tx, Date.now()),
      );
      say(`A new key of the operator, shown this once; the others still work:\n${secret}`);
    }
    await app.close();
    return;
  }
  if (app.url !== undefined) say(await welcome(app, startedAt, repositoryRoot));
  if (!signal.aborted) await once(signal, "abort");
  observer.log.info({ signal: String(signal.reason) }, "stopping");
  say("Stopping; virtual machines go on running.");
  await closeInTime(app, observer);
}

/** Longer than any drain; then something hangs, and the next start recovers what it left. */
const closeTimeoutMs = 45_000;

async function closeInTime(app: App, { log }: Observer): Promise<void> {
  // It also keeps the process alive for as long as the closing takes.
  const deadline = setTimeout(() => {
    log.error({ closeTimeoutMs }, "closing took too long and was broken off");
    process.exit(failureClasses.timeout.exitCode);
  }, closeTimeoutMs);
  try {
    await app.close();
  } finally {
    clearTimeout(deadline);
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

try {
  await main();
} catch (error) {
  const known = error instanceof Failure;
  const text = known ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`millrace: ${text ?? "unknown error"}\n`);
  process.exitCode = known ? failureClasses[error.code].exitCode : failureClasses.internal.exitCode;
}
