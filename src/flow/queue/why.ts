/** Why does it wait? What one request asked for last, and the answer in a sentence. */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { unseenSince } from "#catalog/sites.ts";
import { sql } from "#db/sql.ts";
import { reasonRow, shapeRow } from "#flow/admit/rows.ts";
import type { Reason } from "#kernel/reason.ts";

import type { OutlookOfOne } from "./outlook.ts";
import { classOf } from "./store.ts";

const row = z
  .object({
    id: z.string(),
    kind: z.enum(["lease", "job"]),
    name: z.string(),
    priority: z.int(),
    shape: shapeRow,
    wants: z.boolean(),
    state: z.string().nullable(),
    asked_at: instant.nullable(),
    refusal: reasonRow.nullable(),
    /** What it says of itself: of work that rests, why its last attempt did not end by itself. */
    own_reason: reasonRow.nullable(),
    host_down_since: instant.nullable(),
    site_away_since: instant.nullable(),
    gang_id: z.string().nullable(),
    gang_size: z.int(),
  })
  .transform((found) => ({
    requestId: found.id,
    kind: found.kind,
    name: found.name,
    workClass: classOf(found.priority),
    shape: found.shape,
    state: stateOf(found),
    askedAt: found.asked_at,
    reason: found.wants
      ? (found.refusal ??
        hostDown(found) ??
        siteAway(found) ??
        (stateOf(found) === "resting" ? found.own_reason : null))
      : null,
    /** Under which it stands in line: members of a gang have one place together. */
    lineId: found.gang_id ?? found.id,
    members: found.gang_size,
  }));
type Asked = z.output<typeof row>;

/** What was placed on a host that is down since. */
function hostDown({
  kind,
  state,
  host_down_since: since,
}: {
  readonly kind: "lease" | "job";
  readonly state: string | null;
  readonly host_down_since: number | null;
}): Reason | null {
  if (since === null || state !== "placed") return null;
  const next =
    kind === "job"
      ? "It goes on elsewhere if the host does not come back soon."
      : "Its disk is there, so it cannot go elsewhere; it goes on when the host is back.";
  return { code: "host_down", message: `Its host has been down since ${minute(since)}. ${next}` };
}

/** What was placed at a site that does not answer since. */
function siteAway({
  state,
  site_away_since: since,
}: {
  readonly state: string | null;
  readonly site_away_since: number | null;
}): Reason | null {
  if (since === null || state !== "placed") return null;
  const message = `Its platform has not answered since ${minute(since)}. What is asked for waits, and is done by itself once the platform answers again.`;
  return { code: "site_away", message };
}

type State = "none" | "entering" | "waiting" | "resting" | "placed";

function stateOf({
  wants,
  state,
}: {
  readonly wants: boolean;
  readonly state: string | null;
}): State {
  if (!wants || state === "withdrawn") return "none";
  if (state === null) return "entering";
  if (state === "held") return "resting";
  return state === "waiting" ? "waiting" : "placed";
}

/** Undefined if the tenant has no such request. */
export function askedFor(
  db: Queryable,
  of: { readonly tenantId: string; readonly requestId: string; readonly at: number },
): Promise<Asked | undefined> {
  return db.maybe(
    sql`select r.id, r.kind, r.name, r.priority, r.shape,
        r.ended_at is null and r.wanted = 'running' as wants, q.state,
        coalesce(q.asked_at, q.enqueued_at) as asked_at, q.refusal, r.end_reason as own_reason,
        case h.state when 'down' then h.state_since end as host_down_since,
        ${unseenSince(sql`s`, of.at)} as site_away_since,
        r.gang_id, r.gang_size
      from request r left join queue_entry q on q.tenant_id = r.tenant_id
        and q.request_id = r.id and q.turn = r.turn
        left join placement p on p.tenant_id = r.tenant_id and p.request_id = r.id
          and p.state = 'full'
        left join host h on h.id = p.host_id left join site s on s.name = h.site
      where r.tenant_id = ${of.tenantId} and r.id = ${of.requestId}`,
    row,
  );
}

export function whyText(asked: Asked, outlook: OutlookOfOne | undefined): string {
  switch (asked.state) {
    case "none":
      return "It asks for no capacity: it was stopped or has ended.";
    case "entering":
      return "It was admitted and enters the queue in a moment.";
    case "resting":
      return `${asked.reason?.message ?? "Its last attempt was cut short."} It rests before it is tried again.`;
    case "placed":
      return asked.reason?.message ?? "It does not wait: it has a host.";
    case "waiting":
      break;
  }
  const reason = asked.reason?.message ?? "It is looked at for the first time in a moment.";
  if (outlook === undefined) return reason;
  const place = `It is number ${outlook.position} of ${outlook.waiting} that wait for ${outlook.pool === "cpu" ? "CPUs" : outlook.pool}.`;
  return `${place} ${reason} ${startText(outlook)}`;
}

function startText({ earliest, likely, latest }: OutlookOfOne): string {
  if (likely === null || earliest === null) {
    return "Nobody can say when it will start: what is in its way does not say when it ends.";
  }
  const range = `between ${minute(earliest)} and ${latest === null ? "a time that nobody knows" : minute(latest)}`;
  return `If the queue stays as it is, it starts ${range}, likely about ${minute(likely)}.`;
}

/** 2026-05-04 10:00 UTC */
function minute(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
