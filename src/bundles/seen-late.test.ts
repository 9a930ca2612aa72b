/**
 * An event is stamped when its transaction begins and seen when it ends: one that a posting did not see,
 * though it is stamped before it, came for the next revision, and the bill is proved.
 */
import { buffer } from "node:stream/consumers";

import { v7 as newId } from "uuid";
import { expect, test } from "vitest";

import { sql } from "#db/sql.ts";
import { leavesOfLines } from "#flow/invoice/leaves.ts";
import { insertEvents } from "#flow/meter/event-store.ts";
import type { RecordedEvent } from "#flow/meter/event.ts";
import { chargeLines } from "#flow/rate/charge-lines.ts";
import { localDay, localMonth } from "#kernel/calendar.ts";
import { billingZone } from "#kernel/zone.ts";
import { formatKey } from "#tlog/keys.ts";
import { nodeHasher, nodeSha256, nodeVerify } from "#tlog/node-crypto.ts";
import { testDatabase } from "#test/database.ts";
import { verifyBundle } from "#verify/verify.ts";

import { exportBundle } from "./export.ts";
import { newCustomer, signer } from "./sample.ts";

const { db } = await testDatabase();

test("MT-04: an event stamped before a posting and seen after it came for the next revision", async () => {
  const of = await newCustomer(db, "late", billingZone);
  const { tenantId, at } = of;
  const day = localDay("2026-05-04");
  await of.use({ sku: "gpu.T4", units: 1n, from: at(day, 9), until: at(day, 19) });
  await of.use({
    sku: "gpu.T4",
    units: 1n,
    from: at("2026-05-08", 9),
    until: at("2026-05-08", 10),
  });
  await of.pass(at("2026-05-09", 1));
  const id = newId();
  const event: RecordedEvent = {
    kind: "recorded",
    source: "/meters/slow",
    id,
    at: at(day, 3),
    tenantId,
    projectId: id,
    requestId: id,
    instanceId: id,
    intervalId: id,
    work: "lease",
    plan: "on_demand",
    sku: "gpu.T4",
    units: 1n,
    slice: 1,
    from: at(day, 1),
    until: at(day, 3),
    billable: true,
    reason: null,
  };
  const draft = { event, use: event, day, counted: true };
  // Its transaction began before the posting.
  await db.transaction((tx) => insertEvents(tx, [draft], at("2026-05-08", 12)));
  await of.pass(at("2026-05-12", 1));
  const range = { kind: "days", from: day, through: day } as const;
  const revisions = (await chargeLines(db, tenantId, range)).map(
    ({ revision, amount }) => `${revision} ${amount}`,
  );
  expect(revisions).toEqual(["0 5000", "1 1000"]);
  await of.pass(at("2026-06-05"));
  const leavesOf = (await leavesOfLines(db, { tenantIds: [tenantId], from: day, through: day }))(
    tenantId,
  );
  const counts = [0, 1].map(
    (revision) => leavesOf({ serviceDay: day, sku: "gpu.T4", revision })?.count,
  );
  expect(counts).toEqual([1, 1]);
  const verdict = async () => {
    const month = localMonth("2026-05");
    const bytes = await buffer(await exportBundle(db, { tenantId, month, keptSize: undefined }));
    const trust = { key: formatKey(signer.key), checkpoint: undefined };
    const crypto = { sha256: nodeSha256, hasher: nodeHasher(), verify: nodeVerify };
    return verifyBundle(new Uint8Array(bytes), { crypto, trust });
  };
  const proved = await verdict();
  expect(proved.failures).toEqual([]);
  expect(proved).toMatchObject({ isProved: true, bill: { events: 3 } });
  // Without what the rater wrote down it goes by the clock, as lines of before that do.
  await db.execute(sql`alter table charge_line disable trigger user`);
  await db.execute(sql`update charge_line set received_through = null`);
  expect((await verdict()).isProved).toBe(false);
});
