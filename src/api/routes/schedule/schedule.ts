/** Why something waits, plans on paper, and history under another policy. */
import { z } from "zod";

import type { Handlers } from "#api/handler.ts";
import { pricesNow } from "#api/routes/leases/quote.ts";
import { showPlace } from "#api/routes/schedule/line.ts";
import { time, timeOrNull } from "#api/routes/wire.ts";
import { offeredFlavor } from "#catalog/flavors.ts";
import { priceOf } from "#flow/admit/price.ts";
import type { GangHow } from "#flow/admit/requests.ts";
import { shapeOf } from "#flow/admit/shape.ts";
import type { PlaceAsk } from "#flow/place/ask.ts";
import { couldEverFit, couldEverFitTogether } from "#flow/place/decide.ts";
import { placeSeveral } from "#flow/place/free.ts";
import { hostStates } from "#flow/place/hosts-read.ts";
import { Planner } from "#flow/place/planner.ts";
import { readAll } from "#flow/place/read.ts";
import { lineOf, outlookOf } from "#flow/queue/outlook.ts";
import { poolOf } from "#flow/queue/snapshot.ts";
import { askedFor, whyText } from "#flow/queue/why.ts";
import { Failure } from "#kernel/failure.ts";
import { formatFen } from "#kernel/money.ts";
import type { Reason } from "#kernel/reason.ts";
import type { Figures } from "#rehearse/figures.ts";
import { changed } from "#rehearse/fleet.ts";
import { planFleet, type Sold } from "#rehearse/fleet-plan.ts";
import { heldNow } from "#rehearse/held.ts";
import { historyOf } from "#rehearse/history.ts";
import { politely } from "#rehearse/politely.ts";
import { replaying } from "#rehearse/replay.ts";

const dayMs = 86_400_000;
const replayedMsMax = 92 * dayMs;
const replayLimitMs = 20_000;

export const scheduleHandlers = {
  explainRequest: async ({ params }, { tx, tenantId, now }) => {
    const asked = await askedFor(tx, { tenantId, requestId: params.requestId, at: now() });
    if (asked === undefined) throw new Failure("not_found", "There is no such lease or job.");
    const { askedAt, shape, lineId, members, ...said } = asked;
    const outlook = asked.state === "waiting" ? await outlookOf(tx, lineId) : undefined;
    const place = outlook === undefined ? null : showPlace(outlook);
    return {
      ...said,
      askedAt: timeOrNull(askedAt),
      pool: place?.pool ?? poolOf(shape),
      position: place?.position ?? null,
      waiting: place?.waiting ?? null,
      start: place?.start ?? null,
      gang: members === 1 ? null : { size: members, fits: fittingOf(asked.reason) },
      text: whyText(asked, outlook),
    };
  },
  planRequest: async ({ body }, { tx, tenantId, now }) => {
    const shape = shapeOf(await offeredFlavor(tx, body.flavor), { diskGiB: body.diskGiB });
    const at = now();
    const { shown } = priceOf(await pricesNow(tx, at), shape);
    const hosts = await hostStates(tx, at);
    const ask = { tenantId, shape };
    const planner = new Planner(hosts);
    const planned =
      body.together === undefined
        ? planSeveral(planner, ask, body.count)
        : planTogether(planner, { ask, count: body.count, how: body.together });
    const pool = poolOf(shape);
    const line = await lineOf(tx, pool);
    return {
      flavor: body.flavor,
      asked: body.count,
      ...planned,
      never:
        body.together === undefined
          ? planned.fits === 0 && !couldEverFit(hosts, ask).placed
          : !couldEverFitTogether(hosts, several(ask, body.count), body.together).placed,
      line: { pool, waiting: line.waiting, latest: timeOrNull(line.latest) },
      price: shown,
    };
  },
  planFleet: async ({ body }, { tx, now }) => {
    const at = now();
    const view = await readAll(tx, at);
    const planned = planFleet(view, { held: await heldNow(tx), changes: body.changes, at });
    const names = new Map(view.hosts.map(({ id, name }) => [id, name]));
    return {
      before: showSold(planned.before),
      after: showSold(planned.after),
      displaced: planned.displaced.map(({ requestId, tenantId, kind, name, refusal }) => ({
        requestId,
        tenantId,
        kind,
        name,
        reason: refusal,
      })),
      started: planned.started.map(({ requestId, hostId }) => ({
        requestId,
        host: names.get(hostId) ?? hostId,
      })),
      stillWaiting: [...Map.groupBy(planned.waiting, ({ reason }) => reason.code)].map(
        ([code, of]) => ({ code, count: of.length, message: of[0]?.reason.message ?? "" }),
      ),
    };
  },
  replaySchedule: async ({ body }, { tx, signal, now }) => {
    const span = { from: Date.parse(body.from), until: Date.parse(body.until) };
    if (span.until <= span.from || span.until - span.from > replayedMsMax) {
      throw new Failure(
        "invalid_request",
        "A replay goes from a time to a later one, 92 days at most.",
      );
    }
    const { policy, placement } = body;
    const history = await historyOf(tx, span);
    const hosts = changed(await hostStates(tx, now()), body.changes);
    const replayed = await politely(
      replaying(history, { span, hosts, policies: { queue: policy, placement } }),
      { limitMs: replayLimitMs, signal },
    );
    return {
      from: time(span.from),
      until: time(span.until),
      policy,
      placement,
      real: showFigures(replayed.real),
      usual: showFigures(replayed.usual),
      other: showFigures(replayed.other),
      displaced: replayed.displaced,
      gaveUp: history.gaveUp,
      cut: history.cut,
    };
  },
} satisfies Partial<Handlers>;

