/** Bodies of usage as bytes, against a real PostgreSQL. */
import { v7 as newId } from "uuid";
import { expect, test } from "vitest";
import { z } from "zod";

import { seedPriceProfile } from "#catalog/price-profiles.ts";
import { sql } from "#db/sql.ts";
import { dayStart, localDay } from "#kernel/calendar.ts";
import { billingZone } from "#kernel/zone.ts";
import { canonicalJson } from "#tlog/leaf.ts";
import { testDatabase } from "#test/database.ts";

import { timeText } from "./event.ts";
import { receiveUsage } from "./receive.ts";
import { checkUsageDays } from "./usage-days.ts";

const { db } = await testDatabase();
await db.transaction(seedPriceProfile);

const hour = 3_600_000;
const day = dayStart(billingZone, localDay("2026-05-04"));
const now = day + 40 * hour;
const tenant = newId();
await db.execute(sql`
  insert into tenant (id, kind, name, display_name, time_zone, created_at)
  values (${tenant}, 'customer', ${tenant}, 'T', ${billingZone}, now())`);

function event(id: string, fields: { readonly units?: string } = {}): unknown {
  const holder = newId();
  return {
    specversion: "1.0",
    type: "compute.usage.recorded.v1",
    source: "/meters/rack-7",
    id,
    time: timeText(day + 10 * hour),
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
      units: fields.units ?? "1",
      slice: 1,
      from: timeText(day + 9 * hour),
      until: timeText(day + 10 * hour),
      billable: true,
      reason: null,
    },
  };
}

async function receive(text: string, at = now): Promise<string[]> {
  const body = {
    bytes: Buffer.from(text),
    text,
    parse: () => z.array(z.unknown()).parse(JSON.parse(text)),
    eventsMax: 10,
  };
  const outcomes = await db.transaction((tx) => receiveUsage(tx, body, { now: at }));
  return outcomes.map(({ outcome }) => outcome);
}

async function remembered(): Promise<number> {
  const { count } = await db.one(
    sql`select count(*)::int as count from usage_batch`,
    z.object({ count: z.int() }),
  );
  return count;
}

test("R-EVT-1: the same bytes again, other bytes of the same events, and half of them: duplicates", async () => {
  const [a, b, c] = [event("a"), event("b"), event("c")];
  const text = canonicalJson([a, b]);
  expect(await receive(text)).toEqual(["accepted", "accepted"]);
  expect(await receive(text)).toEqual(["duplicate", "duplicate"]);
  expect(await receive(JSON.stringify([b, a], null, 2))).toEqual(["duplicate", "duplicate"]);
  expect(await receive(canonicalJson([a, c]))).toEqual(["duplicate", "accepted"]);
  expect(await receive(canonicalJson([a, c]))).toEqual(["duplicate", "duplicate"]);
  expect(await checkUsageDays(db)).toEqual([]);
});

test("R-EVT-1: of canonical texts each is what its bytes are: new, known, or others under a known name", async () => {
  const [known, fresh] = [event("known"), event("fresh")];
  expect(await receive(canonicalJson([known]))).toEqual(["accepted"]);
  const other = event("known", { units: "3" });
  const text = canonicalJson([fresh, known, other, known, fresh]);
  expect(await receive(text)).toEqual([
    "accepted",
    "duplicate",
    "conflict",
    "duplicate",
    "duplicate",
  ]);
  expect(await checkUsageDays(db)).toEqual([]);
});

test("R-EVT-1: what only looks like a list of canonical events is read as the JSON that it is", async () => {
  const [outer, inner] = [canonicalJson(event("outer")), canonicalJson(event("inner"))];
  expect(await receive(`[${inner}]`)).toEqual(["accepted"]);
  // Cut at what ends an event, these are two texts, of which the first is known; it is one event.
  const nested = outer.replace('{"data":{', `{"data":{"a":[${inner},{"data":{}}],`);
  expect(await receive(`[${nested}]`)).toEqual(["refused"]);
  const twice = outer.replace('{"data":{', `{"data":{"tenant":"${newId()}",`);
  expect(await receive(`[${inner},${twice}]`)).toEqual(["duplicate", "accepted"]);
  await expect(receive(`[${inner},{"data":{${inner.slice(inner.indexOf("},"))}]`)).resolves.toEqual(
    ["duplicate", "refused"],
  );
  await expect(receive(`[${inner},${inner}`)).rejects.toThrow("JSON");
  expect(await checkUsageDays(db)).toEqual([]);
});

test("a body with anything but accepted events is read each time", async () => {
  const one = event("one");
  expect(await receive(canonicalJson([one]))).toEqual(["accepted"]);
  const before = await remembered();
  const other = canonicalJson([event("one", { units: "2" })]);
  expect(await receive(other)).toEqual(["conflict"]);
  expect(await receive(other)).toEqual(["conflict"]);
  expect(await receive(canonicalJson([one, 7]))).toEqual(["duplicate", "refused"]);
  expect(await remembered()).toBe(before);
});

test("what is remembered is forgotten after two weeks, and its events are duplicates still", async () => {
  const old = canonicalJson([event("old")]);
  expect(await receive(old)).toEqual(["accepted"]);
  const later = now + 15 * 86_400_000;
  const before = await remembered();
  expect(await receive(canonicalJson([event("new")]), later)).toEqual(["accepted"]);
  expect(await remembered()).toBeLessThan(before + 1);
  expect(await receive(old, later)).toEqual(["duplicate"]);
});
