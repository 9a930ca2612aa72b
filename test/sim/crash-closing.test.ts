/** A crash at any write of closing a month, and two who close it at once. */
import { expect, test } from "vitest";

import { signer } from "#bundles/sample.ts";
import { openDb, type Db } from "#db/pool.ts";
import { recordTopUp } from "#flow/ledger/store.ts";
import { closeMonths, settleInvoices } from "#flow/invoice/loop.ts";
import { listInvoices } from "#flow/invoice/invoices.ts";
import { voidInvoice } from "#flow/invoice/void.ts";
import { sequence, signIfNeeded } from "#flow/meter/sequencer.ts";
import { present } from "#kernel/assert.ts";
import { parseFen } from "#kernel/money.ts";

import { tell, type Story } from "./crash.ts";
import {
  at,
  books,
  db,
  diesEverywhere,
  metered,
  observer,
  only,
  rate,
  remains,
  scene,
  url,
  use,
  type Scene,
} from "./money-crash.ts";

const never = new AbortController().signal;

/** A bill names only what is signed, and that is not done again and again in one moment. */
let signAt = at("2026-06-01");

/** A month of two customers, posted, that costs more than they have paid. */
async function postedMonth(): Promise<Scene> {
  const of = await scene(2);
  for (const tenant of of.tenants) {
    await db.tenant(tenant, (tx) =>
      recordTopUp(tx, tenant, {
        reference: "first",
        amount: parseFen("40.00"),
        at: at("2026-05-01"),
      }),
    );
    await use(tenant, [at("2026-05-30", 20), at("2026-05-31", 2)]);
  }
  await metered(at("2026-06-01"));
  await sequence(db);
  signAt += 3_600_000;
  expect(await signIfNeeded(db, { signer, now: signAt })).toBe(true);
  for (const tenant of of.tenants) await rate(db, tenant, at("2026-06-03"));
  return of;
}

function invoices(now: number): Story<Scene>["steps"][number] {
  return {
    does: async (process: Db) => {
      await closeMonths({ db: process, now: () => now }, never);
      await settleInvoices({ db: process, now: () => now }, never);
    },
  };
}

test(
  "R-INV-1: a crash at any write of closing: invoices, their states, notices and credit notes are there once",
  { timeout: 60_000 },
  async () => {
    const story: Story<Scene> = {
      remains,
      books,
      prepare: postedMonth,
      steps: [
        invoices(at("2026-06-03")),
        invoices(at("2026-06-25")),
        {
          does: async (process, { tenants }) => {
            for (const tenant of tenants) {
              await process.tenant(tenant, (tx) =>
                recordTopUp(tx, tenant, {
                  reference: "late",
                  amount: parseFen("50.00"),
                  at: at("2026-06-26"),
                }),
              );
            }
          },
        },
        invoices(at("2026-06-26")),
        {
          does: async (process, of) => {
            const tenantId = only(of);
            const all = await listInvoices(db, tenantId, { after: undefined, limit: 9 });
            const { id } = present(
              all.find(({ kind }) => kind === "monthly"),
              "the invoice",
            );
            const ask = { tenantId, invoice: id, reason: "wrong", now: at("2026-06-27") };
            await process.tenant(tenantId, (tx) => voidInvoice(tx, ask));
          },
        },
        invoices(at("2026-06-28")),
      ],
    };
    const told = await tell({ url, observer }, story, undefined);
    const text = JSON.stringify(told.books);
    for (const part of ["credit_note", "invoice_overdue", "invoice_void", "paid", "void"]) {
      expect(text).toContain(part);
    }
    const { wrong, places } = await diesEverywhere(story);
    expect(wrong).toEqual([]);
    expect(places).toBeGreaterThan(25);
  },
);

test("R-INV-1: of two closers at once one wins, each month is closed once, and again changes nothing", async () => {
  const scenes: Scene[] = [];
  for (let count = 0; count < 20; count += 1) scenes.push(await postedMonth());
  const tenants = scenes.flatMap((each) => each.tenants);
  const now = at("2026-06-03");
  const closers = ["one", "other"].map((applicationName) =>
    openDb({ url, connectionsMax: 2, observer, applicationName }),
  );
  const close = (): Promise<number[]> =>
    Promise.all(closers.map((closer) => closeMonths({ db: closer, now: () => now }, never)));
  try {
    const written = await close();
    expect(written.reduce((sum, each) => sum + each, 0)).toBe(tenants.length);
    const after = await Promise.all(scenes.map(books));
    expect(await close()).toEqual([0, 0]);
    expect(await Promise.all(scenes.map(books))).toEqual(after);
    expect(after.every(({ invoice }) => invoice?.length === 2)).toBe(true);
  } finally {
    await Promise.all(closers.map((closer) => closer.close()));
  }
});
