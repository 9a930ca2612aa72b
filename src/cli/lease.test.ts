import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import type { Lease } from "#contract/schemas/compute.ts";
import { runInside } from "#test/cli-inside.ts";
import { makeCli, type Cli, type CliRun } from "#test/cli.ts";
import { aLease, anOperation, leaseId } from "#test/cli-things.ts";
import { startContractServer, type ContractServer } from "#test/contract-server.ts";

import { leaseSummary } from "./lease-text.ts";

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

function inside(argv: readonly string[]): Promise<CliRun> {
  return runInside(server.url, argv, cli.home);
}

async function shown(text: string): Promise<string> {
  return (await inside(["lease", "show", text, "--quiet"])).stdout.trim();
}

function serveLeases(items: readonly Lease[]): void {
  server.answer("listLeases", ({ query }) => ({
    result: {
      items: items.filter((item) => query["name"] === undefined || item.name === query["name"]),
    },
  }));
}

test("leases are a table with the terminal's widths, local times and prices with currency", async () => {
  serveLeases([
    aLease({ image: "中文镜像", createdAt: "2026-05-04T02:03:04Z" }),
    aLease({
      id: "0190c2b4-1111-7000-8000-000000000002",
      name: "longer-name",
      image: "tiny",
      createdAt: "2026-05-04T17:00:00Z",
    }),
    aLease({ name: "gone", state: "released" }),
  ]);
  const { code, stdout } = await cli.run(["lease", "list"]);
  expect(code).toBe(0);
  expect(
    stdout.split("\n").map((line) => line.replace(/ {2}\S+ +\d+ {2}.{1,9} MiB {2}/, " ~ ")),
  ).toEqual([
    expect.stringMatching(/^NAME {9}STATE {4}FLAVOR/),
    "web          running ~ 中文镜像  0.85 CNY  2026-05-04 10:03:04  0190c2b4-1111",
    "longer-name  running ~ tiny      0.85 CNY  2026-05-05 01:00:00  0190c2b4-1111",
    "",
  ]);
});

test("ids for a shell, whole objects for a program, a limit with a word about the rest", async () => {
  const leases = [aLease(), aLease({ id: "0190c2b4-1111-7000-8000-000000000002", name: "db" })];
  serveLeases(leases);
  const quiet = await inside(["lease", "list", "--quiet"]);
  expect(quiet.stdout).toBe(`${leases.map(({ id }) => id).join("\n")}\n`);
  const json = await inside(["lease", "list", "-o", "json"]);
  expect(JSON.parse(json.stdout)).toEqual({ items: leases });
  const limited = await inside(["lease", "list", "--limit", "1"]);
  expect(limited.stdout).toContain("There are more than these 1");
});

test("create waits until the lease runs, and says how long that took and how to get in", async () => {
  server.answer("createLease", () => ({
    result: { lease: aLease({ state: "queued" }), operation: anOperation() },
  }));
  server.answer("getOperation", () => ({
    result: server.seen.length < 4 ? anOperation() : anOperation({ state: "succeeded" }),
  }));
  server.answer("getLease", () => ({ result: aLease() }));
  const argv = [
    "lease",
    "create",
    "web",
    "--flavor",
    "small",
    "--disk",
    "1TiB",
    "--ssh-key",
    "a",
    "--ssh-key",
    "b",
  ];
  const { code, stdout, stderr } = await cli.run(argv);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toBe(
    "web is running after 1.3 s (emulated).\nLog in with: millrace ssh web   (or: ssh -p 2201 root@127.0.0.1)\nIt costs 0.85 CNY per hour while it runs.\n",
  );
  expect(server.seen[0]?.body).toEqual({
    name: "web",
    flavor: "small",
    image: "tiny",
    restart: "on-failure",
    diskGiB: 1024,
    sshKeys: ["a", "b"],
    near: [],
    apart: [],
  });
});

function create(...more: string[]): Promise<CliRun> {
  return inside(["lease", "create", "web", "--flavor", "s", "--no-wait", ...more]);
}

test("without an SSH key a machine is made, with a warning and what to do", async () => {
  server.answer("createLease", () => ({
    result: { lease: aLease({ state: "queued" }), operation: anOperation() },
  }));
  server.answer("listSshKeys", () => ({ result: { items: [] } }));
  const bare = await create();
  expect(bare.code).toBe(0);
  expect(bare.stderr).toContain("You have no SSH key here, so web lets nobody log in.");
  expect(bare.stderr).toContain("millrace ssh-key add");
  expect((await create("--ssh-key", "work")).stderr).toBe("");
  expect((await create("--quiet")).stderr).toBe("");
  // The warning is no reason to fail, or to hide what was made.
  server.answer("listSshKeys", () => ({ refused: "forbidden" }));
  expect(await create()).toMatchObject({ code: 0, stderr: "" });
  server.answer("listSshKeys", (_seen, sample) => ({ result: sample }));
  expect((await create()).stderr).toBe("");
});

