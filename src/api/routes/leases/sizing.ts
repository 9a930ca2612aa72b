/** How large a lease should be, and letting the platform see to it. */
import type { z } from "zod";

import type { Handlers } from "#api/handler.ts";
import { showReason } from "#api/routes/leases/show.ts";
import { amountOf, time, timeOrNull } from "#api/routes/wire.ts";
import type * as schemas from "#contract/schemas/sizing.ts";
import type { Tx } from "#db/pool.ts";
import { openLease } from "#flow/admit/lease.ts";
import { Failure } from "#kernel/failure.ts";
import { formatFen } from "#kernel/money.ts";
import { assess, type Assessment } from "#sizing/assess.ts";
import { decide, unableTo, type Act, type Size } from "#sizing/decide.ts";
import { confidenceOf, type Bounds } from "#sizing/recommend.ts";
import { removeRules, setRules } from "#sizing/rows.ts";

const minuteMs = 60_000;

type Recommendation = z.output<typeof schemas.recommendation>;

export const sizingHandlers = {
  getLeaseRecommendation: ({ params }, { tx, tenantId, now }) =>
    show(tx, { tenantId, id: params.leaseId, now: now() }),

  setSizing: async ({ params, body }, { tx, tenantId, now, note }) => {
    const at = now();
    const { leaseId } = params;
    const { name, plan } = await openLease(tx, { tenantId, leaseId, at });
    if (plan === "subscription") {
      throw new Failure(
        "rule_violation",
        `${name} is a subscription: its size was bought. Upgrade it, or expand it for some days.`,
      );
    }
    const { hourlyMax, cooldownMinutes, noticeMinutes, ...bounds } = body;
    const rules = {
      ...bounds,
      hourlyMax: amountOf(hourlyMax),
      cooldownMs: cooldownMinutes * minuteMs,
      noticeMs: noticeMinutes * minuteMs,
    };
    await setRules(tx, { tenantId, id: leaseId, rules, at });
    note({ details: { ...body } });
    return show(tx, { tenantId, id: leaseId, now: at });
  },

  deleteSizing: async ({ params }, { tx, tenantId }) => {
    if (await removeRules(tx, { tenantId, id: params.leaseId })) return undefined;
    throw new Failure("not_found", "There is no such lease that is sized by what it uses.");
  },
} satisfies Partial<Handlers>;

async function show(
  tx: Tx,
  key: { readonly tenantId: string; readonly id: string; readonly now: number },
): Promise<Recommendation> {
  const found = await assess(tx, key);
  const { facts, sizes, advice, best, looked } = found;
  const { flavor, vcpus, memoryMiB, diskGiB } = facts.shape;
  const { hourly } = facts;
  const shownHourly = hourly === undefined ? null : formatFen(hourly);
  const cpus = sizes.milliCpus;
  return {
    leaseId: key.id,
    advice,
    current: { flavor, vcpus, memoryMiB, diskGiB, hourly: shownHourly },
    recommended: best === undefined ? null : { ...best, hourly: formatFen(best.hourly) },
    cpus: cpus === null ? null : inCpus(cpus),
    memoryMiB: sizes.memoryMiB === null ? null : { ...sizes.memoryMiB },
    days: Math.round(sizes.days * 100) / 100,
    confidence: confidenceOf(sizes.days),
    seenAt: timeOrNull(looked?.lookedAt ?? null),
    live: liveOf(found, best),
    automatic: automaticOf(found),
  };
}

function inCpus({ lower, target, upper }: Bounds): Bounds {
  return { lower: lower / 1000, target: target / 1000, upper: upper / 1000 };
}

function liveOf({ facts, advice }: Assessment, best: Size | undefined): Recommendation["live"] {
  if (best === undefined) return { can: false, because: "there is nothing to change" };
  if (facts.power === "stopped") return { can: true, because: null };
  const because =
    advice === "shrink"
      ? "a machine that runs gives nothing up: it has less from its next start on"
      : unableTo(facts, best);
  return because === undefined ? { can: true, because: null } : { can: false, because };
}

function automaticOf({ facts, sizing, lease }: Assessment): Recommendation["automatic"] {
  if (sizing === undefined || lease.ended_at !== null) return null;
  const { hourlyMax, cooldownMs, noticeMs, ...bounds } = sizing.rules;
  const { announced } = sizing;
  return {
    ...bounds,
    hourlyMax: formatFen(hourlyMax),
    cooldownMinutes: cooldownMs / minuteMs,
    noticeMinutes: noticeMs / minuteMs,
    announced:
      announced === null
        ? null
        : {
            flavor: announced.flavor,
            hourly: formatFen(announced.hourly),
            at: time(announced.at + noticeMs),
          },
    resizedAt: timeOrNull(sizing.resizedAt),
    refusal: showReason(sizing.refusal),
    next: nextText(decide({ ...facts, ...sizing })),
  };
}

function nextText(act: Act): string {
  switch (act.does) {
    case "nothing":
      return `Nothing is done now: ${act.because}.`;
    case "announce":
      return `It becomes a ${act.to.flavor} at ${formatFen(act.to.hourly)} CNY an hour; that is announced first.`;
    case "resize":
      return `It becomes a ${act.to.flavor} at ${formatFen(act.to.hourly)} CNY an hour, within a minute.`;
  }
}
