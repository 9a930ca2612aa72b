/**
 * What the set-up tells the person who waits: one line per step that takes longer than a second,
 * with the time it took. Everything goes to stderr, so that stdout belongs to the program.
 *
 * This folder runs on the Node that the machine happens to have (20 or newer), before any
 * dependency is installed: plain JavaScript, no packages.
 */
import { spawn } from "node:child_process";

const quietMs = 1_000;
const repeatMs = 10_000;
const linesKept = 15;

/** Ends the set-up with a sentence for a person; exit codes follow sysexits. */
export class SetupError extends Error {
  /** @param {string} message @param {number} exitCode */
  constructor(message, exitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}

export const exitCodes = { usage: 64, unavailable: 69, software: 70, osFile: 72 };

/** @param {string} line */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/**
 * Runs `work` and reports it if it takes longer than a second.
 * @template T
 * @param {string} title
 * @param {(note: (text: string) => void) => Promise<T>} work may note what it is doing just now
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const startedAt = performance.now();
  const elapsed = () => `${((performance.now() - startedAt) / 1000).toFixed(0)} s`;
  const live = process.stderr.isTTY;
  let note = "";
  let shown = false;
  const show = () => {
    shown = true;
    if (live) process.stderr.write(`\r\x1b[K${title} … ${elapsed()}  ${note.slice(0, 60)}`);
    else say(`${title} … ${elapsed()}${note === "" ? "" : `  ${note}`}`);
  };
  let timer = setTimeout(() => {
    show();
    timer = setInterval(show, live ? 1_000 : repeatMs);
  }, quietMs);
  const finish = (/** @type {string} */ outcome) => {
    clearInterval(timer);
    if (shown && live) process.stderr.write("\r\x1b[K");
    if (shown) say(`${title}: ${outcome}, ${elapsed()}`);
  };
  try {
    const result = await work((text) => {
      note = text;
    });
    finish("done");
    return result;
  } catch (error) {
    finish("failed");
    throw error;
  }
}

/**
 * Runs a program to its end, quietly; its last lines are in the error if it fails.
 * @param {string} command @param {readonly string[]} commandArguments
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, note?: (text: string) => void }} [options]
 * @returns {Promise<void>}
 */
export function run(command, commandArguments, options = {}) {
  return new Promise((done, fail) => {
    const child = spawn(command, commandArguments, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    /** @type {string[]} */
    const said = [];
    const listen = (/** @type {Buffer} */ chunk) => {
      const lines = chunk
        .toString()
        .split(/[\r\n]+/)
        .filter((line) => line.trim() !== "");
      // Where in the program's own code it failed helps nobody who reads this.
      said.push(...lines.filter((line) => !/^\s+at /.test(line)));
      said.splice(0, said.length - linesKept);
      const last = lines.at(-1);
      if (last !== undefined) options.note?.(last.trim());
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
    child.on("error", (error) => {
      fail(new SetupError(`${command} cannot be run: ${error.message}`, exitCodes.osFile));
    });
    child.on("close", (code, signal) => {
      if (code === 0) done();
      else {
        const how = signal === null ? `exit status ${code}` : `signal ${signal}`;
        const line = [command, ...commandArguments].join(" ");
        fail(new SetupError(`${said.join("\n")}\n${line} failed (${how}).`, exitCodes.unavailable));
      }
    });
  });
}
