/** A cloud to measure: a process of its own, with one customer who has money and a key. */
import { setTimeout as wait } from "node:timers/promises";

import { createClient, type Client } from "#client/client.ts";
import { Failure } from "#kernel/failure.ts";
import { startThrowaway } from "#tour/cloud.ts";
import { done } from "#tour/play.ts";
import { login, type Identity } from "#tour/ssh.ts";

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
  const cloud = await startThrowaway(flags, new AbortController().signal);
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
