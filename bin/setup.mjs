/**
 * Makes the machine and the clone ready, in the order in which things need each other; each part
 * does nothing when nothing changed, so that the second start is quick.
 *
 * As a program (`node bin/setup.mjs [dependencies] [host-packages] [build] [console]`) it does that and
 * nothing else; `test-packages` are the host packages with those that only the tests need.
 */
import { dirname } from "node:path";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

import { ensureBuild } from "./setup/build.mjs";
import { ensureConsole } from "./setup/console.mjs";
import { ensureDependencies, nodeBinary } from "./setup/dependencies.mjs";
import { ensureHostPackages } from "./setup/host-packages.mjs";
import { checkPlatform } from "./setup/platform.mjs";
import { SetupError, exitCodes, say } from "./setup/say.mjs";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const allParts = ["dependencies", "host-packages", "build", "console"];

/** @param {readonly string[]} parts */
export async function setUp(parts = allParts) {
  const platform = checkPlatform();
  if (parts.includes("dependencies")) await ensureDependencies(root);
  const forTests = parts.includes("test-packages");
  if (forTests || parts.includes("host-packages")) {
    await ensureHostPackages(root, platform, { forTests });
  }
  if (parts.includes("build")) await ensureBuild(root);
  if (parts.includes("console")) await ensureConsole(root);
}

/**
 * Becomes Node 24 with these arguments: a Node that can do so replaces itself, so that no second
 * process stays in memory.
 * @param {readonly string[]} nodeArguments
 * @returns {Promise<number>} the exit code, from an older Node
 */
export async function becomeNode(nodeArguments) {
  const binary = nodeBinary(root);
  // npm puts Node 24 first on the path of its scripts once it is installed.
  if (process.execve !== undefined) process.execve(binary, [binary, ...nodeArguments]);
  return runNode(nodeArguments);
}

/**
 * Runs Node 24 to its end, hands signals on to it and ends as it ends.
 * @param {readonly string[]} nodeArguments
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<number>} the exit code
 */
export async function runNode(nodeArguments, env = process.env) {
  const binary = nodeBinary(root);
  const child = spawn(binary, nodeArguments, { stdio: "inherit", env });
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"])) {
    process.on(signal, () => {
      // Ctrl-C on a terminal reaches the child by itself; a second one would hurry it.
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  return new Promise((done) => {
    child.on("error", (error) => {
      say(`${binary} cannot be run: ${error.message}`);
      done(exitCodes.osFile);
    });
    child.on("close", (code, signal) => {
      if (signal !== null) {
        process.removeAllListeners(signal);
        process.kill(process.pid, signal);
      }
      done(code ?? exitCodes.software);
    });
  });
}

/** Runs a command's main function: a SetupError becomes its sentence and its exit code. */
export async function main(/** @type {() => Promise<number>} */ work) {
  try {
    process.exitCode = await work();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(`\n${error.message}`);
    process.exitCode = error.exitCode;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const parts = process.argv.slice(2);
    await setUp(parts.length === 0 ? allParts : parts);
    return 0;
  });
}
