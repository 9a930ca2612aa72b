import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import type { Lease } from "#contract/schemas/compute.ts";
import { runInside } from "#test/cli-inside.ts";
import { makeCli, type Cli, type CliRun } from "#test/cli.ts";
import { aLease, leaseId } from "#test/cli-things.ts";
import { startContractServer, type ContractServer } from "#test/contract-server.ts";

let server: ContractServer;
let cli: Cli;
let bin: string;

/** In ssh's place on the PATH: prints its arguments, one a line, then does what the last one says. */
const fakeSsh = `#!/bin/sh
printf '%s\\n' "$@"
for last; do :; done
case "$last" in exit*|kill*) eval "$last";; esac
`;

beforeAll(async () => {
  server = await startContractServer();
  cli = makeCli(server.url);
  bin = join(cli.home, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "ssh"), fakeSsh);
  chmodSync(join(bin, "ssh"), 0o755);
});
afterAll(async () => {
  cli.remove();
  await server.close();
});
beforeEach(() => {
  server.reset();
});

function serve(lease: Lease): void {
  server.answer("getLease", () => ({ result: lease }));
  server.answer("listLeases", () => ({ result: { items: [lease] } }));
}

function ssh(lease: Lease, argv: readonly string[], env = {}): Promise<CliRun> {
  serve(lease);
  const path = `${bin}:${process.env["PATH"] ?? ""}`;
  return cli.run(["ssh", "web", ...argv], { env: { PATH: path, ...env } });
}

function inside(lease: Lease): Promise<CliRun> {
  serve(lease);
  return runInside(server.url, ["ssh", "web"], cli.home);
}

test("ssh gets the endpoint, and known hosts of the lease alone", async () => {
  const config = join(cli.home, "a config 100%");
  const { code, stdout } = await ssh(aLease(), ["-i", "/keys/id"], { XDG_CONFIG_HOME: config });
  const hosts = join(cli.home, "a config 100%%", "millrace", "known_hosts", leaseId);
  expect(code).toBe(0);
  const options = [
    `UserKnownHostsFile="${hosts}"`,
    "StrictHostKeyChecking=accept-new",
    `HostKeyAlias=${leaseId}`,
    "CheckHostIP=no",
  ];
  const wanted = [
    ["-p", "2201"],
    ...options.map((option) => ["-o", option]),
    ["-i", "/keys/id"],
    ["-l", "root"],
    ["--", "127.0.0.1"],
  ];
  expect(stdout.trim().split("\n")).toEqual(wanted.flat());
  expect(existsSync(join(config, "millrace", "known_hosts"))).toBe(true);
});

test("what stands behind -- is the command, options and all; --ssh-option is passed on", async () => {
  const argv = [
    "--user",
    "debian",
    "--ssh-option",
    "LogLevel=ERROR",
    "--",
    "ls",
    "-q",
    "--tenant",
    "x",
  ];
  const { stdout } = await ssh(aLease(), argv);
  const lines = stdout.trim().split("\n");
  expect(lines.slice(lines.indexOf("--"))).toEqual([
    "--",
    "127.0.0.1",
    "ls",
    "-q",
    "--tenant",
    "x",
  ]);
  expect(lines).toContain("LogLevel=ERROR");
  expect(lines).toContain("debian");
});

test("the exit status is ssh's own, also when a signal ended it", async () => {
  expect((await ssh(aLease(), ["--", "exit 42"])).code).toBe(42);
  expect((await ssh(aLease(), ["--", "kill -TERM $$"])).code).toBe(143);
});

test("a lease that does not run says what it does instead, why, and what would help", async () => {
  const reason = { code: "capacity", message: "It waits for 2 GPUs." };
  const queued = await inside(aLease({ state: "queued", reason }));
  expect(queued).toMatchObject({ code: 75, stdout: "" });
  expect(queued.stderr).toBe(
    "millrace: web is queued. It waits for 2 GPUs. It waits for its turn. See: millrace lease show web.\n",
  );
  const stopped = await inside(aLease({ state: "stopped" }));
  expect(stopped.stderr).toContain("web is stopped. Start it with: millrace lease start web");
  const simulated = await inside(aLease({ execution: "simulated", endpoints: [] }));
  expect(simulated.code).toBe(69);
  expect(simulated.stderr).toContain("there is no machine behind it");
});

test("without an ssh on the machine it says so", async () => {
  const { code, stderr } = await ssh(aLease(), [], { PATH: "/nonexistent" });
  expect(code).toBe(69);
  expect(stderr).toContain("no ssh on this machine");
});
