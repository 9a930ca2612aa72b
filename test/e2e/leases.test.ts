import { randomUUID } from "node:crypto";

import { expect, test, vi } from "vitest";
import { z } from "zod";

import { addCustomer, rent, startCloud, succeeded } from "#test/vm/cloud.ts";

const cloud = await startCloud("--local", "off", "--simulate-gpus", "A100=2,T4=1");
const acme = await addCustomer(cloud, "acme");

/** As a program without our client would send it. */
async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const answer = await fetch(`${cloud.app().url ?? ""}${path}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${acme.credential}`,
      "content-type": "application/json",
      ...headers,
    },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: answer.status, problem: answerSchema.parse(await answer.json()) };
}

const answerSchema = z.looseObject({ lease: z.object({ id: z.string() }).optional() });

const good = { name: "good", flavor: "nano" };

test.each([
  ["malformed JSON", '{"name": ', 400],
  ["an unknown field", { ...good, gpuz: 1 }, 400],
  ["a number for a name", { ...good, name: 7 }, 400],
  ["quotes in a name", { ...good, name: `a"b'c` }, 400],
  ["a newline in a name", { ...good, name: "a\nb" }, 400],
  ["shell characters in a name", { ...good, name: "$(reboot)" }, 400],
  ["an empty name", { ...good, name: "" }, 400],
  ["a name of 64 characters", { ...good, name: "a".repeat(64) }, 400],
  ["an unknown flavor", { ...good, flavor: "huge.9" }, 422],
  ["an unknown image", { ...good, image: "windows-95" }, 422],
  ["no disk", { ...good, diskGiB: 0 }, 400],
  ["a negative disk", { ...good, diskGiB: -1 }, 400],
  ["half a GiB", { ...good, diskGiB: 1.5 }, 400],
  ["a disk beyond the limit", { ...good, diskGiB: 65_537 }, 400],
  ["a disk that the quota forbids, and no host has", { ...good, diskGiB: 65_536 }, 403],
  ["a number that JSON cannot hold", '{"name":"good","flavor":"nano","diskGiB":1e999}', 400],
  ["user data for an image that takes none", { ...good, userData: "#cloud-config" }, 422],
  ["user data beyond the limit", { ...good, userData: "x".repeat(16_385) }, 400],
  ["an SSH key that is not there", { ...good, sshKeys: ["nobody"] }, 404],
  ["a project of nobody", { ...good, projectId: randomUUID() }, 404],
  ["a flavor without a price", { ...good, flavor: "h100.1" }, 422],
])("bad input to POST /leases: %s", async (_what, body, status) => {
  const answer = await post("/v1/leases", body);
  expect(answer).toMatchObject({ status, problem: { status, requestId: expect.any(String) } });
  const { items } = await acme.client().call("listLeases");
  expect(items).toEqual([]);
});

test("M-VM-03, O-07: no balance and too small a quota are refused with limit, use and ask", async () => {
  const operator = cloud.client(cloud.operatorKey);
  const { tenant, administrator } = await operator.call("createTenant", { body: { name: "poor" } });
  const poor = cloud.client(administrator.secret);
  await expect(poor.call("createLease", { body: good })).rejects.toMatchObject({
    code: "insufficient_credit",
    details: { available: "0.00", hold: "0.53" },
  });
  const asOperator = cloud.client(cloud.operatorKey, tenant.id);
  await asOperator.call("createTopUp", { body: { amount: "10", reference: "first" } });
  await asOperator.call("updateQuota", { body: { vcpus: 1 } });
  await rent(poor, { name: "one" });
  await expect(poor.call("createLease", { body: good })).rejects.toMatchObject({
    code: "quota_exceeded",
    details: { quota: [{ resource: "vcpus", limit: 1, used: 1, asked: 1 }] },
  });
});

