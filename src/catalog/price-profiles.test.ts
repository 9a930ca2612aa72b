import { expect, test } from "vitest";

import { localDay } from "#kernel/calendar.ts";
import { testDatabase } from "#test/database.ts";

import {
  activatePriceProfile,
  createPriceProfile,
  findPriceProfile,
  listPriceProfiles,
  loadPriceBook,
  pricesOn,
  seedPriceProfile,
  type PriceProfileVersion,
} from "./price-profiles.ts";
import { defaultProfile, defaultProfileJson } from "./profile.ts";

const { db } = await testDatabase();
const now = Date.parse("2026-05-20T12:00:00Z");
await Promise.all([db.transaction(seedPriceProfile), db.transaction(seedPriceProfile)]);

function draft(change: Readonly<Record<string, unknown>>): Promise<PriceProfileVersion> {
  return createPriceProfile(db, { name: "Next", profile: { ...defaultProfileJson, ...change } });
}

function activate(id: string, from: string): Promise<PriceProfileVersion> {
  return db.transaction((tx) => activatePriceProfile(tx, { id, from: localDay(from), now }));
}

const bands = [{ up_to_gpu_hours: null, multiplier: "1.00" }];

test("a new installation sells at the default profile, seeded once", async () => {
  const book = await loadPriceBook(db);
  expect(book).toHaveLength(1);
  expect(pricesOn(book, localDay("2026-05-04"))?.profile).toEqual(defaultProfile);
});

test("R-PAYG-5: a version is in force from its local day on, and never changes after", async () => {
  const dearer = await draft({ storage_gib_day: "0.06" });
  expect(await activate(dearer.id, "2026-05-25")).toMatchObject({ activeFrom: "2026-05-25" });
  const book = await loadPriceBook(db);
  expect(pricesOn(book, localDay("2026-05-24"))?.version).toBe(book[0]?.version);
  expect(pricesOn(book, localDay("2026-05-25"))?.id).toBe(dearer.id);
  await expect(activate(dearer.id, "2026-05-28")).rejects.toMatchObject({ code: "wrong_state" });
  const other = await draft({});
  await expect(activate(other.id, "2026-05-25")).rejects.toMatchObject({ code: "rule_violation" });
});

test("R-PAYG-5: a midnight that has come somewhere is too late", async () => {
  const late = await draft({});
  // It is the 20th at noon in London, and the 21st on Kiritimati.
  await expect(activate(late.id, "2026-05-21")).rejects.toMatchObject({ code: "rule_violation" });
  await expect(activate(late.id, "2026-05-19")).rejects.toMatchObject({ code: "rule_violation" });
  expect(await activate(late.id, "2026-05-22")).toMatchObject({ activeFrom: "2026-05-22" });
});

test("bands change on the first day of a month only", async () => {
  const flat = await draft({ payg_gpu_graduated_monthly_per_sku: bands });
  await expect(activate(flat.id, "2026-06-15")).rejects.toThrow("first day of a month");
  expect(await activate(flat.id, "2026-07-01")).toMatchObject({ activeFrom: "2026-07-01" });
  const graduated = await draft({});
  await expect(activate(graduated.id, "2026-07-02")).rejects.toThrow("first day of a month");
  expect(await activate(graduated.id, "2026-08-01")).toMatchObject({ activeFrom: "2026-08-01" });
});

test("a draft that is wrong is refused with the place, an odd one is warned about", async () => {
  await expect(draft({ storage_gib_day: 0.05 })).rejects.toMatchObject({
    code: "rule_violation",
    details: { issues: [{ path: "storage_gib_day" }] },
  });
  const odd = await createPriceProfile(db, {
    name: "Odd",
    profile: { ...defaultProfileJson, storage_gib_day: "0" },
  });
  expect(odd.warnings).toEqual([
    "storage costs nothing; leave it out to offer it on request.",
    "cpu.core costs 20 a day as elastic expansion, 12 on demand.",
  ]);
  expect(await findPriceProfile(db, odd.id)).toEqual(odd);
  expect((await listPriceProfiles(db, { after: undefined, limit: 1 }))[0]?.id).toBe(odd.id);
});
