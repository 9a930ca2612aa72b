/** What is asked for of a snapshot's memory, and how a refusal goes on here. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { runInside } from "#test/cli-inside.ts";
import { makeCli, type Cli, type CliRun } from "#test/cli.ts";
import { leaseId } from "#test/cli-things.ts";
import { startContractServer, type ContractServer } from "#test/contract-server.ts";

let server: ContractServer;
let cli: Cli;

beforeAll(async () => {
  server = await startContractServer();
  cli = makeCli(server.url);
});
afterAll(async () => {
  cli.remove();
  await server.close();
});
beforeEach(() => server.reset());

function create(...more: string[]): Promise<CliRun> {
  const args = ["snapshot", "create", leaseId, "before", "--no-wait", ...more];
  return runInside(server.url, args, cli.home);
}

test("who does not say leaves it to the platform; who says is taken at his word", async () => {
  expect(await create()).toMatchObject({ code: 0 });
  expect(server.seen.at(-1)?.body).toEqual({ name: "before" });
  await create("--no-memory");
  expect(server.seen.at(-1)?.body).toEqual({ name: "before", withMemory: false });
  await create("--with-memory");
  expect(server.seen.at(-1)?.body).toEqual({ name: "before", withMemory: true });
  const asked = server.seen.length;
  const { code, stderr } = await create("--with-memory", "--no-memory");
  expect(code).not.toBe(0);
  expect(stderr).toContain("exclude each other");
  expect(server.seen).toHaveLength(asked);
});

test("a refusal of the memory names the option that does without", async () => {
  server.answer("createSnapshot", () => ({ refused: "unsupported" }));
  const refused = await create("--with-memory");
  expect(refused.code).toBe(69);
  expect(refused.stderr).toContain("That is: --no-memory.");
  expect((await create()).stderr).not.toContain("--no-memory");
});
