/** A meter of the operator, from its key to the charge: over HTTP, and rated like any other usage. */
import fc from "fast-check";
import { v7 as newId } from "uuid";
import { expect, test } from "vitest";
import { z } from "zod";

import { ingestHandlers } from "#api/routes/metering/ingest.ts";
import { usageEventHandlers } from "#api/routes/metering/events.ts";
import { loadPriceBook, seedPriceProfile } from "#catalog/price-profiles.ts";
import { sql } from "#db/sql.ts";
import { timeText } from "#flow/meter/event.ts";
import { chargeLines } from "#flow/rate/charge-lines.ts";
import { rateTenant } from "#flow/rate/loop.ts";
import { createTenant } from "#identity/tenants.ts";
import { dayStart, localDay } from "#kernel/calendar.ts";
import { billingZone } from "#kernel/zone.ts";
import { canonicalJson } from "#tlog/leaf.ts";
import { testApi } from "#test/api-server.ts";

const api = await testApi({ handlers: { ...ingestHandlers, ...usageEventHandlers } });
await api.db.transaction(seedPriceProfile);
const prices = await loadPriceBook(api.db);

const hour = 3_600_000;
const day = dayStart(billingZone, localDay("2026-05-04"));
api.clock.now = day + 23 * hour;

const created = z.object({ secret: z.string() });

async function meterKey(): Promise<string> {
  const body = { name: `meter ${newId()}`, scope: "usage.write" };
  const { secret } = api.operator;
  return created.parse((await api.ask("POST", "/v1/api-keys", { secret, body })).body).secret;
}
const secret = await meterKey();

function usage(tenant: string, hours: { readonly from: number; readonly count: number }): unknown {
  const holder = newId();
  const from = day + hours.from * hour;
  const until = from + hours.count * hour;
  return {
    specversion: "1.0",
    type: "compute.usage.recorded.v1",
    source: "/meters/rack-7",
    id: holder,
    time: timeText(until),
    datacontenttype: "application/json",
    data: {
      tenant,
      project: holder,
      request: holder,
      instance: holder,
      interval: holder,
      work: "lease",
      plan: "on_demand",
      sku: "gpu.T4",
      unit: "GPU",
      units: "1",
      slice: 1,
      from: timeText(from),
      until: timeText(until),
      billable: true,
      reason: null,
    },
  };
}

const answered = z.object({
  accepted: z.int(),
  duplicates: z.int(),
  results: z.array(z.looseObject({ outcome: z.string(), status: z.int() })),
});

async function send(body: readonly unknown[]): Promise<readonly number[]> {
  const { status, body: answer } = await api.ask("POST", "/v1/usage-events", { secret, body });
  expect(status).toBe(200);
  return answered.parse(answer).results.map((each) => each.status);
}

async function newTenant(): Promise<string> {
  const { now } = api.clock;
  const { tenant } = await api.db.transaction((tx) =>
    createTenant(tx, { name: `t-${newId()}`, now }),
  );
  return tenant.id;
}

const rating = {
  db: api.db,
  now: () => api.clock.now,
  timeZoneOf: () => Promise.resolve(billingZone),
};

/** Fen of all lines of a tenant, after a pass. */
async function charged(tenant: string): Promise<bigint> {
  await rateTenant(rating, tenant, prices);
  const [from, through] = [localDay("2026-05-01"), localDay("2026-05-31")];
  const lines = await chargeLines(api.db, tenant, { kind: "days", from, through });
  return lines.reduce((sum, { amount }) => sum + amount, 0n);
}

test("MT-02: usage of an instance that is not known here is metered and rated like any other", async () => {
  const tenant = await newTenant();
  const first = usage(tenant, { from: 9, count: 2 });
  expect(await send([first])).toEqual([201]);
  expect(await charged(tenant)).toBe(1000n);
  const events = [
    first,
    { ...Object(first), time: timeText(day) },
    usage(newId(), { from: 9, count: 1 }),
    7,
  ];
  expect(await send(events)).toEqual([200, 409, 202, 422]);
  expect(await charged(tenant)).toBe(1000n);
});

