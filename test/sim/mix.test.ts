/** Hosted jobs and leased machines from one pool: how the two are sold beside each other. */
import { expect, test } from "vitest";
import { z } from "zod";

import { heldForNothing } from "#orders/held-for-nothing.ts";
import { sql } from "#db/sql.ts";

import { orderCloud, type Customer } from "./order-cloud.ts";

const cloud = await orderCloud("2026-05-04T10:00:00", { gpus: "T4=1,A100=2" });
const { db } = cloud;

const claimRow = z.object({ device: z.string(), slice: z.int(), request: z.string() });

/** Which device works hold now. */
function claims(): Promise<z.output<typeof claimRow>[]> {
  return db.rows(
    sql`select c.device_id as device, c.slice, i.request_id as request
      from gpu_claim c join instance i on i.tenant_id = c.tenant_id and i.id = c.instance_id
      where i.state <> 'gone' order by i.created_at`,
    claimRow,
  );
}

function quarter(of: Customer, seconds: string): Promise<{ readonly id: string }> {
  const environment = { SIMULATE_SECONDS: seconds };
  const body = { name: "train", flavor: "t4.quarter", script: "true", environment };
  return of.api.call("createJob", { body });
}

test("M-MIX-01, M-MIX-02: short jobs of many customers share one GPU, and a lease has it when they are over", async () => {
  // A script and a flavor are all that a job needs; a new customer may have many of them at once.
  const customers: Customer[] = [];
  for (const yuan of ["50.00", "50.00", "50.00", "50.00"]) {
    // oxlint-disable-next-line no-await-in-loop -- four customers
    customers.push(await cloud.customer(yuan));
  }
  const { limits } = (await customers[0]?.api.call("getQuota")) ?? {
    limits: { jobs: 0, leases: 0 },
  };
  expect(limits.jobs).toBeGreaterThan(limits.leases);
  const jobs = await Promise.all(customers.map((of) => quarter(of, "2")));
  const held = await cloud.until(async () => {
    const now = await claims();
    expect(now).toHaveLength(4);
    return now;
  });
  expect(new Set(held.map(({ device }) => device)).size).toBe(1);
  expect(held.map(({ slice }) => slice)).toEqual([4, 4, 4, 4]);
  // The lease wants the whole device: it waits, and is told why; the jobs go on.
  const landlord = await cloud.customer("1000.00");
  const { lease } = await landlord.api.call("createLease", {
    body: { name: "vm", flavor: "t4.1" },
  });
  const waits = await cloud.until(async () => {
    const found = await landlord.api.call("getLease", { params: { leaseId: lease.id } });
    expect(found.reason).not.toBeNull();
    return found;
  });
  expect(waits.state).not.toBe("running");
  await cloud.until(async () => {
    for (const [index, of] of customers.entries()) {
      const params = { jobId: jobs[index]?.id ?? "" };
      // oxlint-disable-next-line no-await-in-loop -- four jobs
      expect(await of.api.call("getJob", { params })).toMatchObject({ state: "succeeded" });
    }
  });
  await cloud.until(async () => {
    const found = await landlord.api.call("getLease", { params: { leaseId: lease.id } });
    expect(found.state).toBe("running");
  });
  expect(await claims()).toMatchObject([{ device: held[0]?.device, slice: 1, request: lease.id }]);
  // Four quarters bring the list price of the whole, each paid by the second that it ran.
  const { price } = await landlord.api.call("quote", { body: { flavor: "t4.quarter" } });
  const gpu = price.lines.find(({ sku }) => sku === "gpu.T4");
  expect(gpu).toMatchObject({ units: "0.25", unitPrice: "5", hourly: "1.25" });
  await landlord.api.call("releaseLease", { params: { leaseId: lease.id } });
});

test("M-MIX-03: a leased machine has its device whole and its CPUs to itself, is shaped to wish, and paid ahead", async () => {
  const of = await cloud.customer("20000.00");
  const body = { name: "model", flavor: "a100.1", term: "monthly", expectedAmount: "15000.00" };
  const { subscription } = await of.api.call("orderSubscription", {
    body: { ...body, term: "monthly" },
  });
  await cloud.until(async () => {
    const params = { subscriptionId: subscription.id };
    expect(await of.api.call("getSubscription", { params })).toMatchObject({ state: "active" });
  });
  const { spec } = await db.one(
    sql`select spec from instance where tenant_id = ${of.tenantId}`,
    z.object({
      spec: z.object({
        serviceClass: z.string(),
        cpu: z.object({ sockets: z.int(), cores: z.int(), threads: z.int() }),
        gpus: z.array(z.object({ slice: z.int() })),
      }),
    }),
  );
  expect(spec).toMatchObject({ serviceClass: "core", cpu: { cores: 8 }, gpus: [{ slice: 1 }] });
  // The income of the term is there before the machine is used.
  const { balance } = await of.api.call("getBalance");
  expect(balance).toBe("5000.00");
  expect(await heldForNothing(db)).toEqual([]);
});

test("M-MIX-04, M-MIX-05: one pool is offered with its prices, closed to others, under terms, and billed", async () => {
  const of = await cloud.customer("500.00");
  const stranger = await cloud.customer("500.00");
  const { items } = await of.api.call("listOffers");
  const offer = items.find(({ flavor }) => flavor.name === "t4.quarter");
  expect(offer).toMatchObject({ freeNow: 4, price: { status: "priced" } });
  // Operational assurance: no work before the terms are accepted, with version, text and person.
  const root = cloud.operator(of);
  const terms = { version: "1", textEn: "Terms.", textZh: "条款。", required: true };
  const published = await root.call("publishAgreement", {
    body: { document: "service_agreement", ...terms },
  });
  await expect(quarter(of, "0.2")).rejects.toMatchObject({ code: "rule_violation" });
  const params = { agreementId: published.id };
  await of.api.call("acceptAgreement", { params, body: { sha256: published.sha256 } });
  const job = await quarter(of, "0.2");
  await cloud.until(async () => {
    const found = await of.api.call("getJob", { params: { jobId: job.id } });
    expect(found.state).toBe("succeeded");
  });
  const foreign = stranger.api.call("getJob", { params: { jobId: job.id } });
  await expect(foreign).rejects.toMatchObject({ code: "not_found" });
  // Tiering and billing know of him; what he did is on record.
  expect(await of.api.call("getTier")).toMatchObject({ tier: "normal" });
  const usage = await of.api.call("listUsage", { query: {} });
  expect(usage.items.map(({ sku }) => sku)).toContain("gpu.T4");
  const audit = await root.call("listAudit", { query: { limit: 50 } });
  expect(audit.items.map(({ action }) => action)).toContain("job.create");
});
