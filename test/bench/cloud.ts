/** A cloud to measure: a process of its own, with one customer who has money and a key. */
import { setTimeout as wait } from "node:timers/promises";

import { createClient, type Client } from "#client/client.ts";
import { Failure } from "#kernel/failure.ts";
import { startThrowaway } from "#tour/cloud.ts";
import { done } from "#tour/play.ts";
import { login, type Identity } from "#tour/ssh.ts";

import { familyOf } from "./processes.ts";
import { compiledProgram } from "./program.ts";

export interface MeasuredCloud {
  readonly pid: number;
  readonly url: string;
  readonly credential: string;
  readonly client: Client;
  readonly close: () => Promise<void>;
}

export async function startMeasured(
  flags: readonly string[],
  identity: Identity,
): Promise<MeasuredCloud> {
  const { signal } = new AbortController();
  const cloud = await startThrowaway({ signal, flags, program: await compiledProgram() });
  const operator = createClient({ baseUrl: cloud.url, credential: cloud.key });
  const { tenant, administrator } = await operator.call("createTenant", {
    body: { name: "bench" },
  });
  const payer = createClient({ baseUrl: cloud.url, credential: cloud.key, tenant: tenant.id });
  await payer.call("createTopUp", { body: { amount: "100000", reference: "bench" } });
  const client = createClient({ baseUrl: cloud.url, credential: administrator.secret });
  await client.call("createSshKey", { body: { name: "bench", publicKey: identity.publicKey } });
  return {
    pid: cloud.pid,
    url: cloud.url,
    credential: administrator.secret,
    client,
    close: async () => {
      await releaseAll(client);
      await cloud.close();
    },
  };
}

const imagesTimeoutMs = 1_200_000;
const lookMs = 1_000;

/** The first cloud of a clone builds images in the background, on the CPUs that are measured. */
export async function untilImagesBuilt({ client }: MeasuredCloud): Promise<void> {
  const until = performance.now() + imagesTimeoutMs;
  while (performance.now() < until) {
    const { items } = await client.call("listImages");
    if (items.every(({ state }) => state !== "building")) return;
    await wait(lookMs);
  }
  throw new Failure("timeout", "The images were not built in time to measure anything.");
}

/** A paused machine uses no CPU; one that is being made ready does. */
const standingLooks = 4;
const standingLookMs = 500;
const standingTimeoutMs = 120_000;

/** Until one machine stands ready and nothing is made any more: as a customer finds the cloud. */
export async function untilStanding({ pid }: MeasuredCloud): Promise<void> {
  const until = performance.now() + standingTimeoutMs;
  let before = "";
  for (let same = 0; performance.now() < until;) {
    const machines = familyOf(pid).filter(({ program }) => program.startsWith("qemu-system"));
    const seen = machines.map((machine) => `${machine.pid} ${machine.cpuSeconds}`).join();
    same = machines.length === 1 && seen === before ? same + 1 : 0;
    if (same >= standingLooks) return;
    before = seen;
    await wait(standingLookMs);
  }
  throw new Failure("timeout", "No machine stood ready in time to measure how soon it is used.");
}

export interface Readied {
  readonly seconds: number;
  readonly start: string;
}

/** From `POST /leases` to an SSH login. The lease stays. */
export async function rentAndLogIn(
  client: Client,
  identity: Identity,
  name: string,
): Promise<Readied> {
  const startedAt = performance.now();
  const { lease, operation } = await client.call("createLease", { body: { name, flavor: "nano" } });
  await done(client, operation);
  const ready = await client.call("getLease", { params: { leaseId: lease.id } });
  const [endpoint] = ready.endpoints;
  if (endpoint === undefined) throw new Failure("internal", "The lease has no SSH address.");
  await login(identity, endpoint, "true");
  return { seconds: (performance.now() - startedAt) / 1000, start: ready.start ?? "?" };
}

export async function releaseAll(client: Client): Promise<void> {
  const operations = [];
  for await (const lease of client.items("listLeases")) {
    if (lease.releasedAt !== null) continue;
    const answer = await client.call("releaseLease", { params: { leaseId: lease.id } });
    operations.push(answer.operation);
  }
  await Promise.all(operations.map((operation) => done(client, operation)));
}

/** From `POST /jobs` to the first line of its log. */
export async function firstLogLine(client: Client, name: string): Promise<number> {
  const startedAt = performance.now();
  const job = await client.call("createJob", {
    body: { name, flavor: "nano", script: "echo first", timeLimitSeconds: 120 },
  });
  let seconds: number | undefined;
  for await (const event of client.events("followJobLog", { params: { jobId: job.id } })) {
    if (event.event === "log" || seconds === undefined) {
      seconds ??= (performance.now() - startedAt) / 1000;
    }
  }
  return seconds ?? Number.NaN;
}
