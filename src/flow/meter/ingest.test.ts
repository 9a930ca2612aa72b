/** Usage that other meters hand in, against a real PostgreSQL. */
import fc from "fast-check";
import { v7 as newId } from "uuid";
import { expect, test } from "vitest";
import { z } from "zod";

import { seedPriceProfile } from "#catalog/price-profiles.ts";
import { sql } from "#db/sql.ts";
import { dayStart, localDay } from "#kernel/calendar.ts";
import { billingZone, timeZone, type TimeZone } from "#kernel/zone.ts";
import { alerts } from "#notices/store.ts";
import { testDatabase } from "#test/database.ts";

import { canonicalText, timeText } from "./event.ts";
import { anyEvent } from "./event-samples.ts";
import { ingestEvents } from "./ingest.ts";
import { checkLog } from "./log-check.ts";
import type { EventOutcome } from "./outcome.ts";
import { resolveReview } from "./resolve.ts";
import { usageReviews } from "./review.ts";
import { sentValues } from "./sent.ts";
import { sequence } from "./sequencer.ts";
import { checkUsageDays } from "./usage-days.ts";

const { db } = await testDatabase();
await db.transaction(seedPriceProfile);

const hour = 3_600_000;
const source = "/meters/rack-7";
const zone = billingZone;
const day = dayStart(zone, localDay("2026-05-04"));
const now = day + 40 * hour;

async function newTenant(zoneName: TimeZone = zone): Promise<string> {
  const id = newId();
  await db.execute(sql`
    insert into tenant (id, kind, name, display_name, time_zone, created_at)
    values (${id}, 'customer', ${id}, ${id}, ${zoneName}, now())`);
  return id;
}

interface Ask {
  readonly tenant: string;
  readonly id?: string;
  readonly source?: string;
  readonly instance?: string;
  readonly from?: number;
  readonly until?: number;
  readonly sku?: string;
  readonly unit?: string;
  readonly units?: string;
}

function usage(ask: Ask): Record<string, unknown> {
  const { from = day + 9 * hour, sku = "gpu.T4", unit = "GPU", units = "1" } = ask;
  const { until = from + hour, instance = newId() } = ask;
  return {
    specversion: "1.0",
    type: "compute.usage.recorded.v1",
    source: ask.source ?? source,
    id: ask.id ?? newId(),
    time: timeText(Math.min(until, now)),
    datacontenttype: "application/json",
    data: {
      tenant: ask.tenant,
      project: instance,
      request: instance,
      instance,
      interval: instance,
      work: "lease",
      plan: "on_demand",
      sku,
      unit,
      units,
      slice: 1,
      from: timeText(from),
      until: timeText(until),
      billable: true,
      reason: null,
    },
  };
}

function takeBack(tenant: string, retracts: string, id = `${retracts}/taken-back`): unknown {
  return {
    specversion: "1.0",
    type: "compute.usage.retracted.v1",
    source,
    id,
    time: timeText(now),
    datacontenttype: "application/json",
    data: { tenant, retracts, reason: "measured twice" },
  };
}

function send(values: readonly unknown[], at = now): Promise<EventOutcome[]> {
  return db.transaction((tx) => ingestEvents(tx, sentValues(values), { now: at }));
}

async function said(values: readonly unknown[], at = now): Promise<string[]> {
  return (await send(values, at)).map((each) =>
    "reason" in each ? `${each.outcome} ${each.reason}` : each.outcome,
  );
}

/** Unit-hours by day and SKU, as they are rated. */
async function rolled(tenant: string): Promise<string[]> {
  const rows = await db.rows(
    sql`select day::text, sku, (unit_seconds / 3600)::text as hours from usage_day
      where tenant_id = ${tenant} and unit_seconds <> 0 order by day, sku, work, slice, plan`,
    z.object({ day: z.string(), sku: z.string(), hours: z.string() }),
  );
  return rows.map((row) => `${row.day} ${row.sku} ${Number(row.hours)}`);
}

function waiting(): Promise<readonly { readonly id: string; readonly eventId: string }[]> {
  return usageReviews(db, { open: true, after: undefined, limit: 1_000 });
}

