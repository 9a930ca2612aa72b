/**
 * Rows of `usage_event` with all that follows from them in the same statement: the roll-up, the
 * account's count of changes, and the queue of the log. What must stay true: an event is written
 * once and never changed (the database refuses it); the roll-up moves with it or not at all.
 *
 * Columns travel as array literals made here, not by the driver: quoting values that need none took
 * two thirds of the client's time.
 */
import { hash, randomBytes } from "node:crypto";

import { z } from "zod";

import type { Tx } from "#db/pool.ts";
import { sql, type Sql } from "#db/sql.ts";
import { assert, present } from "#kernel/assert.ts";
import type { LocalDay } from "#kernel/calendar.ts";
import { saltBytes } from "#tlog/leaf.ts";

import { saltedCanonical, saltedText, type UsageEvent, type Use } from "./event.ts";

export interface EventDraft {
  readonly event: UsageEvent;
  /** The event itself, or what it takes back. */
  readonly use: Use;
  /** The tenant's local day that all of it lies in. */
  readonly day: LocalDay;
  /** False where it comes too late to be rated (R-LATE-3). */
  readonly counted: boolean;
  /** The event's canonical text, where it is at hand. */
  readonly canonical?: string | undefined;
}

/** Tells whoever rates that there is something new. */
export const usageChannel = "usage";
/** Tells the sequencer of the log. */
export const logChannel = "usage-log";

