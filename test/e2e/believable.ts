/**
 * Customers as a cloud has them after three weeks: what runs, waits, stopped and failed, what was used
 * and paid. The past is told by the operator's meters, which may send events late (R-RAW); everything
 * else is done through the API as people do it.
 */
import { setTimeout as wait } from "node:timers/promises";

import { createClient, type Client } from "#client/client.ts";

import { invoiceFor, lastDayOfClosedMonth } from "./closed-month.ts";
import type { ConsoleCloud, Customer } from "./console-cloud.ts";

export const believableFlags = [
  "--local",
  "off",
  "--simulate-gpus",
  "A10=2,A100=16,T4=16",
  "--test-payments",
  "on",
] as const;

export interface Believable {
  /** Whose pages are shown. */
  readonly main: Customer;
  /** What stands in the paths of pages, by the name that it has there. The job ended well. */
  readonly ids: Readonly<Record<string, string>>;
  readonly waitingJobId: string;
  /** Of the last month that is over: its invoice, and another customer's, which was taken back. */
  readonly closed: {
    readonly month: string;
    readonly second: Customer;
    readonly voided: string;
    readonly creditNote: string;
  };
}

const daysOfHistory = 20;
const hourMs = 3_600_000;

export async function furnish(cloud: ConsoleCloud): Promise<Believable> {
  const main = await newCustomer(cloud, "lumen-robotics", "Lumen Robotics", "48000");
  const second = await newCustomer(cloud, "chenghai-ai", "澄海智能", "26000");
  const third = await newCustomer(cloud, "halcyon-bio", "Halcyon Bio", "3000");
  await newCustomer(cloud, "quiet-harbor", "Quiet Harbor Studio", undefined);
  const day = lastDayOfClosedMonth(Date.now());
  const [invoice, voided] = await Promise.all([
    invoiceFor(cloud, main, {
      day,
      used: [
        { sku: "gpu.A100", unit: "GPU", units: 2 },
        { sku: "cpu.core", unit: "core", units: 16 },
        { sku: "mem.gib", unit: "GiB", units: 64 },
      ],
    }),
    invoiceFor(cloud, second, { day, used: [{ sku: "gpu.A100", unit: "GPU", units: 1 }] }),
    history(cloud, main, [
      { sku: "gpu.A100", unit: "GPU", units: 2, hoursADay: 9, grows: true },
      { sku: "gpu.T4", unit: "GPU", units: 1, hoursADay: 24, grows: false },
      { sku: "cpu.core", unit: "core", units: 16, hoursADay: 9, grows: true },
      { sku: "mem.gib", unit: "GiB", units: 64, hoursADay: 9, grows: true },
    ]),
    history(cloud, second, [
      { sku: "gpu.A100", unit: "GPU", units: 1, hoursADay: 14, grows: false },
    ]),
    history(cloud, third, [{ sku: "gpu.T4", unit: "GPU", units: 1, hoursADay: 4, grows: true }]),
  ]);
  await people(main);
  await main.client.call("createSshKey", {
    body: {
      name: "laptop",
      publicKey:
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG9saXZlIHRyZWUgYnkgdGhlIHdhdGVyIG1pbGwgcmFj ada@lumen",
    },
  });
  const leaseId = await machines(main);
  await second.client.call("createLease", { body: { name: "annotate", flavor: "t4.1" } });
  await third.client.call("createLease", { body: { name: "folding", flavor: "a100.1" } });
  const groupId = await group(main);
  const { doneJobId, waitingJobId } = await work(main);
  await orders(main);
  await secondCustomer(second);
  await actingFor(cloud, second).call("voidInvoice", {
    params: { invoice: voided },
    body: { reason: "The rack's meter counted a test run" },
  });
  const invoices = (await second.client.call("listInvoices")).items;
  const creditNote = invoices.find(({ kind }) => kind === "credit_note")?.number ?? "";
  const hosts = await cloud.operator.call("listHosts");
  const profiles = await cloud.operator.call("listPriceProfiles");
  const [profile] = profiles.items;
  return {
    main,
    waitingJobId,
    closed: { month: day.slice(0, 7), second, voided, creditNote },
    ids: {
      leaseId,
      groupId,
      jobId: doneJobId,
      hostId: hosts.items[0]?.id ?? "",
      tenantId: main.id,
      profileId: profile?.id ?? "",
      invoice,
    },
  };
}