test("MT-01: GPU hours, cores and memory of an outside meter are taken in, each in its unit", async () => {
  const tenant = await newTenant();
  const instance = newId();
  const events = [
    usage({ tenant, instance }),
    usage({ tenant, instance, sku: "cpu.core", unit: "core", units: "8" }),
    usage({ tenant, instance, sku: "mem.gib", unit: "GiB", units: "32" }),
  ];
  expect(await said(events)).toEqual(["accepted", "accepted", "accepted"]);
  expect(await rolled(tenant)).toEqual([
    "2026-05-04 cpu.core 8",
    "2026-05-04 gpu.T4 1",
    "2026-05-04 mem.gib 32",
  ]);
});

test("R-EVT-1: the same event again changes nothing, the same id with other bytes is a conflict", async () => {
  const tenant = await newTenant();
  const first = usage({ tenant, id: "one" });
  const other = { ...first, time: timeText(now - 1000) };
  expect(await said([first, first, other])).toEqual(["accepted", "duplicate", "conflict"]);
  expect(await said([other, first])).toEqual(["conflict", "duplicate"]);
  const unknownUnit = usage({ tenant, id: "one", unit: "core" });
  expect(await said([unknownUnit])).toEqual(["conflict"]);
  expect(await rolled(tenant)).toEqual(["2026-05-04 gpu.T4 1"]);
  const open = await alerts(db, { open: true, after: undefined, limit: 10 });
  expect(open.find(({ kind }) => kind === "event_conflict")).toMatchObject({
    data: { source, id: "one" },
  });
});

test("R-EVT-3: what is taken back is off the sum; what comes in its place may be in the batch", async () => {
  const tenant = await newTenant();
  const instance = newId();
  const wrong = usage({ tenant, instance, id: "wrong", units: "8" });
  const right = usage({ tenant, instance, id: "right", units: "2" });
  expect(await said([wrong, takeBack(tenant, "wrong"), right])).toEqual([
    "accepted",
    "accepted",
    "accepted",
  ]);
  expect(await rolled(tenant)).toEqual(["2026-05-04 gpu.T4 2"]);
  const stranger = await newTenant();
  expect(
    await said([
      takeBack(tenant, "wrong"),
      takeBack(tenant, "wrong", "again"),
      takeBack(tenant, "never-there"),
      takeBack(tenant, "wrong/taken-back"),
      takeBack(stranger, "right"),
    ]),
  ).toEqual([
    "duplicate",
    "refused already_retracted",
    "review unknown_original",
    "review unknown_original",
    "refused other_tenant",
  ]);
});

test("R-EVT-3: what takes back comes before what it takes back: it is held, and taken in once that is there", async () => {
  const tenant = await newTenant();
  const back = takeBack(tenant, "early");
  expect(await said([back])).toEqual(["review unknown_original"]);
  const held = (await usageReviews(db, { open: true, after: undefined, limit: 1_000 })).find(
    ({ eventId }) => eventId === "early/taken-back",
  );
  const resolution = { id: held?.id ?? "", by: "root", note: "seen", at: now };
  const accept = (): Promise<unknown> =>
    db.transaction((tx) => resolveReview(tx, { ...resolution, action: "accept" }));
  await expect(accept()).rejects.toMatchObject({ code: "wrong_state" });
  expect(await said([usage({ tenant, id: "early" })])).toEqual(["accepted"]);
  expect(await rolled(tenant)).toEqual(["2026-05-04 gpu.T4 1"]);
  expect(await accept()).toMatchObject({ state: "accepted" });
  expect(await rolled(tenant)).toEqual([]);
  expect(await said([back])).toEqual(["duplicate"]);
});

test("what the sender can mend is refused, and says what", async () => {
  const tenant = await newTenant();
  const at = day + 9 * hour;
  const events = [
    { ...usage({ tenant }), extra: 1 },
    "nothing",
    usage({ tenant, source: "/millrace/meter" }),
    usage({ tenant, from: at, until: at }),
    usage({ tenant, from: at, until: at - 1000 }),
    usage({ tenant, from: now - hour, until: now + 1000 }),
    usage({ tenant, from: day + 23 * hour, until: day + 25 * hour }),
  ];
  expect(await said(events)).toEqual([
    "refused malformed",
    "refused malformed",
    "refused reserved_source",
    "refused empty",
    "refused negative",
    "refused future",
    "refused crosses_midnight",
  ]);
  expect(await rolled(tenant)).toEqual([]);
});