interface Room {
  /** So many have room now. */
  readonly fits: number;
  /** Why not more. */
  readonly reason: Reason | null;
}

/** As many as there is room for. */
function planSeveral(planner: Planner, ask: PlaceAsk, count: number): Room {
  const { placed, reason } = placeSeveral(planner, ask, count);
  return { fits: placed.length, reason: reason ?? null };
}

/** All or none: how many would fit is said all the same. */
function planTogether(
  planner: Planner,
  { ask, count, how }: { readonly ask: PlaceAsk; readonly count: number; readonly how: GangHow },
): Room {
  const answer = planner.placeAll(several(ask, count), how);
  return answer.placed
    ? { fits: count, reason: null }
    : { fits: answer.fitting, reason: answer.reason };
}

function several(ask: PlaceAsk, count: number): PlaceAsk[] {
  return Array.from({ length: count }, () => ask);
}

const fitting = z.object({ details: z.object({ fitting: z.int() }) });

/** Of a gang that waits, as the pass found it. */
function fittingOf(reason: Reason | null): number | null {
  return fitting.safeParse(reason).data?.details.fitting ?? null;
}

function showSold({ revenuePerHour, ...of }: Sold): Omit<Sold, "revenuePerHour"> & {
  readonly revenuePerHour: string;
} {
  return { ...of, revenuePerHour: formatFen(revenuePerHour) };
}

function showFigures(of: Figures): Record<
  "meanWaitSeconds" | "p95WaitSeconds" | "longestWaitSeconds" | "cpuUtilization",
  number
> &
  Pick<Figures, "asked" | "started" | "stillWaiting" | "gpuUtilization"> & {
    readonly wideMeanWaitSeconds: number | null;
    readonly revenue: string;
  } {
  return {
    asked: of.asked,
    started: of.started,
    stillWaiting: of.stillWaiting,
    meanWaitSeconds: of.meanWaitMs / 1000,
    p95WaitSeconds: of.p95WaitMs / 1000,
    longestWaitSeconds: of.longestWaitMs / 1000,
    wideMeanWaitSeconds: of.wideMeanWaitMs === null ? null : of.wideMeanWaitMs / 1000,
    gpuUtilization: of.gpuUtilization,
    cpuUtilization: of.cpuUtilization,
    revenue: formatFen(of.revenue),
  };
}
