/** Leases that nobody uses: rules and report for the operator, keeping and restoring for tenants. */
import type { z } from "zod";

import type { Handlers } from "#api/handler.ts";
import { beginsAs } from "#api/routes/leases/begins-as.ts";
import { pricesNow } from "#api/routes/leases/quote.ts";
import { leaseOf, showOperation } from "#api/routes/leases/show.ts";
import { requirePlaceable } from "#api/routes/leases/leases.ts";
import { priorityOf } from "#api/routes/priority.ts";
import { time, timeOrNull } from "#api/routes/wire.ts";
import { poolNamed } from "#catalog/pool-rows.ts";
import type * as schemas from "#contract/schemas/idle.ts";
import { requireAgreements } from "#customers/agreements.ts";
import type { Tx } from "#db/pool.ts";
import { requireMeans } from "#dunning/require.ts";
import { ledgerCredit } from "#flow/admit/credit.ts";
import { admitWork } from "#flow/admit/work.ts";
import { priceOf } from "#flow/admit/price.ts";
import { askKeep, recordRestored, restorable } from "#idle/asks.ts";
import { idleEvents, type EventKind } from "#idle/events.ts";
import { idleReport, monthSpan, type IdleReport } from "#idle/report.ts";
import {
  everyFlavor,
  policies,
  poolScope,
  removePolicy,
  setPolicy,
  type Policy,
} from "#idle/rules.ts";
import { watchedLease } from "#idle/store.ts";
import { idlenessOf } from "#idle/view.ts";
import { dayOf, localMonth, monthOf } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { fen, formatFen } from "#kernel/money.ts";
import { formatRounded, roundHalfAway } from "#kernel/rounding.ts";
import { billingZone } from "#kernel/zone.ts";

const eventsPerReportMax = 20_000;

const basis =
  "From each release to the end of the month, to now, or to the restoration, whichever came first, at the lease's own price per hour. An upper bound: nobody knows how long it would have gone on.";

export const idleHandlers = {
  listIdlePolicies: async (_input, { tx }) => ({ items: (await policies(tx)).map(showPolicy) }),

  setIdlePolicy: async ({ params, body }, { tx, now, note }) => {
    note({ details: body });
    const scope = scopeOf(params.scope);
    if (scope.startsWith(poolScope)) await poolNamed(tx, scope.slice(poolScope.length));
    return showPolicy(await setPolicy(tx, { scope, rules: body, at: now() }));
  },

  deleteIdlePolicy: async ({ params }, { tx }) => {
    await removePolicy(tx, scopeOf(params.scope));
    return undefined;
  },

  getIdleReport: async ({ query }, { tx, now }) => {
    const at = now();
    const thisMonth = monthOf(dayOf(billingZone, at));
    const month = query.month === undefined ? thisMonth : localMonth(query.month);
    const span = monthSpan(month, billingZone);
    const events = await idleEvents(tx, { ...span, limit: eventsPerReportMax });
    const report = idleReport(events, span, at);
    return {
      month,
      until: time(Math.min(span.until, Math.max(span.from, at))),
      truncated: events.length === eventsPerReportMax,
      ...showReport(report),
    };
  },

  getLeaseIdleness: ({ params }, { tx, tenantId }) =>
    showIdleness(tx, { tenantId, id: params.leaseId }),

  keepLease: async ({ params, body }, { tx, tenantId, now, note }) => {
    const { leaseId } = params;
    note({ details: { keep: body.keep } });
    await askKeep(tx, { tenantId, leaseId, kind: body.keep, at: now() });
    return showIdleness(tx, { tenantId, id: leaseId });
  },

  restoreSnapshot: async ({ params, body }, context) => {
    const { tx, tenantId, principal } = context;
    const at = context.now();
    const kept = await restorable(tx, { tenantId, snapshotId: params.snapshotId, at });
    const { from, shape, snapshotId } = kept;
    await requireAgreements(tx, tenantId);
    await requireMeans(tx, { tenantId, kind: "lease" });
    await requirePlaceable(context, shape);
    const name = body.name ?? from.name;
    const { requestId, operation } = await admitWork(tx, ledgerCredit, {
      tenantId,
      ...beginsAs(from),
      userId: principal.userId,
      name,
      shape,
      sshKeys: from.ssh_keys,
      priority: await priorityOf(context),
      fromSnapshot: snapshotId,
      price: priceOf(await pricesNow(tx, at), shape),
      at,
    });
    await recordRestored(tx, kept, { leaseId: requestId, at });
    context.note({ target: requestId, details: { name, snapshotId, from: from.id } });
    return {
      lease: await leaseOf(context, requestId),
      operation: showOperation(operation),
    };
  },
} satisfies Partial<Handlers>;

/** `*` in the rows, a word in paths. */
function scopeOf(scope: string): string {
  return scope === "default" ? everyFlavor : scope;
}

function showPolicy({ scope, rules, changedAt }: Policy): z.output<typeof schemas.idlePolicy> {
  return { scope: scope === everyFlavor ? "default" : scope, rules, changedAt: time(changedAt) };
}

async function showIdleness(
  tx: Tx,
  key: { readonly tenantId: string; readonly id: string },
): Promise<z.output<typeof schemas.idleness>> {
  const lease = await watchedLease(tx, key);
  if (lease === undefined) throw new Failure("not_found", "There is no such lease.");
  const found = idlenessOf(lease, await policies(tx));
  return {
    leaseId: key.id,
    state: found.state,
    idleSince: timeOrNull(found.idleSince),
    warnAt: timeOrNull(found.warnAt),
    releaseAt: timeOrNull(found.releaseAt),
    windowHours: found.windowHours,
    signals: found.signals.map((seen) => ({
      signal: seen.signal,
      value: seen.value,
      activeAt: time(seen.activeAt),
      seenAt: time(seen.at),
      seenBy: seen.seenBy,
    })),
  };
}

function showReport(
  report: IdleReport,
): Omit<z.output<typeof schemas.idleReport>, "month" | "until" | "truncated"> {
  const { counts } = report;
  return {
    from: time(report.from),
    warned: counts.warned,
    kept: counts.kept,
    exempted: counts.exempted,
    usedAgain: counts.active,
    released: counts.released,
    restored: counts.restored,
    snapshotsFailed: counts.snapshot_failed,
    hoursSaved: formatRounded(report.hours, 2),
    gpuHoursSaved: formatRounded(report.gpuHours, 2),
    moneySaved: formatFen(fen(roundHalfAway(report.saved))),
    basis,
    releases: report.releases.map(({ event, hours, saved, restoredAt }) => ({
      leaseId: event.requestId,
      tenantId: event.tenantId,
      tenant: event.tenant,
      name: event.details.name,
      flavor: event.details.flavor,
      releasedAt: time(event.at),
      hourly: event.details.hourly,
      hours: formatRounded(hours, 2),
      saved: saved === null ? null : formatFen(fen(roundHalfAway(saved))),
      restoredAt: timeOrNull(restoredAt),
    })),
    reversals: report.reversals.map(({ at, kind, requestId, tenantId, tenant, details }) => ({
      at: time(at),
      kind: reversalKind(kind),
      leaseId: requestId,
      tenantId,
      tenant,
      name: details.name,
      note: details.note,
    })),
  };
}

function reversalKind(
  kind: EventKind,
): z.output<typeof schemas.idleReport>["reversals"][number]["kind"] {
  return kind === "kept" || kind === "exempted" || kind === "restored" ? kind : "used_again";
}
