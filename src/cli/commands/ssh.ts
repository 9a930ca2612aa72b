/**
 * `ssh`: the system's own OpenSSH with the endpoint of a lease. Each lease has a file of known
 * hosts of its own, so that a port which another machine had before raises no false alarm, while a
 * machine whose key really changes still does.
 */
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";

import type { Command } from "commander";
import { z } from "zod";

import { define, flag, manyFlag, type Shell } from "#cli/define.ts";
import { hasCode } from "#cli/logins.ts";
import { kinds, resolve } from "#cli/resolve.ts";
import { notRunning } from "#cli/lease-text.ts";
import type { Lease } from "#contract/schemas/compute.ts";
import { Failure } from "#kernel/failure.ts";

const sshOptions = z.object({
  identity: flag("-i, --identity <file>", "the private key to use", z.string().optional()),
  user: flag("-l, --user <user>", "another user than the image's own", z.string().optional()),
  sshOption: manyFlag(
    "--ssh-option <option>",
    "passed to ssh as -o; may be repeated",
    z.array(z.string()).default([]),
  ),
});

export function addSsh(program: Command, shell: Shell): void {
  define(program, shell, {
    usage: "ssh <lease> [command...]",
    summary: "Log in to a machine, or run a command in it",
    args: z.tuple([z.string()], z.string()),
    options: sshOptions,
    examples: [
      "millrace ssh web",
      "millrace ssh web -- uname -a",
      "millrace ssh web --ssh-option LocalForward='8080 localhost:80'",
    ],
    more: "The exit status is that of ssh: the command's own, or 255 if ssh could not log in.\n",
    act: async (session, [text, ...command], options) => {
      const leaseId = await resolve(session, kinds.lease, text);
      const lease = await session.client.call("getLease", { params: { leaseId } });
      const knownHosts = join(session.environment.configDir, "known_hosts");
      mkdirSync(knownHosts, { recursive: true, mode: 0o700 });
      const argv = sshArguments(lease, { ...options, command, knownHosts });
      session.setExitCode(await runSsh(argv));
    },
  });
}

interface SshChoice {
  readonly identity?: string | undefined;
  readonly user?: string | undefined;
  readonly sshOption: readonly string[];
  readonly command: readonly string[];
  /** Directory. */
  readonly knownHosts: string;
}

export function sshArguments(lease: Lease, choice: SshChoice): string[] {
  const endpoint = lease.endpoints.find((each) => each.service === "ssh");
  if (lease.state !== "running") throw notRunning(lease);
  if (endpoint === undefined) {
    const why =
      lease.execution === "simulated" ? " It is simulated: there is no machine behind it." : "";
    throw new Failure("unsupported", `${lease.name} runs, but offers no SSH.${why}`);
  }
  // ssh splits the value at spaces and takes % for its own.
  const file = join(choice.knownHosts, lease.id).replaceAll("%", "%%");
  const own = [
    `UserKnownHostsFile="${file}"`,
    "StrictHostKeyChecking=accept-new",
    `HostKeyAlias=${lease.id}`,
    "CheckHostIP=no",
    ...choice.sshOption,
  ];
  return [
    "-p",
    String(endpoint.port),
    ...own.flatMap((option) => ["-o", option]),
    ...(choice.identity === undefined ? [] : ["-i", choice.identity]),
    "-l",
    choice.user ?? endpoint.user,
    "--",
    endpoint.host,
    ...choice.command,
  ];
}

async function runSsh(argv: readonly string[]): Promise<number> {
  // Ctrl-C reaches ssh from the terminal by itself; this process only waits for what becomes of it.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.removeAllListeners(signal);
  process.on("SIGINT", () => undefined);
  const child = spawn("ssh", argv, { stdio: "inherit" });
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  process.on("SIGHUP", () => child.kill("SIGHUP"));
  return new Promise((settle, reject) => {
    child.once("error", (error) => {
      reject(
        hasCode(error, "ENOENT")
          ? new Failure("unsupported", "There is no ssh on this machine. Install OpenSSH's client.")
          : error,
      );
    });
    child.once("exit", (code, signal) => {
      settle(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