test("S-06, R-GPU-06: what does not fit now waits, says why with numbers, and starts when room is made", async () => {
  const client = acme.client();
  const first = await rent(client, { name: "gpu1", flavor: "t4.1" });
  const { lease } = await client.call("createLease", { body: { name: "gpu2", flavor: "t4.1" } });
  await vi.waitFor(async () => {
    expect(await client.call("getLease", { params: { leaseId: lease.id } })).toMatchObject({
      state: "queued",
      reason: {
        code: "no_host_fits",
        message: expect.stringContaining("GPUs are taken on 1"),
      },
    });
  });
  const release = { params: { leaseId: first.id } };
  await succeeded(client, (await client.call("releaseLease", release)).operation);
  await vi.waitFor(
    async () => {
      expect(await client.call("getLease", { params: { leaseId: lease.id } })).toMatchObject({
        state: "running",
      });
    },
    { timeout: 30_000 },
  );
  const last = { params: { leaseId: lease.id } };
  await succeeded(client, (await client.call("releaseLease", last)).operation);
});

test("what runs per hour counts a stopped lease's disk, and nothing once it is released", async () => {
  const client = (await addCustomer(cloud, "thrifty")).client();
  const burn = async () => (await client.call("getBalance")).burnPerHour;
  const lease = await rent(client, { name: "idle", flavor: "t4.1" });
  const disk = lease.price.lines.find(({ sku }) => sku === "storage")?.hourly;
  expect(await burn()).toBe(lease.price.hourly);
  const stop = await client.call("stopLease", { params: { leaseId: lease.id } });
  await succeeded(client, stop.operation);
  expect(await burn()).toBe(disk);
  const release = await client.call("releaseLease", { params: { leaseId: lease.id } });
  await succeeded(client, release.operation);
  expect(await burn()).toBe("0.00");
});

test("one idempotency key makes one lease, and with another body is refused", async () => {
  const key = { "idempotency-key": randomUUID() };
  const body = { name: "once", flavor: "nano" };
  const both = await Promise.all([post("/v1/leases", body, key), post("/v1/leases", body, key)]);
  expect(new Set(both.map(({ problem }) => problem.lease?.id)).size).toBe(1);
  expect(await post("/v1/leases", { ...body, name: "twice" }, key)).toMatchObject({
    status: 422,
    problem: { code: "idempotency_mismatch" },
  });
  const { items } = await acme.client().call("listLeases", { query: { name: "once" } });
  expect(items).toHaveLength(1);
});

test("a lease with a name that is taken is a conflict; a released name is free again", async () => {
  const client = acme.client();
  const lease = await rent(client, { name: "name" });
  await expect(
    client.call("createLease", { body: { ...good, name: "name" } }),
  ).rejects.toMatchObject({ code: "conflict" });
  const key = { params: { leaseId: lease.id } };
  await succeeded(client, (await client.call("releaseLease", key)).operation);
  await rent(client, { name: "name" });
});

test("P-21, M-VM-06: GPU offers carry price, isolation and how many are free; simulated says so", async () => {
  const { items } = await acme.client().call("listOffers");
  const of = (name: string) => items.find(({ flavor }) => flavor.name === name);
  expect(of("a100.1")).toMatchObject({
    freeNow: 2,
    execution: "simulated",
    isolation: "hard",
    price: { status: "priced" },
  });
  expect(of("h100.1")).toMatchObject({
    freeNow: 0,
    price: { status: "on_request", hourly: null },
  });
  expect(of("t4.quarter")).toMatchObject({ freeNow: 4 });
});

test("O-04, I-DES-03: every change is in the audit log, refusals too", async () => {
  const { items } = await acme.client().call("listAudit", { query: { limit: 200 } });
  const done = items.filter(({ outcome }) => outcome === "done").map(({ action }) => action);
  expect(done).toEqual(expect.arrayContaining(["lease.create", "lease.release", "ssh-key.create"]));
  const refused = items.filter(({ outcome }) => outcome === "refused");
  expect(refused.map(({ action }) => action)).toContain("lease.create");
});
