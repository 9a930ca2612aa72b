/**
 * `npm run bench:kubevirt:order -- [machines]`: from the first `POST /leases` to the last of them observed
 * running by the program, over the test cluster in a process of its own: API, admission, queue,
 * placement, PostgreSQL, the driver, as `npm start` runs them. 500 in at most 60 s are asked for.
 */
import { loadavg } from "node:os";
import { setTimeout as wait } from "node:timers/promises";

import { createClient, type Client } from "#client/client.ts";
import { Failure } from "#kernel/failure.ts";
import { startThrowaway, type Cloud } from "#tour/cloud.ts";

import { familyOf } from "#test/bench/processes.ts";
import { compiledProgram } from "#test/bench/program.ts";
import { startBenchCluster, type BenchCluster } from "./cluster.ts";

const machines = Number(process.argv[2] ?? 500);
const limitSeconds = (machines / 500) * 60;
const nodes = 20;
const atOnce = 8;
const lookMs = 200;
const untilMs = 600_000;
const sshKey =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH0000000000000000000000000000000000000000000 bench";

await using closers = new AsyncDisposableStack();
const cluster = await startBenchCluster(nodes);
closers.defer(() => cluster.close());
const { signal } = new AbortController();
const cloud = await startThrowaway({
  signal,
  flags: ["--local", "off", "--clusters", cluster.file],
  program: await compiledProgram(),
});
closers.defer(() => cloud.close());
const customer = await newCustomer(cloud);
await rent(customer, "warm", 1);
await untilRunning(customer, 1);
const requestsBefore = await cluster.requests();
const cpuBefore = cpuOf(cloud, cluster);

const startedAt = performance.now();
const seconds = (): number => (performance.now() - startedAt) / 1000;
await rent(customer, "m", machines);
const ordered = seconds();
await untilRunning(customer, machines + 1);
const running = seconds();

const cpu = cpuOf(cloud, cluster).map((each, place) => each - (cpuBefore[place] ?? 0));
const requests = await cluster.requests();
print(`${machines} machines on ${nodes + 2} nodes, ${atOnce} orders in flight, load ${load()}`);
print(`ordered after ${ordered.toFixed(1)} s, all observed running after ${running.toFixed(1)} s`);
print(
  `CPU: program ${cpu[0]?.toFixed(1)} s, PostgreSQL ${cpu[1]?.toFixed(1)} s, test cluster ${cpu[2]?.toFixed(1)} s`,
);
for (const [what, count] of Object.entries(requests.requests)) {
  const more = count - (requestsBefore.requests[what] ?? 0);
  if (more > 0) print(`  ${(more / machines).toFixed(2)} a machine: ${what}`);
}
print(
  `${running <= limitSeconds ? "met" : "MISSED"}: ${running.toFixed(1)} s of at most ${limitSeconds} s, ratio ${(running / limitSeconds).toFixed(2)}`,
);

async function newCustomer(of: Cloud): Promise<Client> {
  const operator = createClient({ baseUrl: of.url, credential: of.key });
  const { tenant, administrator } = await operator.call("createTenant", {
    body: { name: "bench" },
  });
  const payer = createClient({ baseUrl: of.url, credential: of.key, tenant: tenant.id });
  await payer.call("createTopUp", { body: { amount: "100000000", reference: "bench" } });
  const wide = 100_000_000;
  await payer.call("updateQuota", {
    body: { vcpus: wide, memoryMiB: wide, diskGiB: wide, leases: wide },
  });
  const client = createClient({ baseUrl: of.url, credential: administrator.secret });
  await client.call("createSshKey", { body: { name: "bench", publicKey: sshKey } });
  const until = performance.now() + untilMs;
  while ((await operator.call("listHosts")).items.length < nodes) {
    if (performance.now() > until) throw new Failure("timeout", "The nodes were not seen.");
    await wait(lookMs);
  }
  return client;
}

async function rent(client: Client, name: string, count: number): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      const body = { name: `${name}-${next}`, flavor: "nano", image: "tiny" };
      await client.call("createLease", { body });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}

async function untilRunning(client: Client, count: number): Promise<void> {
  const until = performance.now() + untilMs;
  for (;;) {
    let seen = 0;
    for await (const { state } of client.items("listLeases", { query: { state: "running" } })) {
      if (state === "running") seen += 1;
    }
    if (seen >= count) return;
    if (performance.now() > until) throw new Failure("timeout", `Only ${seen} run.`);
    await wait(lookMs);
  }
}

/** Of the program, of its PostgreSQL, of the cluster. */
function cpuOf(of: { readonly pid: number }, other: BenchCluster): readonly number[] {
  const family = familyOf(of.pid);
  const sum = (which: (program: string) => boolean): number =>
    family
      .filter(({ program }) => which(program))
      .reduce((all, each) => all + each.cpuSeconds + each.endedCpuSeconds, 0);
  const [own] = familyOf(other.pid);
  return [sum((each) => !isPostgres(each)), sum(isPostgres), own?.cpuSeconds ?? 0];
}

function isPostgres(program: string): boolean {
  return program.startsWith("postgres");
}

function load(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
