import { spawn } from "node:child_process";
import { once } from "node:events";
import { symlinkSync, writeFileSync, chmodSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { runInside } from "#test/cli-inside.ts";
import { makeCli, type Cli } from "#test/cli.ts";
import { aLease } from "#test/cli-things.ts";
import { startContractServer, type ContractServer } from "#test/contract-server.ts";

let server: ContractServer;
let cli: Cli;

beforeAll(async () => {
  server = await startContractServer();
  cli = makeCli(server.url);
  const words = cli.commandLine([]).map((word) => `'${word}'`);
  writeFileSync(join(cli.home, "millrace"), `#!/bin/sh\nexec ${words.join(" ")} "$@"\n`);
  chmodSync(join(cli.home, "millrace"), 0o755);
  symlinkSync(join(cli.home, "millrace"), join(cli.home, "mr"));
  server.answer("listLeases", () => ({
    result: {
      items: [aLease(), aLease({ name: "worker" }), aLease({ name: "old", state: "released" })],
    },
  }));
});
afterAll(async () => {
  cli.remove();
  await server.close();
});

async function candidates(...words: string[]): Promise<string[]> {
  const { stdout } = await runInside(server.url, ["__complete", "--", ...words], cli.home);
  return stdout.split("\n").filter((line) => line !== "");
}

test("subcommands, options, choices and the server's names are completed", async () => {
  expect(await candidates("le")).toEqual(["lease", "ledger"]);
  expect(await candidates("lea")).toEqual(["lease"]);
  expect(await candidates("lease", "re")).toEqual(["reboot", "resize", "restore", "recommend"]);
  expect(await candidates("lease", "stop", "")).toEqual(["web", "worker"]);
  expect(await candidates("lease", "stop", "--grace", "30s", "wo")).toEqual(["worker"]);
  expect(await candidates("--tenant", "lease", "ssh", "w")).toEqual(["web", "worker"]);
  expect(await candidates("lease", "create", "x", "--fl")).toEqual(["--flavor"]);
  expect(await candidates("lease", "list", "--output", "")).toEqual(["table", "json"]);
  expect(await candidates("api", "listLe")).toEqual(["listLeases", "listLeaseEvents"]);
  expect(await candidates("flavour", "re")).toEqual(["retire"]);
  expect(await candidates("completion", "f")).toEqual(["fish"]);
});

test("with no server to ask there are fewer candidates, and no error", async () => {
  const { code, stdout, stderr } = await runInside(
    "http://127.0.0.1:9",
    ["__complete", "--", "lease", "stop", ""],
    cli.home,
  );
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "", stderr: "" });
});

test("bash completes with it", async () => {
  const script = `
    source <(./millrace completion bash)
    COMP_WORDS=(./millrace lease stop w); COMP_CWORD=3; _millrace
    printf '%s\\n' "\${COMPREPLY[@]}"
    complete -p millrace
  `;
  const child = spawn("bash", ["-c", script], { cwd: cli.home, env: cli.environment() });
  let printed = "";
  child.stdout.on("data", (text: Buffer) => (printed += text.toString()));
  await once(child, "close");
  expect(printed.split("\n")).toEqual([
    "web",
    "worker",
    "complete -o default -F _millrace millrace",
    "",
  ]);
});

test.each(["zsh", "fish"])("%s gets its script", async (name) => {
  const { code, stdout } = await runInside(server.url, ["completion", name], cli.home);
  expect(code).toBe(0);
  expect(stdout).toContain("__complete --");
});
