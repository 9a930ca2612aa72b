/** A bundle and a replay over the API: one's own, of any month, as the tenant behind the wall. */
import { v7 as newId } from "uuid";
import { expect, test } from "vitest";

import { loadPriceBook, seedPriceProfile } from "#catalog/price-profiles.ts";
import { sql } from "#db/sql.ts";
import { cutDue } from "#flow/meter/cut-loop.ts";
import { recordLogKey } from "#flow/meter/log-store.ts";
import { sequence, signIfNeeded } from "#flow/meter/sequencer.ts";
import { rateTenant } from "#flow/rate/loop.ts";
import { createTenant } from "#identity/tenants.ts";
import { dayStart, localDay } from "#kernel/calendar.ts";
import { billingZone } from "#kernel/zone.ts";
import { formatKey, noteKey } from "#tlog/keys.ts";
import { nodeHasher, nodeSha256, nodeSigningKey, nodeVerify } from "#tlog/node-crypto.ts";
import { testApi } from "#test/api-server.ts";
import { verifyBundle } from "#verify/verify.ts";

import { bundleHandlers } from "./bundles.ts";

const api = await testApi({ handlers: bundleHandlers });
const { db, customer } = api;
const tenantId = customer.tenant.id;
const secret = customer.administrator.secret;
const { publicKey, sign } = nodeSigningKey(new Uint8Array(32).fill(5));
const key = noteKey(nodeSha256, { name: "example.com/log", kind: "log", publicKey });
const now = dayStart(billingZone, localDay("2026-05-07"));

await db.transaction(seedPriceProfile);
await recordLogKey(db, formatKey(key), 0);
const id = newId();
await db.execute(sql`
  insert into usage_interval (tenant_id, id, instance_id, request_id, project_id, sku, units,
    started_at, ended_at, source_seq)
  values (${tenantId}, ${id}, ${id}, ${id}, ${id}, 'gpu.T4', 1, '2026-05-04T01:00:00Z',
    '2026-05-04T03:00:00Z', 1)`);
// oxlint-disable-next-line no-await-in-loop -- batch after batch
while (await cutDue(db, now));
await sequence(db);
await signIfNeeded(db, { signer: { key, sign }, now });
const prices = await loadPriceBook(db);
await rateTenant({ db, now: () => now, timeZoneOf: async () => billingZone }, tenantId, prices);

async function bundleOf(as: string): Promise<{ readonly headers: Headers; readonly text: string }> {
  const authorization = `Bearer ${as}`;
  const answer = await fetch(`${api.url}/v1/bundles/2026-05`, { headers: { authorization } });
  expect(answer.status).toBe(200);
  return { headers: answer.headers, text: await answer.text() };
}

function isProved(text: string): boolean {
  const crypto = { sha256: nodeSha256, hasher: nodeHasher(), verify: nodeVerify };
  const trust = { key: formatKey(key), checkpoint: undefined };
  return verifyBundle(new TextEncoder().encode(text), { crypto, trust }).isProved;
}

test("MT-05: a customer gets his bundle, of a month that is open too, and it is proved", async () => {
  const answer = await bundleOf(secret);
  expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
  expect(answer.headers.get("content-disposition")).toContain("millrace-2026-05.bundle");
  expect(answer.text).toContain('"state":"provisional"');
  expect(answer.text).toContain(tenantId);
  expect(isProved(answer.text)).toBe(true);
});

test("MT-05: a month is replayed, and what it rests on is told", async () => {
  const answer = await api.ask("GET", "/v1/bundles/2026-05/replay", { secret });
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({
    month: "2026-05",
    state: "provisional",
    isSame: true,
    total: "10.00",
    lines: 1,
    events: 1,
    differences: [],
  });
});

test("another tenant's bundle has nothing of it; what is no month, or beyond the log, is refused", async () => {
  const other = await db.transaction((tx) => createTenant(tx, { name: "other", now: 0 }));
  const answer = await bundleOf(other.administrator.secret);
  expect(answer.text).not.toContain(tenantId);
  expect(isProved(answer.text)).toBe(true);
  expect((await api.ask("GET", "/v1/bundles/2026-13", { secret })).status).toBe(400);
  const beyond = await api.ask("GET", "/v1/bundles/2026-05?checkpoint=9", { secret });
  expect(beyond.status).toBe(409);
});
