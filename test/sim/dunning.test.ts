/** Invariant 8 when the money is used up: the ladder on real rows, from the first warning to the end. */
import { expect, test } from "vitest";
import { z } from "zod";

import { seedPriceProfile } from "#catalog/price-profiles.ts";
import { defaultProfile } from "#catalog/profile.ts";
import { sql } from "#db/sql.ts";
import { lookAt } from "#dunning/loop.ts";
import { requireMeans } from "#dunning/require.ts";
import { standingOf, tenantsToLookAt } from "#dunning/store.ts";
import { payout } from "#flow/ledger/decide.ts";
import { book, recordTopUp } from "#flow/ledger/store.ts";
import { parseFen } from "#kernel/money.ts";
import { notices } from "#notices/store.ts";
import { testDatabase } from "#test/database.ts";

import { addTenant, lease, rent } from "./cloud.ts";

const { db } = await testDatabase();
await db.transaction(seedPriceProfile);
const { dunning: rules } = defaultProfile;
const start = Date.parse("2026-05-04T10:00:00Z");
const hourMs = 3_600_000;

const requestRow = z.object({ wanted: z.string(), reason: z.string().nullable() });

async function scene(name: string) {
  const tenant = await addTenant(db, name);
  const { tenantId } = tenant;
  await topUp("100.00", start - hourMs);
  const id = await rent(db, lease(tenant));
  // One yuan an hour, whatever the shape would cost.
  await db.execute(sql`update request set price = '{"hourly": "1.00"}' where id = ${id}`);

  async function topUp(amount: string, at: number): Promise<void> {
    const ask = { reference: `${at}`, amount: parseFen(amount), at };
    await db.tenant(tenantId, (tx) => recordTopUp(tx, tenantId, ask));
  }
  return {
    tenant,
    tenantId,
    topUp,
    /** Takes money away, so that so much is left. */
    spend: async (amount: string, at: number): Promise<void> => {
      const draft = payout({ reference: `${at}`, amount: parseFen(amount), reason: "asked for" });
      await db.tenant(tenantId, (tx) => book(tx, tenantId, { draft, at }));
    },
    look: (at: number) => lookAt(db, { tenantId, rules, now: at }),
    request: () =>
      db.one(
        sql`select wanted, end_reason->>'code' as reason from request where id = ${id}`,
        requestRow,
      ),
    stage: async () => (await standingOf(db, tenantId))?.stage,
    told: async () => {
      const list = await db.tenant(tenantId, (tx) =>
        notices(tx, tenantId, { after: undefined, limit: 50 }),
      );
      return list.map(({ kind }) => kind).toReversed();
    },
  };
}

test("each rung is told once, the last ones act, and a top-up starts everything again", async () => {
  const { tenantId, look, spend, topUp, request, stage, told } = await scene("ladder");
  await look(start);
  expect(await stage()).toBe("ok");
  await spend("40.00", start + 1);
  await look(start + 1);
  await look(start + 2);
  await spend("50.00", start + 3);
  await look(start + 3);
  await spend("9.50", start + 4);
  await look(start + 4);
  expect(await stage()).toBe("no_new_work");
  await expect(requireMeans(db, { tenantId, kind: "lease" })).rejects.toMatchObject({
    code: "insufficient_credit",
  });
  expect(await request()).toEqual({ wanted: "running", reason: null });
  await spend("0.50", start + 5);
  await look(start + 5);
  // What was paid was paid back, so there is no grace.
  expect(await stage()).toBe("stopped");
  expect(await request()).toEqual({ wanted: "stopped", reason: "insufficient_credit" });
  await topUp("200.00", start + hourMs);
  await look(start + hourMs);
  expect(await stage()).toBe("ok");
  expect(await request()).toEqual({ wanted: "running", reason: null });
  await requireMeans(db, { tenantId, kind: "lease" });
  expect(await told()).toEqual([
    "money_forecast",
    "money_warning",
    "money_no_new_work",
    "money_stopped",
    "money_restored",
  ]);
});

test("what nobody pays for is kept for its days, announced, and then released; subscriptions are not", async () => {
  const { tenant, tenantId, look, spend, request, stage, told } = await scene("release");
  const ahead = lease(tenant, { name: "ahead", plan: "subscription" });
  await rent(db, ahead);
  await spend("100.00", start);
  await look(start);
  expect(await stage()).toBe("stopped");
  for (const days of [4, 5, 6, 6.5, 7, 8]) {
    // oxlint-disable-next-line no-await-in-loop -- as time goes by
    await look(start + days * 24 * hourMs);
  }
  expect(await stage()).toBe("released");
  expect(await request()).toEqual({ wanted: "released", reason: "insufficient_credit" });
  expect(await told()).toEqual([
    "money_stopped",
    "money_release_ahead",
    "money_release_ahead",
    "money_released",
  ]);
  const others = await db.rows(
    sql`select wanted from request where tenant_id = ${tenantId} and plan = 'subscription'`,
    z.object({ wanted: z.string() }),
  );
  expect(others).toEqual([{ wanted: "running" }]);
});

test("disks of a lease that its owner stopped cost money too: the ladder ends with their release", async () => {
  const { tenantId, look, spend, request, stage, told } = await scene("stopped");
  await db.execute(sql`update request set wanted = 'stopped' where tenant_id = ${tenantId}`);
  const concerned = await tenantsToLookAt(db, { after: undefined, limit: 100 });
  expect(concerned).toContain(tenantId);
  await look(start);
  expect(await stage()).toBe("ok");
  await spend("100.00", start);
  await look(start);
  expect(await stage()).toBe("stopped");
  await look(start + 8 * 24 * hourMs);
  expect(await request()).toMatchObject({ wanted: "released" });
  expect(await told()).toEqual(["money_stopped", "money_released"]);
});
