import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { runInside } from "#test/cli-inside.ts";
import { makeCli, type Cli } from "#test/cli.ts";
import { aLease, anOperation, leaseId, operationId } from "#test/cli-things.ts";
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
beforeEach(() => {
  server.reset();
});

test("wrong usage exits with 64 and says what was wrong", async () => {
  const cases: readonly (readonly [string, string])[] = [
    ["lease creat web", "unknown command 'creat'"],
    ["lease create web", "--flavor <name> is needed"],
    ["lease create web --flavor small --disk 40", "write a size with its unit, such as 40GiB"],
    ["lease list --state sleeping", "--state <state>: Invalid option"],
    ["lease show", "missing required argument 'lease'"],
    ["lease list --frob", "unknown option '--frob'"],
    ["lease resize web", "Name what changes"],
    ["--output yaml lease list", "Allowed choices are table, json"],
    ["job submit --flavor small", "either a script file, or a command"],
    ["completion powershell", "one of bash, zsh and fish"],
  ];
  const runs = await Promise.all(
    cases.map(([line]) => runInside(server.url, line.split(" "), cli.home)),
  );
  expect(runs.map(({ code }) => code)).toEqual(cases.map(() => 64));
  for (const [index, { stderr, stdout }] of runs.entries()) {
    expect(stderr).toMatch(/^millrace: /);
    expect(stderr).toContain(cases[index]?.[1]);
    expect(stdout).toBe("");
  }
});

test("a refusal is one sentence, advice and the request's id; the exit status is the table's", async () => {
  const expected = {
    unauthenticated: 77,
    insufficient_credit: 69,
    quota_exceeded: 69,
    rule_violation: 65,
    wrong_state: 75,
    conflict: 73,
    capacity: 75,
    unplaceable: 69,
    internal: 70,
    something_new: 64,
  };
  for (const [code, exitCode] of Object.entries(expected)) {
    server.answer("getBalance", () => ({
      refused: code,
      status: code === "something_new" ? 418 : statusOf(code),
      detail: `It is ${code}.`,
    }));
    const run = await runInside(server.url, ["balance"], cli.home);
    expect(run).toMatchObject({ code: exitCode, stdout: "" });
    expect(run.stderr).toMatch(
      new RegExp(`^millrace: It is ${code}\\..*\\(request req-test-1\\)\n$`),
    );
  }
});

test("a wrong key says how to log in", async () => {
  const { code, stderr } = await cli.run(["whoami"], { env: { MILLRACE_KEY: "wrong" } });
  expect(code).toBe(77);
  expect(stderr).toBe(
    "millrace: The key is not valid. Log in with: millrace login (request req-test-1)\n",
  );
});

test("a server that is not there is one sentence, with a trace only when asked for", async () => {
  const nowhere = { MILLRACE_URL: "http://127.0.0.1:9" };
  const plain = await cli.run(["whoami"], { env: nowhere });
  expect(plain.code).toBe(75);
  expect(plain.stderr).toMatch(/^millrace: Cannot reach http:\/\/127\.0\.0\.1:9: .*\n$/);
  expect(plain.stderr).not.toContain("    at ");
  const debug = await cli.run(["whoami"], { env: { ...nowhere, MILLRACE_DEBUG: "1" } });
  expect(debug.stderr).toContain("    at ");
});

test("text from the server cannot steer the terminal", async () => {
  server.answer("getBalance", () => ({ refused: "conflict", detail: "bad\u001B[2Jnews\u202E" }));
  const { stderr } = await cli.run(["balance"]);
  expect(stderr).toContain("bad\\u001b[2Jnews\\u202e");
});

test("Ctrl-C while waiting exits with 130 and says that the work goes on", async () => {
  server.answer("createLease", () => ({
    result: { lease: aLease({ state: "queued" }), operation: anOperation() },
  }));
  const run = await cli.run(["lease", "create", "web", "--flavor", "small"], {
    during: (child) => {
      server.answer("getOperation", () => {
        child.kill("SIGINT");
        return { raw: () => undefined };
      });
    },
  });
  expect(run.code).toBe(130);
  expect(run.stderr).toContain(`To wait further: millrace operation wait ${operationId}`);
  expect(run.stderr).toContain("millrace: interrupted.");
});

test("a reader that goes away ends the command without a word", async () => {
  const items = Array.from({ length: 40 }, (_, index) => aLease({ name: `web-${index}` }));
  server.answer("listLeases", () => ({ result: { items, next: String(server.seen.length) } }));
  const run = await cli.run(["lease", "list", "--limit", "200", "--output", "json"], {
    during: (child) => {
      child.stdout?.once("data", () => child.stdout?.destroy());
    },
  });
  expect(run).toMatchObject({ code: 141, stderr: "" });
});

test("an answer that breaks the contract is named as such", async () => {
  server.answer("getLease", () => ({
    raw: (_request, response) => {
      response.end(JSON.stringify({ ...aLease(), state: "sleeping" }));
    },
  }));
  const { code, stderr } = await cli.run(["lease", "show", leaseId]);
  expect(code).toBe(70);
  expect(stderr).toContain("not what this version understands");
});

function statusOf(code: string): number {
  const known: Record<string, number> = {
    unauthenticated: 401,
    insufficient_credit: 402,
    quota_exceeded: 403,
    rule_violation: 422,
    wrong_state: 409,
    conflict: 409,
    capacity: 503,
    unplaceable: 422,
  };
  return known[code] ?? 500;
}
