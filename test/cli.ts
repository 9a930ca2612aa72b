/** Runs the real command in a process of its own, with a home directory that is thrown away. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { testCredential } from "./contract-server.ts";

const entry = new URL("../src/cli/main.ts", import.meta.url).pathname;

export interface CliRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Buffer;
  /** Called once the process runs; for signals and for input that comes later. */
  readonly during?: (child: ChildProcess) => void;
  readonly cwd?: string;
}

export interface Cli {
  readonly home: string;
  run(argv: readonly string[], options?: CliOptions): Promise<CliRun>;
  /** The command line that `run` starts, for another program to start. */
  commandLine(argv: readonly string[]): string[];
  environment(): NodeJS.ProcessEnv;
  remove(): void;
}

function commandLine(argv: readonly string[]): string[] {
  return [process.execPath, "--conditions=source", entry, ...argv];
}

export function makeCli(url: string): Cli {
  const home = mkdtempSync(join(tmpdir(), "millrace-cli-test-"));
  const environment = (): NodeJS.ProcessEnv => ({
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    HOME: home,
    NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
    TZ: "Asia/Shanghai",
    MILLRACE_URL: url,
    MILLRACE_KEY: testCredential,
  });
  return {
    home,
    commandLine,
    environment,
    async run(argv, options = {}) {
      const [program = "", ...rest] = commandLine(argv);
      const child = spawn(program, rest, {
        env: { ...environment(), ...options.env },
        cwd: options.cwd ?? home,
        stdio: ["pipe", "pipe", "pipe"],
      });
      const closed = once(child, "close");
      const output = { stdout: "", stderr: "" };
      child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
      child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
      child.stdin.on("error", () => undefined);
      if (options.during === undefined) child.stdin.end(options.input ?? "");
      else options.during(child);
      await closed;
      return { code: child.exitCode ?? -1, ...output };
    },
    remove() {
      rmSync(home, { recursive: true, force: true });
    },
  };
}
