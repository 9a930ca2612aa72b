/** The play itself: a tenant, a VM, a job, a bill, and the check that the bill is right. */
import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";

import { createClient, type Client } from "#client/client.ts";
import type { AnswerOf } from "#client/types.ts";
import { Failure } from "#kernel/failure.ts";

import { checkBill, type Seen } from "./check.ts";
import type { Cloud } from "./cloud.ts";
import { playJob } from "./job.ts";
import { proveBill } from "./proof.ts";
import { createIdentity, ssh, type Identity } from "./ssh.ts";
import type { Stage } from "./stage.ts";

type Lease = AnswerOf<"getLease">;

const flavor = "nano";
const waitSeconds = 30;
const operationTimeoutMs = 300_000;

export async function play(cloud: Cloud, stage: Stage, signal: AbortSignal): Promise<void> {
  const operator = createClient({ baseUrl: cloud.url, credential: cloud.key, signal });
  const name = `tour-${randomBytes(3).toString("hex")}`;

  const { tenant, administrator } = await stage.step(`Tenant ${name} is created`, () =>
    operator.call("createTenant", { body: { name } }),
  );
  const customer = createClient({
    baseUrl: cloud.url,
    credential: administrator.secret,
    signal,
  });
  const payer = createClient({
    baseUrl: cloud.url,
    credential: cloud.key,
    tenant: tenant.id,
    signal,
  });
  await stage.step("It tops up 100 yuan", async () => {
    const { balance } = await payer.call("createTopUp", {
      body: { amount: "100", reference: `tour ${name}` },
    });
    stage.fact(`available ${balance.available} CNY`);
  });
  await stage.step(`It asks the price of ${flavor}`, async () => {
    const { price } = await customer.call("quote", { body: { flavor } });
    stage.fact(`${price.hourly ?? "?"} CNY per hour, ${price.monthly ?? "?"} CNY per 30 days`);
  });

  const identity = await createIdentity();
  try {
    await customer.call("createSshKey", { body: { name: "tour", publicKey: identity.publicKey } });
    const seen = await playLease(customer, stage, identity);
    const jobSeen = await playJob(customer, stage);
    const bill = await checkBill(customer, stage, [...seen, jobSeen]);
    await proveBill(customer, stage, bill);
  } finally {
    await identity.remove();
    await operator
      .call("updateTenant", { params: { tenantId: tenant.id }, body: { state: "suspended" } })
      .catch(() => undefined);
  }
}

/** Rents, uses, stops, starts, uses and releases a machine; gives when it was seen to run. */
async function playLease(client: Client, stage: Stage, identity: Identity): Promise<Seen[]> {
  const rented = await stage.step("It rents a virtual machine", async () => {
    const { lease, operation } = await client.call("createLease", {
      body: { name: "tour-vm", flavor },
    });
    await done(client, operation);
    const ready = await client.call("getLease", { params: { leaseId: lease.id } });
    stage.fact(`${ready.start ?? "?"} start, ${ready.execution ?? "?"}; ${sshLine(ready)}`);
    return ready;
  });
  const key = { params: { leaseId: rented.id } };
  const runs: Seen[] = [];
  let from = Date.parse(rented.readyAt ?? "");
  await stage.step("ssh answers uname -a", async () => {
    stage.fact(await ssh(identity, rented, "uname -a && echo kept > /root/note && sync"));
  });
  await stage.step("It is stopped", async () => {
    const { operation } = await client.call("stopLease", { ...key, body: { graceSeconds: 20 } });
    await done(client, operation);
    runs.push({ what: "vm", resourceId: rented.id, from, until: Date.now() });
  });
  await stage.step("It is started; what was written is still there", async () => {
    const { operation } = await client.call("startLease", key);
    await done(client, operation);
    const lease = await client.call("getLease", key);
    from = Date.parse(lease.readyAt ?? "");
    const note = await ssh(identity, lease, "cat /root/note");
    if (note.trim() !== "kept") throw new Failure("internal", `The file said ${note}.`);
  });
  await stage.step("It is released", async () => {
    const { operation } = await client.call("releaseLease", key);
    await done(client, operation);
    runs.push({ what: "vm", resourceId: rented.id, from, until: Date.now() });
  });
  return runs;
}

export async function done(client: Client, operation: AnswerOf<"getOperation">): Promise<void> {
  const until = performance.now() + operationTimeoutMs;
  let current = operation;
  while (current.state === "running" && performance.now() < until) {
    current = await client.call("getOperation", {
      params: { operationId: current.id },
      query: { waitSeconds },
    });
    if (current.state === "running") await wait(50);
  }
  if (current.state === "succeeded") return;
  throw new Failure(
    "internal",
    `${current.kind} ended as ${current.state}: ${current.reason?.message ?? "no reason is known"}`,
  );
}

function sshLine(lease: Lease): string {
  return lease.endpoints[0]?.command ?? "no SSH address";
}
