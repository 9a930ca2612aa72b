import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { runInside } from "#test/cli-inside.ts";
import { makeCli, type Cli, type CliRun } from "#test/cli.ts";
import { startContractServer, testCredential, type ContractServer } from "#test/contract-server.ts";

let server: ContractServer;
let cli: Cli;
let file: string;

beforeAll(async () => {
  server = await startContractServer();
});
afterAll(async () => {
  await server.close();
});
beforeEach(() => {
  server.reset();
  cli = makeCli(server.url);
  file = join(cli.home, ".config", "millrace", "config.json");
  return () => cli.remove();
});

/** These would make a stored login unnecessary. */
const without = { MILLRACE_URL: "", MILLRACE_KEY: "" };

function run(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliRun> {
  return runInside(server.url, argv, cli.home, { ...without, ...env });
}

test("a login is checked, kept for its owner alone, and used from then on", async () => {
  const login = await cli.run(["login", "--url", server.url], {
    env: without,
    input: `${testCredential}\n`,
  });
  expect(login.code).toBe(0);
  expect(login.stdout).toContain(`Logged in to ${server.url}`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(file, "..")).mode & 0o777).toBe(0o700);
  expect(login.stdout + login.stderr).not.toContain(testCredential);
  expect((await run(["whoami"])).code).toBe(0);
  expect(server.seen.map((seen) => seen.id)).toEqual(["whoami", "whoami"]);
});

test("a key that is not valid is not kept", async () => {
  const login = await run(["login", "--url", server.url, "--key", "wrong"]);
  expect(login.code).toBe(77);
  expect(existsSync(file)).toBe(false);
});

test("several logins have names; one of them is in force", async () => {
  const key = ["--url", server.url, "--key", testCredential];
  await run(["login", ...key, "--name", "work"]);
  await run(["login", ...key, "--name", "home"]);
  const names = await run(["login", "list"]);
  expect(names.stdout).toMatch(/^\s+NAME +URL\n +work +http.*\n\* +home +http.*\n$/);
  await run(["login", "use", "work"]);
  expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ current: "work" });
  expect((await run(["whoami", "--login", "home"])).code).toBe(0);
  const missing = await run(["whoami", "--login", "other"]);
  expect(missing.code).toBe(77);
  expect(missing.stderr).toContain('There is no login "other" (there are: work, home)');
  await run(["logout"]);
  expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ current: "home" });
  await run(["logout", "home"]);
  const none = await run(["whoami"]);
  expect(none.code).toBe(77);
  expect(none.stderr).toContain("Nobody is logged in.");
});

test("--local takes the credential that the server keeps for its operator", async () => {
  const data = join(cli.home, "data");
  mkdirSync(data);
  const absent = await run(["login", "--local", "--data", data]);
  expect(absent.code).toBe(66);
  expect(absent.stderr).toContain(join(data, "operator.json"));
  writeFileSync(
    join(data, "operator.json"),
    JSON.stringify({ url: server.url, key: testCredential }),
    { mode: 0o600 },
  );
  const login = await run(["login", "--local"], { MILLRACE_DATA: data });
  expect(login.code).toBe(0);
  expect((await run(["whoami"])).code).toBe(0);
});

test("a stored key goes to no other server than its own", async () => {
  await run(["login", "--url", server.url, "--key", testCredential]);
  const other = await startContractServer();
  const refused = await run(["whoami", "--url", other.url]);
  await other.close();
  expect(refused.code).toBe(77);
});

test("a file of logins that others can read is complained of, a broken one refused", async () => {
  await run(["login", "--url", server.url, "--key", testCredential]);
  chmodSync(file, 0o644);
  const exposed = await run(["whoami"]);
  expect(exposed.code).toBe(0);
  expect(exposed.stderr).toContain(`chmod 600 ${file}`);
  writeFileSync(file, "{");
  const broken = await run(["whoami"]);
  expect(broken.code).toBe(64);
  expect(broken.stderr).toContain("is not a file of logins");
});