const heldTenant = await newTenant();
const heldInstance = newId();
const nine = day + 9 * hour;
/** One of each that has to be looked at, and two that have not. */
const heldEvents = [
  usage({ tenant: heldTenant, instance: heldInstance, id: "r0", from: nine, until: nine + hour }),
  usage({ tenant: heldTenant, instance: heldInstance, id: "r1", from: nine + hour - 1000 }),
  usage({ tenant: heldTenant, instance: heldInstance, id: "r2", from: nine + hour }),
  usage({ tenant: newId(), id: "r3" }),
  usage({ tenant: heldTenant, id: "r4", sku: "gpu.Unheard" }),
  usage({ tenant: heldTenant, id: "r5", unit: "GiB" }),
  usage({ tenant: heldTenant, id: "r6", from: day - 366 * 24 * hour }),
];

test("what nobody can be charged for as it stands is kept and listed, once", async () => {
  const answers = [
    "accepted",
    "review overlap",
    "accepted",
    "review unknown_tenant",
    "review unknown_sku",
    "review unknown_unit",
    "review late",
  ];
  expect(await said(heldEvents)).toEqual(answers);
  expect(await said(heldEvents)).toEqual(
    answers.map((each) => (each === "accepted" || each.endsWith("late") ? "duplicate" : each)),
  );
  // In another batch than what it overlaps with.
  expect(
    await said([
      usage({
        tenant: heldTenant,
        instance: heldInstance,
        id: "r7",
        from: nine - hour,
        until: nine + 1000,
      }),
    ]),
  ).toEqual(["review overlap"]);
  const names = (await waiting()).map(({ eventId }) => eventId);
  expect(names.filter((name) => /^r[0-9]$/.test(name)).toSorted()).toEqual([
    "r1",
    "r3",
    "r4",
    "r5",
    "r6",
    "r7",
  ]);
  expect(await rolled(heldTenant)).toEqual(["2026-05-04 gpu.T4 2"]);
});

test("R-LATE-3: somebody decides: late usage stays uncharged, an overlap is taken in, a rejected event stays out", async () => {
  const decide = async (eventId: string, action: "accept" | "reject"): Promise<unknown> => {
    const found = (await waiting()).find((each) => each.eventId === eventId);
    const ask = { id: found?.id ?? "", action, by: "Li", note: "asked", at: now };
    return db
      .transaction((tx) => resolveReview(tx, ask))
      .then(
        ({ state, closedBy }) => ({ state, closedBy }),
        (error: Error) => error.message,
      );
  };
  await send(heldEvents);
  expect(await decide("r6", "accept")).toEqual({ state: "accepted", closedBy: "Li" });
  expect(await decide("r1", "accept")).toEqual({ state: "accepted", closedBy: "Li" });
  expect(await decide("r3", "accept")).toBe("It cannot be taken in: There is no such tenant.");
  expect(await decide("r5", "reject")).toEqual({ state: "rejected", closedBy: "Li" });
  const { event } = (await usageReviews(db, { open: false, after: undefined, limit: 100 })).find(
    (each) => each.eventId === "r5",
  ) ?? { event: "null" };
  expect(await said([JSON.parse(event)])).toEqual(["refused rejected"]);
  const counted = await db.rows(
    sql`select id, counted from usage_event where id in ('r1', 'r6') order by id`,
    z.object({ id: z.string(), counted: z.boolean() }),
  );
  expect(counted).toEqual([
    { id: "r1", counted: true },
    { id: "r6", counted: false },
  ]);
  const stillOpen = await waiting();
  for (const { eventId } of stillOpen) {
    expect(await decide(eventId, "reject")).toMatchObject({ state: "rejected" });
  }
  const open = await alerts(db, { open: true, after: undefined, limit: 10 });
  expect(open.filter(({ kind }) => kind === "usage_review")).toEqual([]);
});

test("R-DAY-2: days of 23 and 25 hours: usage lies within the tenant's own local day", async () => {
  const berlin = timeZone("Europe/Berlin");
  for (const [name, hours] of [
    ["2026-03-29", 23],
    ["2025-10-26", 25],
  ] as const) {
    const tenant = await newTenant(berlin);
    const from = dayStart(berlin, localDay(name));
    const until = from + hours * hour;
    const at = until + hour;
    const whole = usage({ tenant, from, until });
    const longer = usage({ tenant, from, until: until + 1000 });
    const sent = [whole, longer].map((each) => ({ ...each, time: timeText(until) }));
    expect(await said(sent, at)).toEqual(["accepted", "refused crosses_midnight"]);
    expect(await rolled(tenant)).toEqual([`${name} gpu.T4 ${hours}`]);
  }
});