async function newCustomer(
  cloud: ConsoleCloud,
  name: string,
  displayName: string,
  money: string | undefined,
): Promise<Customer> {
  const customer = await cloud.customer(name, money);
  await cloud.operator.call("updateTenant", {
    params: { tenantId: customer.id },
    body: { displayName },
  });
  await actingFor(cloud, customer).call("updateQuota", {
    body: { vcpus: 256, memoryMiB: 2_097_152, diskGiB: 20_000, gpus: { A10: 8, A100: 16, T4: 8 } },
  });
  return customer;
}

function actingFor(cloud: ConsoleCloud, { id }: Customer): Client {
  return createClient({ baseUrl: cloud.url, credential: cloud.key, tenant: id });
}

interface Used {
  readonly sku: string;
  readonly unit: string;
  readonly units: number;
  readonly hoursADay: number;
  /** More from week to week. */
  readonly grows: boolean;
}

/** Of this month, an hour an event; weekends are quieter. */
async function history(
  cloud: ConsoleCloud,
  customer: Customer,
  skus: readonly Used[],
): Promise<void> {
  const projects = await customer.client.call("listProjects");
  const project = projects.items[0]?.id ?? customer.id;
  const today = Math.floor(Date.now() / (24 * hourMs)) * 24 * hourMs;
  const events: unknown[] = [];
  const latest = Date.now() - 2 * hourMs;
  for (let day = 0; day <= daysOfHistory; day += 1) {
    const begin = today - day * 24 * hourMs;
    const isWeekend = [0, 6].includes(new Date(begin).getUTCDay());
    for (const { sku, unit, units, hoursADay, grows } of skus) {
      const share = (isWeekend ? 0.4 : 1) * (grows ? 1.2 - day / 30 : 1);
      const hours = Math.max(1, Math.round(hoursADay * share));
      for (let hour = 0; hour < hours; hour += 1) {
        const from = begin + hour * hourMs;
        // A month that is over may be closed.
        if (from > latest || monthOf(from) !== monthOf(Date.now())) continue;
        events.push(recorded({ customer, project, sku, unit, units, from }));
      }
    }
  }
  for (let at = 0; at < events.length; at += 1000) {
    // oxlint-disable-next-line no-await-in-loop -- one batch after the other
    const { results } = await cloud.operator.call("recordUsage", {
      body: events.slice(at, at + 1000),
    });
    const refused = results.find(({ outcome }) => outcome !== "accepted");
    if (refused !== undefined) throw new Error(`An event of the past: ${JSON.stringify(refused)}`);
  }
}

/** In Shanghai, where tenants are unless they say otherwise. */
function monthOf(ms: number): string {
  return new Date(ms + 8 * hourMs).toISOString().slice(0, 7);
}

function inSeconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

function recorded(of: {
  readonly customer: Customer;
  readonly project: string;
  readonly sku: string;
  readonly unit: string;
  readonly units: number;
  readonly from: number;
}): unknown {
  const end = inSeconds(of.from + hourMs);
  const machine = `0190c2b4-0000-7000-8000-${of.customer.id.slice(-12)}`;
  return {
    specversion: "1.0",
    source: "/meters/racks",
    id: `${of.customer.id}/${of.sku}/${inSeconds(of.from).replaceAll(/[^0-9]/g, "")}`,
    type: "compute.usage.recorded.v1",
    time: end,
    datacontenttype: "application/json",
    data: {
      tenant: of.customer.id,
      project: of.project,
      request: machine,
      instance: machine,
      interval: machine,
      work: "lease",
      plan: "on_demand",
      sku: of.sku,
      unit: of.unit,
      units: String(of.units),
      slice: 1,
      from: inSeconds(of.from),
      until: end,
      billable: true,
      reason: null,
    },
  };
}

