/** The ledger against a real PostgreSQL: what the database itself refuses, keys, locks, balances. */
import fc from "fast-check";
import { v7 as newId } from "uuid";
import { expect, test } from "vitest";
import { z } from "zod";

import type { Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { localDay } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { fen, parseFen, type Fen } from "#kernel/money.ts";
import { testDatabase } from "#test/database.ts";

import { charge, paidFromPurse } from "./charges.ts";
import { placeHold, releaseHeld, type HoldOutcome } from "./holds.ts";
import { credit, lockCredit, setProvisional } from "./accounts.ts";
import { checkLedger } from "./check.ts";
import { book, listJournals, recordCredit, recordTopUp, voidJournal } from "./store.ts";

const { db } = await testDatabase();
const at = Date.UTC(2026, 4, 4);

/** A day's charge of one line, paid from the wallet and owed beyond it. */
async function chargeDay(tenant: string, day: string, amount: Fen): Promise<void> {
  await db.tenant(tenant, async (tx) => {
    const paid = paidFromPurse(await lockCredit(tx, tenant), amount);
    const draft = charge({ day: localDay(day), lines: [{ sku: "gpu.T4", amount, paid }] });
    if (draft !== undefined) await book(tx, tenant, { draft, at });
  });
}

async function newTenant(yuan?: string): Promise<string> {
  const id = newId();
  await db.execute(sql`
    insert into tenant (id, kind, name, display_name, time_zone, created_at)
    values (${id}, 'customer', ${id}, ${id}, 'Asia/Shanghai', ${new Date(at)})`);
  if (yuan !== undefined) await pay(id, "first", parseFen(yuan));
  return id;
}

function pay(tenantId: string, reference: string, amount: Fen): Promise<{ isNew: boolean }> {
  return db.tenant(tenantId, (tx) => recordTopUp(tx, tenantId, { reference, amount, at }));
}

function holdOf(tenantId: string, reference: string, yuan: string): Promise<HoldOutcome> {
  const ask = { reference, amount: parseFen(yuan), description: "a lease", at };
  return db.tenant(tenantId, (tx) => placeHold(tx, tenantId, ask));
}

function release(tenantId: string, reference: string): Promise<string> {
  return db.tenant(tenantId, (tx) => releaseHeld(tx, tenantId, { reference, at }));
}

test("R-LED-1: a top-up, a hold and its release, and the balance between", async () => {
  const tenant = await newTenant("100.00");
  expect(await credit(db, tenant)).toMatchObject({ balance: 10_000n, available: 10_000n });
  expect(await holdOf(tenant, "lease-1", "30.00")).toMatchObject({ kind: "held", isNew: true });
  expect(await credit(db, tenant)).toMatchObject({
    balance: 10_000n,
    held: 3000n,
    available: 7000n,
  });
  expect(await release(tenant, "lease-1")).toBe("released");
  expect(await credit(db, tenant)).toMatchObject({ held: 0n, available: 10_000n });
});

test("every effect has a key: the second time is harmless, another amount a conflict", async () => {
  const tenant = await newTenant("100.00");
  expect(await pay(tenant, "first", parseFen("100.00"))).toMatchObject({ isNew: false });
  await expect(pay(tenant, "first", parseFen("99.00"))).rejects.toMatchObject({ code: "conflict" });
  await holdOf(tenant, "lease-1", "30.00");
  expect(await holdOf(tenant, "lease-1", "30.00")).toMatchObject({ kind: "held", isNew: false });
  expect(await release(tenant, "lease-1")).toBe("released");
  expect(await release(tenant, "lease-1")).toBe("released_before");
  expect(await release(tenant, "lease-2")).toBe("not_held");
  const afterRelease = holdOf(tenant, "lease-1", "30.00");
  await expect(afterRelease).rejects.toMatchObject({ code: "wrong_state" });
  expect(await credit(db, tenant)).toMatchObject({ balance: 10_000n, available: 10_000n });
});

test("the same payment, booked at once by many, is booked once", async () => {
  const tenant = await newTenant();
  const all = await Promise.all(
    Array.from({ length: 8 }, () => pay(tenant, "bank-1", parseFen("5.00"))),
  );
  expect(all.filter(({ isNew }) => isNew)).toHaveLength(1);
  expect(await credit(db, tenant)).toMatchObject({ balance: 500n });
});

test("holds asked for at once never take more than there is, down to the last yuan", async () => {
  const tenant = await newTenant("5.00");
  const all = await Promise.all(
    Array.from({ length: 8 }, (_, index) => holdOf(tenant, `lease-${index}`, "1.00")),
  );
  expect(all.filter(({ kind }) => kind === "held")).toHaveLength(5);
  expect(all.find(({ kind }) => kind === "insufficient")).toMatchObject({ asked: 100n });
  expect(await credit(db, tenant)).toMatchObject({ held: 500n, available: 0n });
});

test("R-DAY-3: what is rated but not posted cannot be spent again", async () => {
  const tenant = await newTenant("10.00");
  await db.tenant(tenant, (tx) =>
    setProvisional(tx, tenant, { wallet: parseFen("9.50"), packages: new Map() }),
  );
  expect(await holdOf(tenant, "a", "1.00")).toEqual({
    kind: "insufficient",
    asked: 100n,
    available: 50n,
  });
  expect(await holdOf(tenant, "b", "0.50")).toMatchObject({ kind: "held" });
  expect(await holdOf(tenant, "free", "0.00")).toMatchObject({ kind: "held", isNew: false });
});

test("R-LED-1: a payment is voided once; holds, charges and voids are not", async () => {
  const tenant = await newTenant("10.00");
  await holdOf(tenant, "lease-1", "1.00");
  const [held, paid] = await listJournals(db, tenant, { after: undefined, limit: 10 });
  const ask = { id: paid?.id ?? "", reason: "the bank took it back", at };
  const first = await db.tenant(tenant, (tx) => voidJournal(tx, tenant, ask));
  const again = await db.tenant(tenant, (tx) => voidJournal(tx, tenant, ask));
  expect([first.isNew, again.isNew]).toEqual([true, false]);
  expect(await credit(db, tenant)).toMatchObject({ balance: 0n, available: -100n });
  for (const id of [held?.id ?? "", first.journal.id]) {
    const wrong = db.tenant(tenant, (tx) => voidJournal(tx, tenant, { ...ask, id }));
    // oxlint-disable-next-line no-await-in-loop -- two refusals
    await expect(wrong).rejects.toMatchObject({ code: "wrong_state" });
  }
  const other = await newTenant("1.00");
  const foreign = db.tenant(other, (tx) => voidJournal(tx, other, ask));
  await expect(foreign).rejects.toMatchObject({ code: "not_found" });
});

test("R-LED-1: a charge and the credit note for part of it", async () => {
  const tenant = await newTenant("10.00");
  await chargeDay(tenant, "2026-05-04", parseFen("12.50"));
  expect(await credit(db, tenant)).toMatchObject({ balance: -250n, owed: 250n, wallet: 0n });
  const ask = { reference: "ticket-7", amount: parseFen("2.50"), reason: "slow disk", at };
  await db.transaction((tx) => recordCredit(tx, tenant, ask));
  expect(await credit(db, tenant)).toMatchObject({ balance: 0n });
});

const refusals: readonly (readonly [string, (tx: Tx, tenant: string) => Promise<unknown>])[] = [
  ["a journal that does not sum to zero", (tx, tenant) => rawJournal(tx, tenant, [500, -499])],
  ["a journal with one posting", (tx, tenant) => rawJournal(tx, tenant, [500])],
  ["a journal without postings", (tx, tenant) => rawJournal(tx, tenant, [])],
  ["a posting of zero", (tx, tenant) => rawJournal(tx, tenant, [0, 0])],
  [
    "a posting added later to a journal",
    (tx, tenant) =>
      tx.execute(sql`
        insert into posting (tenant_id, journal_id, line, account_kind, amount)
        select tenant_id, id, 3, 'wallet', 100 from journal where tenant_id = ${tenant}`),
  ],
  [
    "postings added later to a journal, even if they balance",
    (tx, tenant) =>
      tx.execute(sql`
        insert into posting (tenant_id, journal_id, line, account_kind, amount)
        select tenant_id, id, n, case n when 3 then 'wallet' else 'cash' end, 100 * (7 - 2 * n)
        from journal, generate_series(3, 4) n where tenant_id = ${tenant}`),
  ],
  [
    "one balanced journal beside one that is not, in one statement",
    async (tx, tenant) => {
      const [good, bad] = [newId(), newId()];
      await tx.execute(sql`
        insert into journal (tenant_id, id, key, kind, description, at)
        select ${tenant}::uuid, id, id::text, 'credit', '', now()
        from unnest(${[good, bad]}::uuid[]) id`);
      await tx.execute(sql`
        insert into posting (tenant_id, journal_id, line, account_kind, amount)
        values (${tenant}, ${good}, 1, 'wallet', 5), (${tenant}, ${good}, 2, 'cash', -5),
          (${tenant}, ${bad}, 1, 'wallet', 5), (${tenant}, ${bad}, 2, 'cash', -4)`);
    },
  ],
  ["a wallet below zero", (tx, tenant) => rawJournal(tx, tenant, [-1001, 1001])],
  [
    "changing a posting",
    (tx, tenant) => tx.execute(sql`update posting set note = 'x' where tenant_id = ${tenant}`),
  ],
  [
    "removing a posting",
    (tx, tenant) => tx.execute(sql`delete from posting where tenant_id = ${tenant}`),
  ],
  [
    "removing a journal",
    (tx, tenant) => tx.execute(sql`delete from journal where tenant_id = ${tenant}`),
  ],
  ["emptying the table", (tx) => tx.execute(sql`truncate posting`)],
  [
    "setting a balance by hand",
    (tx, tenant) => tx.execute(sql`update account set balance = 1 where tenant_id = ${tenant}`),
  ],
  [
    "removing an account",
    (tx, tenant) => tx.execute(sql`delete from account where tenant_id = ${tenant}`),
  ],
];

test.each(refusals)("the database refuses %s", async (_, attempt) => {
  const tenant = await newTenant("10.00");
  await expect(db.transaction((tx) => attempt(tx, tenant))).rejects.toThrow(
    /does not balance|is refused|by hand|violates check|account_sign/,
  );
  expect(await credit(db, tenant)).toMatchObject({ balance: 1000n });
  expect(await checkLedger(db)).toEqual([]);
});

test("a tenant sees and moves his own money only", async () => {
  const [mine, other] = [await newTenant("10.00"), await newTenant("20.00")];
  const seen = await db.tenant(mine, (tx) => credit(tx, other));
  expect(seen).toMatchObject({ balance: 0n });
  const taken = db.tenant(mine, (tx) =>
    recordTopUp(tx, other, { reference: "x", amount: fen(1n), at }),
  );
  await expect(taken).rejects.toThrow("row-level security");
});

/** One movement of a random history. */
type Move =
  | { readonly kind: "pay" | "charge"; readonly amount: bigint }
  | { readonly kind: "hold"; readonly amount: bigint; readonly reference: number }
  | { readonly kind: "release"; readonly reference: number };

const reference = fc.integer({ min: 1, max: 4 });
const amount = fc.bigInt({ min: 1n, max: 5000n });
const moves: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ kind: fc.constantFrom("pay", "charge"), amount }),
  fc.record({ kind: fc.constant("hold"), amount, reference }),
  fc.record({ kind: fc.constant("release"), reference }),
);

