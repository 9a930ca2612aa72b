/** A crash at any write of payments: whatever comes in or goes back counts once. */
import { expect, test } from "vitest";

import type { Db } from "#db/pool.ts";
import { present } from "#kernel/assert.ts";
import { parseFen } from "#kernel/money.ts";
import { bankTransfer } from "#payments/bank-transfer.ts";
import { paymentLoop } from "#payments/loop.ts";
import type { PaymentProvider } from "#payments/provider.ts";
import { listReceipts, recordReceipt, resolveReceipt } from "#payments/receipts.ts";
import { createPayment, listPayments, refundPayment, type Payment } from "#payments/store.ts";
import { testProvider } from "#payments/test-provider.ts";

import type { Story } from "./crash.ts";
import {
  at,
  books,
  db,
  diesEverywhere,
  hour,
  only,
  remains,
  request,
  scene,
  type Scene,
} from "./money-crash.ts";

const never = new AbortController().signal;

function providersAt(now: number): PaymentProvider[] {
  return [bankTransfer("0815"), testProvider(() => now)];
}

function pass(process: Db, now: number): Promise<unknown> {
  return paymentLoop({ db: process, providers: providersAt(now), now: () => now }).pass(never);
}

async function paymentOf(of: Scene, amount: string): Promise<Payment> {
  const found = await listPayments(db, only(of), { after: undefined, limit: 9 });
  return present(
    found.find((each) => each.amount === parseFen(amount)),
    "the payment",
  );
}

test(
  "R-LED-1: a crash at any write of payments: receipts, suspense, settlements and refunds count once",
  { timeout: 60_000 },
  async () => {
    const pay = (key: string, method: "bank_transfer" | "test", amount: string) => ({
      does: (process: Db, of: Scene) =>
        request(process, of, {
          key,
          work: (tx, tenantId) =>
            createPayment(tx, tenantId, { method, amount: parseFen(amount), at: start }),
        }),
    });
    const receipt = (process: Db, of: Scene, ask: { code: string; amount: string }) =>
      process.transaction((tx) =>
        recordReceipt(tx, {
          bankReference: `${of.name} ${ask.amount}`,
          code: ask.code,
          amount: parseFen(ask.amount),
          receivedOn: "2026-05-04",
          at: start + hour,
        }),
      );
    const refund = (key: string, amount: string) => ({
      does: async (process: Db, of: Scene) => {
        const { id: paymentId } = await paymentOf(of, "70.00");
        const ask = { paymentId, amount: parseFen(amount), reason: "asked for", at: start + hour };
        await request(process, of, {
          key,
          work: (tx, tenantId) => refundPayment(tx, tenantId, ask),
        });
      },
    });
    const start = at("2026-05-04");
    const story: Story<Scene> = {
      remains,
      books,
      prepare: () => scene(1),
      steps: [
        pay("bank", "bank_transfer", "100.00"),
        pay("test", "test", "70.00"),
        { does: (process) => pass(process, start) },
        { does: (process) => pass(process, start + 10_000) },
        {
          does: async (process, of) =>
            receipt(process, of, { code: (await paymentOf(of, "100.00")).code, amount: "100.00" }),
        },
        { does: (process, of) => receipt(process, of, { code: "nobody's", amount: "5.00" }) },
        {
          does: async (process, of) => {
            const waiting = await listReceipts(db, { which: "all", after: undefined, limit: 20 });
            const { id } = present(
              waiting.find(({ bankReference }) => bankReference === `${of.name} 5.00`),
              "the receipt",
            );
            const resolution = { kind: "assign", tenantId: only(of) } as const;
            const ask = { id, resolution, note: "called", at: start + 2 * hour };
            await request(process, of, { key: "resolve", work: (tx) => resolveReceipt(tx, ask) });
          },
        },
        refund("refused", "10.13"),
        refund("paid-back", "20.00"),
        { does: (process) => pass(process, start + 3 * hour) },
      ],
    };
    const { wrong, places } = await diesEverywhere(story);
    expect(wrong).toEqual([]);
    expect(places).toBeGreaterThan(40);
  },
);
