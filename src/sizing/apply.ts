/**
 * Makes a decision about one lease so, in one transaction under the lock of its request, on what stands
 * there then. First the change and its price are said; the change itself is the ask that a customer
 * would make, with its quota, its room on the host and its price.
 */
import { v7 as newId } from "uuid";

import { audit } from "#audit/audit.ts";
import type { Db, Tx } from "#db/pool.ts";
import { lockRequest } from "#flow/admit/requests.ts";
import { askResize } from "#flow/provision/resize.ts";
import { addEvent } from "#flow/provision/store.ts";
import { present } from "#kernel/assert.ts";
import { Failure } from "#kernel/failure.ts";
import { formatFen } from "#kernel/money.ts";
import { notify } from "#notices/store.ts";

import { assess, type Assessment } from "./assess.ts";
import { decide, type Size } from "./decide.ts";
import { setAnnounced, setRefusal, setResized, type Sizing } from "./rows.ts";

interface LeaseKey {
  readonly tenantId: string;
  readonly id: string;
  readonly now: number;
}

export async function sizeLease(db: Db, of: Sizing, now: number): Promise<void> {
  const key = { tenantId: of.tenantId, id: of.requestId, now };
  try {
    await db.tenant(of.tenantId, async (tx) => {
      const { ended_at: endedAt } = await lockRequest(tx, { ...key, kind: "lease" });
      if (endedAt !== null) return;
      const found = await assess(tx, key);
      const { sizing } = found;
      if (sizing === undefined || found.lease.plan !== "on_demand") return;
      const act = decide({ ...found.facts, ...sizing });
      if (act.does === "announce") await announce(tx, key, { found, sizing, to: act.to });
      if (act.does === "resize") await resize(tx, key, { found, to: act.to });
    });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { code, message, details } = error;
    await setRefusal(db, { ...key, refusal: { code, message, details } });
  }
}

async function announce(
  tx: Tx,
  { tenantId, id, now }: LeaseKey,
  { found, sizing, to }: { readonly found: Assessment; readonly sizing: Sizing; readonly to: Size },
): Promise<void> {
  await setAnnounced(tx, { tenantId, id, announced: { ...to, at: now } });
  const at = new Date(now + sizing.rules.noticeMs).toISOString();
  const { name, shape } = found.lease;
  const prices = pricesOf(found, to);
  await addEvent(tx, {
    tenantId,
    requestId: id,
    at: now,
    kind: "resize_announced",
    message: `By what it uses it becomes a ${to.flavor} after ${at}, ${prices.to} CNY an hour instead of ${prices.from}; to keep it as it is: millrace lease auto-size ${name} --off.`,
    details: { from: shape.flavor, to: to.flavor, at, hourly: prices },
  });
  await notify(tx, {
    tenantId,
    key: `resize-announced:${id}:${now}`,
    kind: "lease_resize_announced",
    severity: "info",
    data: {
      name,
      flavor: to.flavor,
      was: shape.flavor,
      hourly: prices.to,
      before: prices.from,
      at,
    },
    at: now,
  });
}

async function resize(
  tx: Tx,
  { tenantId, id, now }: LeaseKey,
  { found, to }: { readonly found: Assessment; readonly to: Size },
): Promise<void> {
  const { shape, price } = present(found.shapeFor(to.flavor), "a flavor that is sold");
  await askResize(tx, { tenantId, leaseId: id, at: now, shape, price });
  await setResized(tx, { tenantId, id, at: now });
  const hourly = pricesOf(found, to);
  const details = { from: found.lease.shape.flavor, to: to.flavor, hourly };
  await addEvent(tx, {
    tenantId,
    requestId: id,
    at: now,
    kind: "resized_by_use",
    message: `Resized by what it uses, from ${details.from} to ${to.flavor}: ${hourly.to} CNY an hour instead of ${hourly.from}.`,
    details,
  });
  await audit(tx, {
    tenantId,
    actor: { kind: "system", name: "sizing" },
    action: "lease.resize",
    target: id,
    outcome: "done",
    requestId: newId(),
    details,
    at: now,
  });
}

function pricesOf({ facts }: Assessment, to: Size): { readonly from: string; readonly to: string } {
  const { hourly } = facts;
  return { from: hourly === undefined ? "-" : formatFen(hourly), to: formatFen(to.hourly) };
}