test("create whose answer is lost rents one machine", async () => {
  let lost = 0;
  server.answer("createLease", () => {
    lost += 1;
    if (lost < 3) return { raw: (_request, response) => response.socket?.destroy() };
    return { result: { lease: aLease({ state: "queued" }), operation: anOperation() } };
  });
  const { code, stdout } = await cli.run([
    "lease",
    "create",
    "web",
    "--flavor",
    "s",
    "--no-wait",
    "-q",
  ]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${leaseId}\n` });
  expect(new Set(server.seen.map((seen) => seen.headers["idempotency-key"])).size).toBe(1);
  expect(server.effects).toEqual(["createLease"]);
});

test("a creation that fails says why and exits by the reason's code", async () => {
  server.answer("createLease", () => ({
    result: { lease: aLease({ state: "queued" }), operation: anOperation() },
  }));
  server.answer("getOperation", () => ({
    result: anOperation({
      state: "failed",
      reason: { code: "capacity", message: "No host has 8 free CPUs; the most is 3." },
    }),
  }));
  const { code, stderr } = await inside(["lease", "create", "web", "--flavor", "s"]);
  expect(code).toBe(75);
  expect(stderr).toBe("millrace: The create failed: No host has 8 free CPUs; the most is 3.\n");
});

test("a wait has an end; the work goes on", async () => {
  server.answer("startLease", () => ({
    result: { lease: aLease({ state: "starting" }), operation: anOperation({ kind: "start" }) },
  }));
  server.answer("getOperation", () => ({ result: anOperation({ kind: "start" }) }));
  const { code, stderr } = await inside(["lease", "start", leaseId, "--timeout", "0"]);
  expect(code).toBe(75);
  expect(stderr).toContain(
    "web is starting, for 0.0 s now; that goes on. To wait further: millrace operation wait",
  );
});

test("a lease is meant by its name, its id, or the beginning of one", async () => {
  const other = "0190c2b5-9999-7000-8000-000000000009";
  serveLeases([aLease(), aLease({ id: other, name: "db" })]);
  server.answer("getLease", ({ params }) => ({
    result: aLease({ id: String(params["leaseId"]) }),
  }));
  expect(await shown("web")).toBe(leaseId);
  expect(await shown(leaseId.toUpperCase())).toBe(leaseId);
  expect(await shown("0190c2b4")).toBe(leaseId);
  expect(await shown("0190c2b5-9999")).toBe(other);
});

test("what fits several is refused with the list of them; what fits none is not found", async () => {
  const second = "0190c2b4-1111-7000-8000-000000000002";
  serveLeases([aLease(), aLease({ id: second, state: "stopped" })]);
  const byName = await inside(["lease", "show", "web"]);
  expect(byName.code).toBe(73);
  expect(byName.stderr).toContain('"web" fits 2 leases; give the id of one:');
  expect(byName.stderr).toContain(`  ${leaseId}  web  running  `);
  expect(byName.stderr).toContain(`  ${second}  web  stopped  `);
  expect((await inside(["lease", "show", "0190c2b4"])).code).toBe(73);
  // Too short to be the beginning of an id.
  const short = await inside(["lease", "show", "0190c"]);
  expect(short.code).toBe(66);
  expect(short.stderr).toContain("See: millrace lease list");
});

test("one that is over does not stand in the way of one of the same name", async () => {
  serveLeases([
    aLease({ id: "0190c2b4-1111-7000-8000-000000000002", state: "released" }),
    aLease(),
  ]);
  server.answer("getLease", ({ params }) => ({
    result: aLease({ id: String(params["leaseId"]) }),
  }));
  expect((await inside(["lease", "show", "web", "-q"])).stdout).toBe(`${leaseId}\n`);
});

test("the tenant that the operator acts for is sent, wherever the option stands", async () => {
  serveLeases([]);
  await inside(["lease", "list", "--tenant", "acme"]);
  await inside(["--tenant", "acme", "lease", "list"]);
  expect(server.seen.map((seen) => seen.headers["millrace-tenant"])).toEqual(["acme", "acme"]);
});

test("a reboot is waited for until the machine is back", async () => {
  server.answer("rebootLease", () => ({
    result: { lease: aLease(), operation: anOperation({ kind: "reboot", state: "succeeded" }) },
  }));
  server.answer("getLease", () => ({
    result:
      server.seen.length < 4
        ? aLease({ state: "starting" })
        : aLease({ readyAt: "2026-05-04T02:03:13Z" }),
  }));
  const { stdout } = await inside(["lease", "reboot", leaseId]);
  expect(stdout).toContain("web is running after 9.0 s (emulated).");
});

test("a move says where the machine runs now, once that is seen", async () => {
  serveLeases([aLease({ host: "node-1" })]);
  let to: string | null = null;
  server.answer("moveLease", () => ({
    result: {
      lease: aLease({ host: "node-1" }),
      operation: anOperation({ kind: "move" }),
      to,
    },
  }));
  server.answer("getOperation", () => ({
    result: anOperation({ kind: "move", state: "succeeded", endedAt: "2026-05-04T02:03:05Z" }),
  }));
  let looks = 0;
  server.answer("getLease", () => ({
    result: aLease({ host: (looks += 1) > 2 ? "node-2" : "node-1" }),
  }));
  const { stdout } = await inside(["lease", "move", "web"]);
  expect(stdout).toContain("It runs on node-2 now, and no longer on node-1.");
  const anywhere = await inside(["lease", "move", "web", "--no-wait"]);
  expect(anywhere.stdout).toContain("web is moving to a host that its platform chooses. To wait");
  to = "node-2";
  const later = await inside(["lease", "move", "web", "--no-wait"]);
  expect(later.stdout).toMatch(
    /^web is moving to node-2\. To wait for it: millrace operation wait \S+\nTo follow it: millrace lease events web\n$/,
  );
});

test("an action tells what became of the lease", async () => {
  serveLeases([aLease()]);
  server.answer("stopLease", () => ({
    result: { lease: aLease({ state: "stopping" }), operation: anOperation({ kind: "stop" }) },
  }));
  server.answer("getOperation", () => ({
    result: anOperation({ kind: "stop", state: "succeeded" }),
  }));
  server.answer("getLease", () => ({ result: aLease({ state: "stopped", endpoints: [] }) }));
  const stop = await inside(["lease", "stop", "web", "--grace", "1m30s"]);
  expect(stop.stdout).toContain("web is stopped after 1.3 s");
  expect(server.seen.find((seen) => seen.id === "stopLease")?.body).toEqual({ graceSeconds: 90 });
});

test("one that waits shows its place and when it starts", async () => {
  const line = {
    pool: "T4",
    position: 3,
    waiting: 7,
    start: {
      earliest: "2026-05-04T02:00:00.000Z",
      likely: "2026-05-04T05:00:00.000Z",
      latest: null,
    },
  };
  server.answer("getLease", () => ({ result: aLease({ state: "queued", line }) }));
  const { code, stdout } = await inside(["lease", "show", leaseId]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/Place: +3 of 7 that wait for T4/);
  expect(stdout).toMatch(/Starts: +about 2026-05-04/);
  expect(stdout).not.toContain("At the latest");
});

test("a lease that waits says what to do and who can; one that runs what to know of it", async () => {
  const advice = "It starts once a machine ends that holds it; add nodes to wait no longer.";
  const waits = aLease({
    state: "creating",
    reason: { code: "no_room", message: "No node has room.", details: { advice, who: "operator" } },
    notes: [],
  });
  serveLeases([waits]);
  server.answer("getLease", () => ({ result: waits }));
  const { stdout } = await inside(["lease", "show", "web"]);
  expect(stdout).toMatch(/^Why: +No node has room\.$/m);
  expect(stdout).toContain(`What to do:  ${advice}`);
  expect(stdout).toMatch(/^Who can: +the operator$/m);

  const restart = {
    code: "restart_required",
    message: "A change waits.",
    advice: "Restart it when it suits you.",
    who: "customer" as const,
  };
  const runs = aLease({ notes: [restart] });
  serveLeases([runs]);
  server.answer("getLease", () => ({ result: runs }));
  expect((await inside(["lease", "show", "web"])).stdout).toMatch(
    /^Note: +A change waits\. Restart it when it suits you\.$/m,
  );
});

test("a new size that waits for the next start is not said to be billed before it", async () => {
  const waits = aLease({ pendingResize: true });
  serveLeases([waits]);
  server.answer("getLease", () => ({ result: waits }));
  const { stdout } = await inside(["lease", "show", "web"]);
  expect(stdout).toMatch(/^New size: +takes effect at the next start, .*until then the size/m);
  expect(leaseSummary(waits, "")).toContain("per hour from then on");
  expect(leaseSummary(aLease(), "")).toContain("per hour while it runs");
});
