/** Tiers, applications and agreements on a real database. */
import { expect, test } from "vitest";
import { z } from "zod";

import { loadPriceBook, seedPriceProfile } from "#catalog/price-profiles.ts";
import { defaultProfile } from "#catalog/profile.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { recordTopUp } from "#flow/ledger/store.ts";
import { createTenant } from "#identity/tenants.ts";
import { parseFen } from "#kernel/money.ts";
import { notices } from "#notices/store.ts";
import { testDatabase } from "#test/database.ts";

import { acceptAgreement, agreements, publishAgreement, requireAgreements } from "./agreements.ts";
import {
  applications,
  rateApplication,
  submitApplication,
  withdrawApplication,
} from "./applications.ts";
import { decideTier, tierLoop } from "./loop.ts";
import { endOverrides, overrideTier, tierAccount, tierChanges, tierAt } from "./tier-store.ts";

const { db } = await testDatabase();
await db.transaction((tx) => seedPriceProfile(tx));
const dueRow = z.object({ id: z.string(), time_zone: z.string(), created_at: instant });
const firstPage = { after: undefined, limit: 50 };

/** Midnights of Asia/Shanghai are 16:00 UTC of the day before. */
function at(text: string): number {
  return Date.parse(`${text}+08:00`);
}

let names = 0;
async function customer(registered: string): Promise<string> {
  names += 1;
  const ask = { name: `customer-${names}`, now: at(registered) };
  const { tenant } = await db.transaction((tx) => createTenant(tx, ask));
  return tenant.id;
}

async function pay(tenantId: string, when: string, amount: string): Promise<void> {
  const ask = { reference: `${when} ${amount}`, amount: parseFen(amount), at: at(when) };
  await db.tenant(tenantId, (tx) => recordTopUp(tx, tenantId, ask));
}

async function look(tenantId: string, when: string): Promise<void> {
  const tenant = await db.one(
    sql`select id, time_zone, created_at from tenant where id = ${tenantId}`,
    dueRow,
  );
  await decideTier(db, { tenant, book: await loadPriceBook(db), now: at(when) });
}

test("C-11, C-15: a payment raises the tier at the next local midnight, explained and told once", async () => {
  const tenantId = await customer("2026-01-15T10:00:00");
  await pay(tenantId, "2026-03-10T23:59:59", "5000.00");
  await look(tenantId, "2026-03-10T23:59:59.999");
  expect(await tierAt(db, tenantId, at("2026-03-11T00:00:00"))).toBe("normal");
  await look(tenantId, "2026-03-12T09:00:00");
  await look(tenantId, "2026-03-12T10:00:00");
  expect(await tierAt(db, tenantId, at("2026-03-10T23:59:59.999"))).toBe("normal");
  expect(await tierAt(db, tenantId, at("2026-03-11T00:00:00"))).toBe("gold");
  expect(await tierChanges(db, tenantId, firstPage)).toMatchObject([
    {
      effective: "2026-03-11",
      tier: "gold",
      tierBefore: "normal",
      reason: "cumulative",
      holdUntil: "2027-03-11",
      inputs: { cumulative: "5000.00", netPaid12m: "0.00" },
    },
  ]);
  const told = await db.tenant(tenantId, (tx) => notices(tx, tenantId, firstPage));
  expect(told.map(({ kind }) => kind)).toEqual(["tier_raised"]);
});

test("a loop that was away decides the midnights it missed, and warns 30 days before a fall", async () => {
  const tenantId = await customer("2026-01-15T10:00:00");
  await pay(tenantId, "2026-03-10T12:00:00", "5000.00");
  await look(tenantId, "2027-03-05T12:00:00");
  const told = await db.tenant(tenantId, (tx) => notices(tx, tenantId, firstPage));
  expect(told.map(({ kind, data }) => [kind, data["on"]])).toEqual([
    ["tier_review_ahead", "2027-04-01"],
    ["tier_raised", undefined],
  ]);
  await look(tenantId, "2027-04-20T12:00:00");
  expect(await tierAccount(db, tenantId)).toMatchObject({
    tier: "normal",
    cumulativeFrom: "2027-04-01",
    evaluatedThrough: "2027-04-20",
  });
});

test("a clock that was set back decides nothing twice", async () => {
  const tenantId = await customer("2026-01-15T10:00:00");
  await pay(tenantId, "2026-03-10T12:00:00", "5000.00");
  await look(tenantId, "2026-03-12T00:30:00");
  await look(tenantId, "2026-03-11T23:30:00");
  expect(await tierChanges(db, tenantId, firstPage)).toHaveLength(1);
  expect(await tierAccount(db, tenantId)).toMatchObject({ evaluatedThrough: "2026-03-12" });
});

