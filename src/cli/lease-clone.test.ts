import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { runInside } from "#test/cli-inside.ts";
import { makeCli, type Cli, type CliRun } from "#test/cli.ts";
import { aLease, anOperation, leaseId } from "#test/cli-things.ts";
import { startContractServer, type ContractServer } from "#test/contract-server.ts";

let server: ContractServer;
let cli: Cli;
const copyId = "0190c2b4-1111-7000-8000-000000000002";

beforeAll(async () => {
  server = await startContractServer();
  cli = makeCli(server.url);
});
afterAll(async () => {
  cli.remove();
  await server.close();
});
beforeEach(() => {
  server.reset();
  const copy = aLease({ id: copyId, name: "web-2", state: "creating" });
  server.answer("cloneLease", () => ({ result: { lease: copy, operation: anOperation() } }));
});

function clone(...more: string[]): Promise<CliRun> {
  return runInside(server.url, ["lease", "clone", leaseId, "web-2", ...more], cli.home);
}

test("a clone is asked for with what was said, and nothing else", async () => {
  const quiet = await clone("--no-wait", "--quiet");
  expect(quiet).toMatchObject({ code: 0, stdout: `${copyId}\n` });
  expect(server.seen.at(-1)).toMatchObject({ params: { leaseId }, body: { name: "web-2" } });
  const more = ["--flavor", "large", "--disk", "1TiB", "--ssh-key", "a", "--ssh-key", "b"];
  const told = await clone("--no-wait", ...more);
  expect(told.stdout).toBe("web-2 is creating. See: millrace lease show web-2\n");
  expect(server.seen.at(-1)?.body).toEqual({
    name: "web-2",
    flavor: "large",
    diskGiB: 1024,
    sshKeys: ["a", "b"],
  });
});

test("a clone is waited for, and says what it costs and how to get in", async () => {
  server.answer("getOperation", () => ({ result: anOperation({ state: "succeeded" }) }));
  server.answer("getLease", () => ({ result: aLease({ id: copyId, name: "web-2" }) }));
  const { code, stdout } = await clone();
  expect(code).toBe(0);
  expect(stdout).toContain("web-2 is running");
  expect(stdout).toContain("It costs 0.85 CNY per hour while it runs.");
});

test("a platform that cannot says why", async () => {
  server.answer("cloneLease", () => ({ refused: "unsupported" }));
  const { code, stderr } = await clone();
  expect(code).not.toBe(0);
  expect(stderr).toContain("millrace: ");
});

test("a clone that fails says why", async () => {
  const reason = { code: "clone_failed", message: "The disk of web could not be copied: no room." };
  server.answer("getOperation", () => ({ result: anOperation({ state: "failed", reason }) }));
  server.answer("getLease", () => ({ result: aLease({ id: copyId, state: "failed" }) }));
  const { code, stderr } = await clone();
  expect(code).not.toBe(0);
  expect(stderr).toContain("The disk of web could not be copied: no room.");
});
