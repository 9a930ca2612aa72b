/** Usage that somebody has to look at: held, listed, decided about. */
import { v7 as newId } from "uuid";
import { expect, test } from "vitest";
import { z } from "zod";

import { seedPriceProfile } from "#catalog/price-profiles.ts";
import { sql } from "#db/sql.ts";
import { alerts } from "#notices/store.ts";
import { testDatabase } from "#test/database.ts";
import { day, hour, now, outsideMeter, takeBack, usage } from "#test/outside-meter.ts";

import { resolveReview } from "./resolve.ts";
import { usageReviews } from "./review.ts";

const { db } = await testDatabase();
await db.transaction(seedPriceProfile);
const { newTenant, send, said, rolled, waiting } = outsideMeter(db);

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