test("R-LED-1: after any history, repeated and at once, the books balance", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(moves, { maxLength: 12 }), async (history) => {
      const tenant = await newTenant("50.00");
      await Promise.all(
        [...history, ...history].map((each, index) =>
          apply(tenant, each, index % Math.max(1, history.length)),
        ),
      );
      const after = await credit(db, tenant);
      const rows = await db.one(
        sql`select coalesce(sum(balance), 0)::int8 as sum from account where tenant_id = ${tenant}`,
        z.object({ sum: z.bigint() }),
      );
      expect(rows.sum).toBe(0n);
      expect(after.held >= 0n).toBe(true);
      expect(after.available).toBe(after.balance - after.held - after.provisional);
      expect(await checkLedger(db)).toEqual([]);
    }),
    { numRuns: 15 },
  );
});

/** One reference held with two amounts, or after its release, is refused: an answer, no accident. */
async function apply(tenant: string, each: Move, index: number): Promise<void> {
  try {
    await applyOnce(tenant, each, index);
  } catch (error) {
    if (!(error instanceof Failure && ["conflict", "wrong_state"].includes(error.code)))
      throw error;
  }
}

async function applyOnce(tenant: string, each: Move, index: number): Promise<void> {
  if (each.kind === "pay") await pay(tenant, `pay-${index}`, fen(each.amount));
  if (each.kind === "release") await release(tenant, `lease-${each.reference}`);
  if (each.kind === "hold") {
    const yuan = `${each.amount / 100n}.${String(each.amount % 100n).padStart(2, "0")}`;
    await holdOf(tenant, `lease-${each.reference}`, yuan);
  }
  if (each.kind === "charge") {
    await chargeDay(tenant, `2026-05-${String(index + 1).padStart(2, "0")}`, fen(each.amount));
  }
}

async function rawJournal(tx: Tx, tenant: string, amounts: readonly number[]): Promise<void> {
  const id = newId();
  await tx.execute(sql`
    insert into journal (tenant_id, id, key, kind, description, at)
    values (${tenant}, ${id}, ${id}, 'credit', '', ${new Date(at)})`);
  await tx.execute(sql`
    insert into posting (tenant_id, journal_id, line, account_kind, amount)
    select ${tenant}, ${id}, line, case line when 1 then 'wallet' else 'cash' end, amount
    from unnest(${[...amounts]}::int8[]) with ordinality as lines (amount, line)`);
}