const plainPattern = /^[A-Za-z0-9 ._:/@#+-]*$/;

interface LeafOfEvent {
  /** In base64. */
  readonly salt: string;
  /** In hexadecimal. */
  readonly leaf: string;
}

/** Salts and leaf hashes of a batch: all that the log costs when an event is taken in. */
export interface Leaves {
  readonly of: (drafts: readonly EventDraft[]) => LeafOfEvent[];
  /** In which they wait for the sequencer. */
  readonly queued: Sql;
}

export const saltedLeaves: Leaves = {
  of: (drafts) => {
    const salts = randomBytes(saltBytes * drafts.length);
    return drafts.map(({ event, canonical }, index) => {
      const salt = salts.toString("base64", saltBytes * index, saltBytes * (index + 1));
      return { salt, leaf: leafHashHex(event, salt, canonical) };
    });
  },
  queued: sql`insert into log_pending (received, leaf_hash) select received, leaf_hash from written`,
};

/**
 * Writes events that are new; the number that were. Each must be plain text (event.ts), and the
 * accounts of their tenants locked (`lockUsageAccounts`), so that a tenant's events are numbered in the
 * order in which they can be seen. `leaves` are others only where somebody measures what the log costs.
 */
export async function insertEvents(
  tx: Tx,
  drafts: readonly EventDraft[],
  at: number,
  leaves: Leaves = saltedLeaves,
): Promise<number> {
  if (drafts.length === 0) return 0;
  const { written, sound } = await tx.one(insertion(drafts, at, leaves), insertedRow);
  assert(sound, "no more is taken back from the roll-up than is in it");
  tx.nudge(usageChannel);
  tx.nudge(logChannel);
  return written;
}

const insertedRow = z.object({ written: z.int(), sound: z.boolean() });

/** The hash of a leaf (RFC 6962), in hexadecimal; the salt is in base64. */
export function leafHashHex(event: UsageEvent, salt: string, canonical?: string): string {
  return hash("sha256", `\0${saltedText(event, salt, canonical)}`, "hex");
}

export interface KnownLeaf {
  /** In base64. */
  readonly salt: string;
  /** In hexadecimal. */
  readonly leafHash: string;
}

/** Whether a canonical text is the one that the leaf was made of. */
export function isLeafOf(canonical: string, { salt, leafHash }: KnownLeaf): boolean {
  return hash("sha256", `\0${saltedCanonical(canonical, salt)}`, "hex") === leafHash;
}

/** The columns of a batch, one list each. */
class Columns {
  readonly source: string[] = [];
  readonly id: string[] = [];
  readonly tenant: string[] = [];
  readonly kind: string[] = [];
  readonly retracts: string[] = [];
  readonly work: string[] = [];
  readonly plan: string[] = [];
  readonly sku: string[] = [];
  readonly units: string[] = [];
  readonly slice: number[] = [];
  readonly from: number[] = [];
  readonly until: number[] = [];
  readonly day: string[] = [];
  readonly billable: string[] = [];
  readonly counted: string[] = [];
  readonly reason: string[] = [];
  readonly interval: string[] = [];
  readonly instance: string[] = [];
  readonly request: string[] = [];
  readonly project: string[] = [];
  readonly eventAt: number[] = [];
  readonly salt: string[] = [];
  readonly leaf: string[] = [];

  add({ event, use, day, counted }: EventDraft, { salt, leaf }: LeafOfEvent): void {
    const { source, id, kind, reason } = event;
    this.source.push(quoted(source));
    this.id.push(quoted(id));
    this.tenant.push(use.tenantId);
    this.kind.push(kind);
    this.retracts.push(kind === "retracted" ? quoted(event.retracts) : "NULL");
    this.work.push(use.work);
    this.plan.push(use.plan);
    this.sku.push(quoted(use.sku));
    this.units.push(use.units.toString());
    this.slice.push(use.slice);
    this.from.push(use.from / 1000);
    this.until.push(use.until / 1000);
    this.day.push(day);
    this.billable.push(use.billable ? "t" : "f");
    this.counted.push(counted ? "t" : "f");
    this.reason.push(reason === null ? "NULL" : quoted(reason));
    this.interval.push(use.intervalId);
    this.instance.push(use.instanceId);
    this.request.push(use.requestId);
    this.project.push(use.projectId);
    this.eventAt.push(event.at / 1000);
    this.salt.push(salt);
    this.leaf.push(leaf);
  }
}

function quoted(text: string): string {
  assert(plainPattern.test(text), "the text of an event needs no escapes");
  return `"${text}"`;
}

/** An array literal of elements that are quoted already, or need no quotes. */
export function arrayLiteral(elements: readonly (string | number)[]): string {
  return `{${elements.join(",")}}`;
}

function insertion(drafts: readonly EventDraft[], at: number, leaves: Leaves): Sql {
  const c = new Columns();
  const made = leaves.of(drafts);
  for (const [index, draft] of drafts.entries()) {
    c.add(draft, present(made[index], "a leaf for each event"));
  }
  const list = arrayLiteral;
  return sql`
    with input as (
      select * from unnest(${list(c.source)}::text[], ${list(c.id)}::text[],
        ${list(c.tenant)}::uuid[], ${list(c.kind)}::text[], ${list(c.retracts)}::text[],
        ${list(c.work)}::text[], ${list(c.plan)}::text[], ${list(c.sku)}::text[],
        ${list(c.units)}::int8[], ${list(c.slice)}::int[], ${list(c.from)}::int8[],
        ${list(c.until)}::int8[], ${list(c.day)}::date[], ${list(c.billable)}::bool[],
        ${list(c.counted)}::bool[], ${list(c.reason)}::text[], ${list(c.interval)}::uuid[],
        ${list(c.instance)}::uuid[], ${list(c.request)}::uuid[], ${list(c.project)}::uuid[],
        ${list(c.eventAt)}::int8[], ${list(c.salt)}::text[], ${list(c.leaf)}::text[])
        with ordinality as e (source, id, tenant_id, kind, retracts, work, plan, sku, units, slice,
          used_from, used_until, day, billable, counted, reason, interval_id, instance_id,
          request_id, project_id, event_at, salt, leaf, n)
    ), written as (
      insert into usage_event (source, id, received_at, tenant_id, kind, retracts, work, plan, sku,
        units, slice, used_from, used_until, day, billable, counted, reason, interval_id,
        instance_id, request_id, project_id, event_at, salt, leaf_hash)
      select source, id, ${new Date(at)}, tenant_id, kind, retracts, work, plan, sku, units, slice,
        to_timestamp(used_from), to_timestamp(used_until), day, billable, counted, reason,
        interval_id, instance_id, request_id, project_id, to_timestamp(event_at),
        decode(salt, 'base64'), decode(leaf, 'hex')
      from input order by n
      on conflict do nothing
      returning received, leaf_hash, tenant_id, kind, work, plan, sku, units, slice, used_from,
        used_until, day, billable, counted
    ), queued as (
      ${leaves.queued}
    ), rolled as (
      insert into usage_day as d (tenant_id, day, sku, slice, plan, work, unit_seconds)
      select tenant_id, day, sku, slice, plan, work,
        sum(units::numeric * extract(epoch from used_until - used_from)
          * case kind when 'recorded' then 1 else -1 end)
      from written where billable and counted
      group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
      on conflict (tenant_id, day, sku, slice, plan, work)
        do update set unit_seconds = d.unit_seconds + excluded.unit_seconds
      returning unit_seconds
    ), told as (
      update usage_account a
      set changes = a.changes + 1, last_received = greatest(a.last_received, t.received)
      from (select tenant_id, max(received) as received from written group by 1) t
      where a.tenant_id = t.tenant_id
    )
    select (select count(*)::int from written) as written,
      coalesce((select min(unit_seconds) from rolled), 0) >= 0 as sound`;
}