test("the loop takes every customer for whom a day has begun, and then rests", async () => {
  const tenantId = await customer("2026-02-01T10:00:00");
  const loop = tierLoop({ db, now: () => at("2027-05-01T00:00:01") });
  const signal = new AbortController().signal;
  expect(await loop.pass(signal)).toBe("rest");
  expect(await tierAccount(db, tenantId)).toMatchObject({ evaluatedThrough: "2027-05-01" });
});

test("R-CT-6: a tier by hand stands above payments until its end, and the past stays", async () => {
  const tenantId = await customer("2026-01-15T10:00:00");
  const now = at("2026-05-04T10:00:00");
  const until = at("2026-06-01T00:00:00");
  const ask = { tenantId, reason: "trial", approvedBy: "Li", createdBy: "root" };
  await db.transaction((tx) => overrideTier(tx, { ...ask, tier: "diamond", untilAt: until, now }));
  expect(await tierAt(db, tenantId, now - 1)).toBe("normal");
  expect(await tierAt(db, tenantId, now)).toBe("diamond");
  expect(await tierAt(db, tenantId, until)).toBe("normal");
  const later = now + 3_600_000;
  expect(await db.transaction((tx) => endOverrides(tx, { tenantId, now: later }))).toBe(1);
  expect(await tierAt(db, tenantId, later - 1)).toBe("diamond");
  expect(await tierAt(db, tenantId, later)).toBe("normal");
  const backwards = { ...ask, tier: "gold", untilAt: now, now } as const;
  await expect(db.transaction((tx) => overrideTier(tx, backwards))).rejects.toThrow(
    "before it begins",
  );
});

test("C-04: an application has a suggestion by its budget, and a rating that changes nothing", async () => {
  const tenantId = await customer("2026-01-15T10:00:00");
  const now = at("2026-05-04T10:00:00");
  const ask = {
    tenantId,
    company: "Acme; drop table",
    scale: "11-50",
    monthlyBudget: parseFen("50000.00"),
    demand: "8 x A100",
    contact: "li@acme.example",
    profile: defaultProfile,
    now,
  } as const;
  const submit = () => db.tenant(tenantId, (tx) => submitApplication(tx, ask));
  const sent = await submit();
  expect(sent).toMatchObject({ state: "submitted", suggestedTier: "diamond" });
  const rated = await db.transaction((tx) =>
    rateApplication(tx, { tenantId, id: sent.id, rating: "gold", note: "call", by: "root", now }),
  );
  expect(rated).toMatchObject({ state: "rated", initialRating: "gold" });
  expect(await tierAt(db, tenantId, now + 1)).toBe("normal");
  const withdraw = (id: string) =>
    db.tenant(tenantId, (tx) => withdrawApplication(tx, { tenantId, id }));
  await expect(withdraw(sent.id)).rejects.toThrow("has its answer already");
  for (let open = 0; open < 5; open += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await submit();
  }
  await expect(submit()).rejects.toMatchObject({ code: "conflict" });
  const other = await customer("2026-01-15T10:00:00");
  const seen = await db.tenant(other, (tx) =>
    applications(tx, { ...firstPage, tenantId: undefined }),
  );
  expect(seen).toEqual([]);
});

test("O-03: what is required must be accepted, with version, text, person and time", async () => {
  const tenantId = await customer("2026-01-15T10:00:00");
  const now = at("2026-05-04T10:00:00");
  const draft = { document: "nda", textEn: "Keep it.", textZh: "保密。", now } as const;
  const publish = (version: string, required: boolean) =>
    db.transaction((tx) =>
      publishAgreement(tx, { ...draft, version, required, now: now + Number(version) }),
    );
  const first = await publish("1", true);
  await expect(publish("1", true)).rejects.toMatchObject({ code: "conflict" });
  await expect(requireAgreements(db, tenantId)).rejects.toThrow("nda 1");
  const person = { tenantId, userId: tenantId, userName: "admin", now: now + 10 };
  const accept = (agreementId: string, sha256: string) =>
    db.tenant(tenantId, (tx) => acceptAgreement(tx, { ...person, agreementId, sha256 }));
  await expect(accept(first.id, "0".repeat(64))).rejects.toMatchObject({ code: "conflict" });
  const once = await accept(first.id, first.sha256);
  expect(once).toMatchObject({ acceptedBy: "admin", acceptedAt: now + 10, version: "1" });
  expect(await accept(first.id, first.sha256)).toEqual(once);
  await requireAgreements(db, tenantId);
  // A newer version that is required asks again; one that is not asks nobody.
  const second = await publish("2", true);
  await expect(requireAgreements(db, tenantId)).rejects.toThrow("nda 2");
  await accept(second.id, second.sha256);
  await publish("3", false);
  await requireAgreements(db, tenantId);
  expect((await agreements(db, tenantId)).map(({ version }) => version)).toEqual(["3", "2", "1"]);
  await expect(db.execute(sql`update agreement set text_en = 'x'`)).rejects.toThrow("append-only");
});