test("a meter's key hands in usage and does nothing else; only the operator makes one", async () => {
  expect((await api.ask("GET", "/v1/whoami", { secret })).status).toBe(403);
  expect((await api.ask("GET", "/v1/usage-reviews", { secret })).status).toBe(403);
  expect((await api.ask("GET", "/v1/usage-events", { secret })).status).toBe(403);
  const { secret: customer } = api.customer.administrator;
  const body = { name: "meter", scope: "usage.write" };
  expect((await api.ask("POST", "/v1/api-keys", { secret: customer, body })).status).toBe(403);
  const event = usage(api.customer.tenant.id, { from: 1, count: 1 });
  const sent = await api.ask("POST", "/v1/usage-events", { secret: customer, body: [event] });
  expect(sent.status).toBe(403);
});

test("a batch is of 1 to 1,000 events", async () => {
  for (const body of [[], Array.from({ length: 1001 }, () => 0), {}]) {
    expect((await api.ask("POST", "/v1/usage-events", { secret, body })).status).toBe(400);
  }
});

test("canonical bytes and any other JSON of the same events have one effect, with a key too", async () => {
  const event = usage(await newTenant(), { from: 5, count: 1 });
  const headers = { "idempotency-key": newId(), "content-type": "application/json" };
  const ask = async (body: string): Promise<unknown> =>
    (await api.ask("POST", "/v1/usage-events", { secret, body, headers })).body;
  const first = await ask(canonicalJson([event]));
  expect(first).toMatchObject({ accepted: 1, duplicates: 0 });
  expect(await ask(JSON.stringify([event], null, 1))).toEqual(first);
  expect(await send([event])).toEqual([200]);
  const broken = await api.ask("POST", "/v1/usage-events", { secret, body: '[{"a": 1' });
  expect(broken).toMatchObject({ status: 400, body: { code: "invalid_request" } });
  const poisoned = '[{"__proto__": {"a": 1}}]';
  expect((await api.ask("POST", "/v1/usage-events", { secret, body: poisoned })).status).toBe(400);
});

test("the operator lists what waits, decides, and has it all checked", async () => {
  const root = { secret: api.operator.secret };
  const nobody = usage(newId(), { from: 3, count: 1 });
  expect(await send([nobody])).toEqual([202]);
  const listed = await api.ask("GET", "/v1/usage-reviews", root);
  const { items } = z
    .object({ items: z.array(z.looseObject({ id: z.string() })) })
    .parse(listed.body);
  const last = items.at(-1);
  expect(last).toMatchObject({ reason: "unknown_tenant", state: "open" });
  const path = `/v1/usage-reviews/${last?.id}/resolve`;
  const decide = async (action: string): Promise<number> =>
    (await api.ask("POST", path, { ...root, body: { action, note: "asked" } })).status;
  expect(await decide("accept")).toBe(409);
  expect(await decide("reject")).toBe(200);
  expect(await decide("reject")).toBe(409);
  expect(await send([nobody])).toEqual([422]);
  const check = await api.ask("GET", "/v1/log/check", root);
  expect(check.body).toMatchObject({ problems: [] });
  await api.db.execute(sql`update usage_day set unit_seconds = unit_seconds + 1`);
  const changed = z.object({ problems: z.array(z.string()) });
  const { problems } = changed.parse((await api.ask("GET", "/v1/log/check", root)).body);
  expect(problems.join()).toContain("roll-up");
  await api.db.execute(sql`update usage_day set unit_seconds = unit_seconds - 1`);
});

test("R-TIER-2: an amount never falls when usage grows, event by event", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ from: fc.nat(22), count: fc.constant(1) }), {
        minLength: 1,
        maxLength: 6,
      }),
      async (spans) => {
        const tenant = await newTenant();
        let before = 0n;
        for (const span of spans) {
          expect(await send([usage(tenant, span)])).toEqual([201]);
          const now = await charged(tenant);
          expect(now > before).toBe(true);
          before = now;
        }
      },
    ),
    { numRuns: 5 },
  );
});
