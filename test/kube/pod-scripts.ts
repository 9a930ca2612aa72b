/**
 * The scripts of a job's pod, run here: in folders as the pod has them, by the shells that run them there.
 * `fetch` and `report` run in the agent's image (dash, the usual tools), `run` in the customer's, by the
 * busybox that was laid beside it.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";

import { vi } from "vitest";

export type Shell = "dash" | "busybox";

const argvOf: Readonly<Record<Shell, readonly [string, ...string[]]>> = {
  dash: ["dash"],
  busybox: ["busybox", "sh"],
};

const sigtermBit = 1n << BigInt(constants.signals.SIGTERM - 1);
const patience = { timeout: 60_000, interval: 10 };

export interface Running {
  readonly child: ChildProcess;
  /** The exit code; null if a signal ended it. */
  readonly ended: Promise<number | null>;
  readonly said: () => string;
}

export interface PodFolders {
  /** `agent`, `work` and `access` are the pod's volumes; `tools` are busybox's, where that is the shell. */
  readonly at: (...names: readonly string[]) => string;
  readonly text: (...names: readonly string[]) => Promise<string>;
  readonly start: (
    script: string,
    argv?: readonly string[],
    more?: Readonly<Record<string, string>>,
  ) => Running;
  /** As the pod's end begins: once the script listens. Before that a pod's first process hears nothing. */
  readonly terminate: (running: Running) => Promise<void>;
  /** Ends what still runs, and removes it all. */
  readonly remove: () => Promise<void>;
}

export async function podFolders(shell: Shell, token = "t0ken"): Promise<PodFolders> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-pod-"));
  const running = new Set<ChildProcess>();
  const at = (...names: readonly string[]) => join(folder, ...names);
  await mkdir(at("agent", "bin"), { recursive: true });
  await mkdir(at("work"));
  await mkdir(at("access"));
  await writeFile(at("access", "authorization"), `Authorization: Bearer ${token}\n`);
  await writeFile(at("agent", "log"), "");
  await mkdir(at("tools"));
  if (shell === "busybox") {
    for (const place of [at("agent", "bin"), at("tools")]) {
      execFileSync("sh", ["-c", 'cp "$(command -v busybox)" "$1"', "copy", join(place, "busybox")]);
      execFileSync(join(place, "busybox"), ["--install", "-s", place]);
    }
  }

  return {
    at,
    text: (...names) => readFile(at(...names), "utf8"),
    start(script, argv = [], more = {}) {
      const [command, ...first] = argvOf[shell];
      const child = spawn(command, [...first, "-c", script, "script", ...argv], {
        stdio: ["ignore", "ignore", "pipe"],
        env: {
          PATH: process.env["PATH"] ?? "/usr/bin:/bin",
          MILLRACE_AGENT: at("agent"),
          MILLRACE_WORK: at("work"),
          MILLRACE_RESULTS: at("work", "results"),
          MILLRACE_CHECKPOINT: at("work", "results", "checkpoint"),
          MILLRACE_ACCESS: at("access", "authorization"),
          MILLRACE_END: at("end"),
          MILLRACE_LOG_BYTES_MAX: "100000",
          MILLRACE_TIME_LIMIT_SECONDS: "600",
          MILLRACE_GRACE_SECONDS: "30",
          ...more,
        },
      });
      running.add(child);
      const said: Buffer[] = [];
      child.stderr.on("data", (chunk: Buffer) => said.push(chunk));
      const ended = once(child, "exit").then(([code]) => (typeof code === "number" ? code : null));
      return { child, ended, said: () => Buffer.concat(said).toString("utf8") };
    },
    terminate: async ({ child }) => {
      await vi.waitFor(async () => {
        const status = await readFile(`/proc/${child.pid}/status`, "utf8");
        const [, caught = "0"] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status) ?? [];
        if ((BigInt(`0x${caught}`) & sigtermBit) === 0n) throw new Error("it does not listen yet");
      }, patience);
      child.kill("SIGTERM");
    },
    remove: async () => {
      for (const child of running) child.kill("SIGKILL");
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

/** An argv for a line of shell. */
export function sh(line: string): readonly string[] {
  return ["/bin/sh", "-c", line];
}
