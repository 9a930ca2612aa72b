/** Runs a command of the CLI in this process: for walks over many, where a process each takes long. */
import { Writable } from "node:stream";

import { readEnvironment } from "#cli/environment.ts";
import { endingOf } from "#cli/failures.ts";
import { runProgram } from "#cli/program.ts";

import { testCredential } from "./contract-server.ts";
import type { CliRun } from "./cli.ts";

export async function runInside(
  url: string,
  argv: readonly string[],
  home: string,
  env: Readonly<Record<string, string>> = {},
): Promise<CliRun> {
  const environment = readEnvironment({
    HOME: home,
    MILLRACE_URL: url,
    MILLRACE_KEY: testCredential,
    ...env,
  });
  const stdout = new Collected();
  const stderr = new Collected();
  let code = 0;
  try {
    await runProgram(argv, {
      environment,
      signal: new AbortController().signal,
      stdout,
      stderr,
      setExitCode: (next) => {
        code = next;
      },
    });
  } catch (error) {
    const { exitCode, message } = endingOf(error, environment);
    stderr.write(message);
    code = exitCode;
  }
  return { code, stdout: stdout.text, stderr: stderr.text };
}

class Collected extends Writable {
  text = "";

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString("utf8");
    done();
  }
}