async function people({ client }: Customer): Promise<void> {
  for (const [name, email, role] of [
    ["Ada Lindqvist", "ada@lumen.example", "domain_admin"],
    ["王晓雨", "xiaoyu@lumen.example", "user"],
    ["Noor Haddad", "noor@lumen.example", "billing"],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- in this order
    await client.call("createUser", { body: { name, email, role } });
  }
  for (const name of ["perception", "training", "fleet-sim"]) {
    // oxlint-disable-next-line no-await-in-loop -- in this order
    await client.call("createProject", { body: { name } });
  }
}

async function machines({ client }: Customer): Promise<string> {
  const made = new Map<string, string>();
  for (const [name, flavor] of [
    ["train-lidar-01", "a100.2"],
    ["notebook-ada", "t4.1"],
    ["labeling-api", "medium"],
    ["eval-nightly", "t4.1"],
    ["old-bench", "t4.1"],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- in this order
    const { lease } = await client.call("createLease", { body: { name, flavor } });
    made.set(name, lease.id);
  }
  const idOf = (name: string): string => made.get(name) ?? "";
  await until(async () => {
    const { items } = await client.call("listLeases");
    return items.every(({ state }) => state === "running");
  });
  await client.call("stopLease", { params: { leaseId: idOf("eval-nightly") } });
  await client.call("releaseLease", { params: { leaseId: idOf("old-bench") } });
  const params = { leaseId: idOf("train-lidar-01") };
  await client.call("createSnapshot", { params, body: { name: "before-upgrade" } });
  return params.leaseId;
}

async function group({ client }: Customer): Promise<string> {
  const made = await client.call("createGroup", {
    body: {
      name: "inference",
      flavor: "t4.1",
      min: 1,
      max: 3,
      targets: [{ signal: "cpu", value: 60 }],
    },
  });
  return made.id;
}

async function work({ client }: Customer): Promise<{ doneJobId: string; waitingJobId: string }> {
  const submit = async (
    name: string,
    flavor: string,
    environment: Record<string, string>,
  ): Promise<string> => {
    const script = `#!/bin/sh\nset -e\npython train.py --config configs/${name}.yaml\n`;
    const body = { name, flavor, script, environment, timeLimitSeconds: 7200 };
    return (await client.call("createJob", { body })).id;
  };
  const doneJobId = await submit("eval-checkpoint-41", "t4.1", {
    SIMULATE_SECONDS: "2",
    SIMULATE_LINES: "240",
  });
  await submit("convert-onnx", "t4.1", { SIMULATE_EXIT: "2", SIMULATE_LINES: "12" });
  await submit("pretrain-base", "a10.1", { SIMULATE_SECONDS: "5000", SIMULATE_LINES: "400" });
  await submit("sweep-lr-a", "a10.1", { SIMULATE_SECONDS: "5000", SIMULATE_LINES: "400" });
  const waitingJobId = await submit("sweep-lr-b", "a10.1", { SIMULATE_SECONDS: "5000" });
  await submit("distill-small", "a10.1", { SIMULATE_SECONDS: "600" });
  await until(async () => {
    const { state } = await client.call("getJob", { params: { jobId: doneJobId } });
    return state === "succeeded";
  });
  return { doneJobId, waitingJobId };
}

async function orders({ client }: Customer): Promise<void> {
  const quote = await client.call("quoteOrder", { body: { kind: "package", code: "P1000" } });
  await client.call("buyPackage", {
    body: { code: "P1000", expectedAmount: quote.amount },
  });
  await client.call("createPayment", {
    body: { amount: "20000", method: "bank_transfer" },
  });
  await client.call("submitApplication", {
    body: {
      company: "Lumen Robotics",
      scale: "51-500",
      monthlyBudget: "60000",
      demand: "Training of perception models: 16 A100 by spring, a reserve on weekdays.",
      contact: "ada@lumen.example",
    },
  });
}

async function secondCustomer(second: Customer): Promise<void> {
  await second.client.call("submitApplication", {
    body: {
      company: "澄海智能科技有限公司",
      scale: "11-50",
      monthlyBudget: "30000",
      demand: "多模态模型微调，工作日白天使用。",
      contact: "ops@chenghai.example",
    },
  });
}

async function until(check: () => Promise<boolean>): Promise<void> {
  const endMs = Date.now() + 180_000;
  // oxlint-disable no-await-in-loop -- one look after the other
  while (!(await check())) {
    if (Date.now() > endMs) throw new Error(`This did not come to be: ${check.toString()}`);
    await wait(200);
  }
  // oxlint-enable no-await-in-loop
}
