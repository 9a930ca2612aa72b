/** On an installation whose log was never signed: a bill that rests on it waits, and the operator is told. */
import { expect, test } from "vitest";
import { z } from "zod";

import { loadPriceBook } from "#catalog/price-profiles.ts";
import { sql } from "#db/sql.ts";
import { listInvoices } from "#flow/invoice/invoices.ts";
import { closeMonths } from "#flow/invoice/loop.ts";
import { cutDue } from "#flow/meter/cut-loop.ts";
import { sequence, signIfNeeded } from "#flow/meter/sequencer.ts";
import { rateTenant } from "#flow/rate/loop.ts";
import { billingZone } from "#kernel/zone.ts";
import { testDatabase } from "#test/database.ts";

import { newCustomer, signer } from "./sample.ts";

const { db } = await testDatabase();

const alertRow = z.object({ data: z.unknown(), resolved: z.boolean() });

function alerts(): Promise<z.output<typeof alertRow>[]> {
  return db.rows(
    sql`select data, resolved_at is not null as resolved from alert where kind = 'invoices_unsigned'`,
    alertRow,
  );
}

test("R-LOG-1: a log that was never signed holds back bills that rest on it, with an alert until it is", async () => {
  const { tenantId, at, use } = await newCustomer(db, "unproven", billingZone);
  const now = at("2026-06-03");
  await use({ sku: "gpu.A10", units: 1n, from: at("2026-05-10", 1), until: at("2026-05-10", 2) });
  while (await cutDue(db, now));
  await sequence(db);
  const prices = await loadPriceBook(db);
  await rateTenant({ db, now: () => now, timeZoneOf: async () => billingZone }, tenantId, prices);
  const close = (): Promise<number> =>
    closeMonths({ db, now: () => now }, new AbortController().signal);
  const invoices = () => listInvoices(db, tenantId, { after: undefined, limit: 9 });

  expect(await close()).toBe(0);
  expect(await close()).toBe(0);
  expect(await invoices()).toEqual([]);
  expect(await alerts()).toEqual([{ data: { count: 1, month: "2026-05" }, resolved: false }]);

  await signIfNeeded(db, { signer, now });
  expect(await close()).toBe(1);
  expect(await invoices()).toMatchObject([{ period: "2026-05" }]);
  expect(await alerts()).toMatchObject([{ resolved: true }]);
});
