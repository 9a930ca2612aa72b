/** Usage that other meters hand in, against a real PostgreSQL. */
import { v7 as newId } from "uuid";
import { expect, test } from "vitest";

import { seedPriceProfile } from "#catalog/price-profiles.ts";
import { dayStart, localDay } from "#kernel/calendar.ts";
import { timeZone } from "#kernel/zone.ts";
import { alerts } from "#notices/store.ts";
import { testDatabase } from "#test/database.ts";
import { day, hour, now, outsideMeter, source, takeBack, usage } from "#test/outside-meter.ts";

import { timeText } from "./event.ts";

const { db } = await testDatabase();
await db.transaction(seedPriceProfile);
const { newTenant, said, rolled } = outsideMeter(db);

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
