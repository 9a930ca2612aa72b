/** Usage of another meter on a bill: corrected, overlapping, late; the bundle of it is proved offline. */
import { buffer } from "node:stream/consumers";

import { v7 as newId } from "uuid";
import { expect, test } from "vitest";

import { exportBundle } from "#bundles/export.ts";
import { newCustomer, signer } from "#bundles/sample.ts";
import { timeText } from "#flow/meter/event.ts";
import { ingestEvents } from "#flow/meter/ingest.ts";
import { sentValues } from "#flow/meter/sent.ts";
import { resolveReview } from "#flow/meter/resolve.ts";
import { usageReviews } from "#flow/meter/review.ts";
import { localMonth } from "#kernel/calendar.ts";
import { timeZone } from "#kernel/zone.ts";
import { formatKey } from "#tlog/keys.ts";
import { nodeHasher, nodeSha256, nodeVerify } from "#tlog/node-crypto.ts";
import { testDatabase } from "#test/database.ts";
import { verifyBundle } from "#verify/verify.ts";

const { db } = await testDatabase();
const berlin = timeZone("Europe/Berlin");
const customer = await newCustomer(db, "acme", berlin);
const { tenantId, at } = customer;
const hour = 3_600_000;

interface Ask {
  readonly id: string;
  readonly from: number;
  readonly hours: number;
  readonly units?: string;
  readonly instance?: string;
}

function usage({ id, from, hours, units = "1", instance = newId() }: Ask): Record<string, unknown> {
  const until = from + hours * hour;
  return {
    specversion: "1.0",
    type: "compute.usage.recorded.v1",
    source: "/meters/rack-7@east",
    id,
    time: timeText(until),
    datacontenttype: "application/json",
    data: {
      tenant: tenantId,
      project: instance,
      request: instance,
      instance,
      interval: instance,
      work: "lease",
      plan: "on_demand",
      sku: "gpu.T4",
      unit: "GPU",
      units,
      slice: 1,
      from: timeText(from),
      until: timeText(until),
      billable: true,
      reason: null,
    },
  };
}

function takeBack(retracts: string, now: number): unknown {
  return {
    specversion: "1.0",
    type: "compute.usage.retracted.v1",
    source: "/meters/rack-7@east",
    id: `${retracts}/back`,
    time: timeText(now),
    datacontenttype: "application/json",
    data: { tenant: tenantId, retracts, reason: "measured twice" },
  };
}

async function send(values: readonly unknown[], now: number): Promise<string[]> {
  const outcomes = await db.transaction((tx) => ingestEvents(tx, sentValues(values), { now }));
  return outcomes.map(({ outcome }) => outcome);
}

test("MT-04 MT-02: a bill of outside usage, corrected, overlapping and late, is proved offline", async () => {
  const soon = at("2026-03-30", 12);
  const instance = newId();
  // 29 March has 23 hours there.
  const short = usage({ id: "short", from: at("2026-03-29"), hours: 23 });
  const wrong = usage({ id: "wrong", from: at("2026-03-10", 9), hours: 2, units: "8", instance });
  const right = usage({ id: "right", from: at("2026-03-10", 9), hours: 2, units: "2", instance });
  expect(await send([short, wrong, takeBack("wrong", soon), right], soon)).toEqual([
    "accepted",
    "accepted",
    "accepted",
    "accepted",
  ]);
  // Its own meter's usage stands on the same bill.
  await customer.use({
    sku: "gpu.T4",
    units: 1n,
    from: at("2026-03-30", 1),
    until: at("2026-03-31", 2),
  });
  const overlapping = usage({ id: "both", from: at("2026-03-10", 10), hours: 2, instance });
  expect(await send([overlapping], soon)).toEqual(["review"]);
  const [review] = await usageReviews(db, { open: true, after: undefined, limit: 10 });
  await db.transaction((tx) =>
    resolveReview(tx, { id: review?.id ?? "", action: "accept", by: "Li", note: "two", at: soon }),
  );
  // Older than may be charged, though no day is posted yet.
  const late = usage({ id: "late", from: at("2026-03-02", 9), hours: 1 });
  expect(await send([late], at("2026-04-08"))).toEqual(["review"]);
  await customer.pass(at("2026-04-08"));
  const chunks = await exportBundle(db, {
    tenantId,
    month: localMonth("2026-03"),
    keptSize: undefined,
  });
  const verdict = verifyBundle(new Uint8Array(await buffer(chunks)), {
    crypto: { sha256: nodeSha256, hasher: nodeHasher(), verify: nodeVerify },
    trust: { key: formatKey(signer.key), checkpoint: undefined },
  });
  expect(verdict.failures).toEqual([]);
  // 23 + 4 + 2 + 25 GPU-hours at 5 yuan.
  expect(verdict).toMatchObject({ isProved: true, bill: { state: "final", total: "270.00" } });
});
