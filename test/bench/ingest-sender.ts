/**
 * A meter elsewhere, as a process of its own, so that what it costs is not counted: sends a month of
 * usage over HTTP in batches, two at a time, and writes down how each was answered. `once`: each
 * event once. `repeated`: each batch twice. `mixed`: half of each batch is new, the other half, in
 * turns with it, was new in the batch before.
 * `node --conditions=source test/bench/ingest-sender.ts URL KEY PLAN`
 */
import { Agent, request } from "node:http";
import { json } from "node:stream/consumers";

import { z } from "zod";

import { dayStart, addDays, localDay } from "#kernel/calendar.ts";
import { billingZone } from "#kernel/zone.ts";

const plan = z
  .object({
    tenants: z.array(z.string()),
    events: z.int(),
    order: z.enum(["once", "repeated", "mixed"]),
    /** Tells the events of one run from those of another. */
    name: z.string(),
  })
  .parse(JSON.parse(process.argv[4] ?? ""));

const hourMs = 3_600_000;
const first = localDay("2026-04-01");
const days = 30;
const eventsPerBatch = 1_000;
const inFlight = 2;
const skus = [
  ["gpu.T4", "GPU", "1"],
  ["cpu.core", "core", "8"],
  ["mem.gib", "GiB", "32"],
] as const;

const dayStarts = Array.from({ length: days }, (_, day) =>
  dayStart(billingZone, addDays(first, day)),
);

function instant(ms: number): string {
  return new Date(ms).toISOString().replace(".000", "");
}

/** An hour of one SKU of one machine; each machine runs for a day. */
function eventAt(index: number): unknown {
  const [sku, unit, units] = skus[index % skus.length] ?? skus[0];
  const hours = Math.floor(index / skus.length);
  const machine = Math.floor(hours / 24);
  const from = (dayStarts[machine % days] ?? 0) + (hours % 24) * hourMs;
  const serial = machine.toString(16).padStart(12, "0");
  const instance = `0190c2b4-0000-7000-${plan.name === "run" ? 8000 : 9000}-${serial}`;
  const until = instant(from + hourMs);
  return {
    data: {
      billable: true,
      from: instant(from),
      instance,
      interval: instance,
      plan: "on_demand",
      project: instance,
      reason: null,
      request: instance,
      sku,
      slice: 1,
      tenant: plan.tenants[machine % plan.tenants.length],
      unit,
      units,
      until,
      work: "lease",
    },
    datacontenttype: "application/json",
    id: `${plan.name}/${index}`,
    source: "/meters/bench",
    specversion: "1.0",
    time: until,
    type: "compute.usage.recorded.v1",
  };
}

const answerSchema = z.object({
  accepted: z.int(),
  duplicates: z.int(),
  results: z.array(z.unknown()),
});

const agent = new Agent({ keepAlive: true });

async function post(body: string): Promise<z.output<typeof answerSchema>> {
  const answer = await new Promise<unknown>((resolve, reject) => {
    const sent = request(
      `${process.argv[2]}/v1/usage-events`,
      {
        method: "POST",
        agent,
        headers: {
          authorization: `Bearer ${process.argv[3]}`,
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
        },
      },
      (response) => {
        void json(response).then(resolve, reject);
      },
    );
    sent.once("error", reject);
    sent.end(body);
  });
  return answerSchema.parse(answer);
}

const totals = { accepted: 0, duplicates: 0, others: 0 };
let next = 0;

/** The events of the next batch; none once all were sent. */
function nextBatch(): unknown[] {
  const isMixed = plan.order === "mixed";
  const size = isMixed ? eventsPerBatch / 2 : eventsPerBatch;
  const from = next;
  next += size;
  const batch: unknown[] = [];
  for (let index = from; index < from + size; index += 1) {
    if (index < plan.events) batch.push(eventAt(index));
    if (isMixed && index >= size && index - size < plan.events) batch.push(eventAt(index - size));
  }
  return batch;
}

async function sendAll(): Promise<void> {
  for (let batch = nextBatch(); batch.length > 0; batch = nextBatch()) {
    const body = JSON.stringify(batch);
    for (let copy = 0; copy < (plan.order === "repeated" ? 2 : 1); copy += 1) {
      // oxlint-disable-next-line no-await-in-loop -- so many in flight
      const { accepted, duplicates, results } = await post(body);
      totals.accepted += accepted;
      totals.duplicates += duplicates;
      totals.others += results.length - accepted - duplicates;
    }
  }
}

await Promise.all(Array.from({ length: inFlight }, sendAll));
agent.destroy();
process.stdout.write(JSON.stringify(totals));