test("MT-04: concurrent senders of one batch: each event is taken in once", async () => {
  const tenants = [await newTenant(), await newTenant()];
  const batch = Array.from({ length: 60 }, (_, index) =>
    usage({ tenant: tenants[index % 2] ?? "", id: `both-${index}` }),
  );
  const answers = await Promise.all(
    [batch, batch.toReversed(), batch, batch.toReversed()].map((each) => said(each)),
  );
  expect(answers.flat().filter((each) => each === "accepted")).toHaveLength(60);
  expect(answers.flat().filter((each) => each === "duplicate")).toHaveLength(180);
  for (const tenant of tenants) expect(await rolled(tenant)).toEqual(["2026-05-04 gpu.T4 30"]);
});

test("MT-04: two who send the same identity for two tenants at once: one is taken, one is told", async () => {
  for (let round = 0; round < 5; round += 1) {
    const tenants = [await newTenant(), await newTenant()];
    const answers = await Promise.all(
      tenants.map((tenant) =>
        said([usage({ tenant, id: `race-${round}` })]).catch((error: Error) => [error.message]),
      ),
    );
    const taken = answers.flat().filter((each) => each === "accepted");
    expect(taken).toHaveLength(1);
  }
});

test("R-EVT-1: permuting, batching and repeating events changes nothing", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          units: fc.integer({ min: 1, max: 64 }),
          from: fc.integer({ min: 0, max: 23 }),
          sku: fc.constantFrom("gpu.T4", "gpu.A100"),
          back: fc.boolean(),
        }),
        { minLength: 1, maxLength: 12 },
      ),
      fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
      fc.integer({ min: 1, max: 7 }),
      async (asks, picks, size) => {
        const sums: string[][] = [];
        for (const order of ["plain", "mixed"] as const) {
          const tenant = await newTenant();
          const events = asks.flatMap(({ units, from, sku, back }, index) => {
            const id = `${tenant}/${index}`;
            const from0 = day + from * hour;
            const event = usage({ tenant, id, units: `${units}`, from: from0, sku });
            return back ? [event, takeBack(tenant, id)] : [event];
          });
          const mixed = [
            ...picks.map((pick) => events[pick % events.length]),
            ...events.toReversed(),
          ];
          let left: readonly unknown[] = order === "plain" ? events : mixed;
          // A sender sends again what is held because its original was not there yet.
          while (left.length > 0) {
            const heldOnes: unknown[] = [];
            for (let at = 0; at < left.length; at += size) {
              const batch = left.slice(at, at + size);
              const answers = await send(batch);
              heldOnes.push(...batch.filter((_, index) => answers[index]?.outcome === "review"));
            }
            left = heldOnes;
          }
          sums.push(await rolled(tenant));
        }
        expect(sums[1]).toEqual(sums[0]);
      },
    ),
    { numRuns: 12 },
  );
  while ((await sequence(db)) !== 0);
  expect(await checkUsageDays(db)).toEqual([]);
  expect(await checkLog(db)).toEqual([]);
});

test("R-EVT-1: a clock that jumps back changes nothing of what was taken in", async () => {
  const tenant = await newTenant();
  const instance = newId();
  const [first, second] = [9, 10].map((at) => usage({ tenant, instance, from: day + at * hour }));
  expect(await said([first])).toEqual(["accepted"]);
  const back = day + 9 * hour;
  expect(await said([first, second], back)).toEqual(["duplicate", "refused future"]);
  expect(await said([second, first])).toEqual(["accepted", "duplicate"]);
  expect(await rolled(tenant)).toEqual(["2026-05-04 gpu.T4 2"]);
});

test("any event at all is answered, and the books hold", async () => {
  const tenant = await newTenant();
  await fc.assert(
    fc.asyncProperty(fc.array(anyEvent, { maxLength: 20 }), async (events) => {
      const values = events.map((event) =>
        JSON.parse(canonicalText({ ...event, tenantId: tenant })),
      );
      expect(await send(values, 2_100_000_000_000)).toHaveLength(values.length);
    }),
    { numRuns: 20 },
  );
  while ((await sequence(db)) !== 0);
  expect(await checkUsageDays(db)).toEqual([]);
  expect(await checkLog(db)).toEqual([]);
});
