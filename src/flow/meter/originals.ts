/** What retractions take back: the events that they name, and whether those were taken back before. */
import { z } from "zod";

import type { Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";

import { arrayLiteral } from "./event-store.ts";
import { eventsWhere, type StoredEvent } from "./event-rows.ts";
import type { RetractedEvent } from "./event.ts";
import type { Judged } from "./judge.ts";
import { refused } from "./outcome.ts";

export interface Originals {
  /** Judged to be taken, its original counts as taken back. */
  readonly judge: (event: RetractedEvent) => Judged;
  /** Whether the original is in the roll-up. */
  readonly wasCounted: (event: RetractedEvent) => boolean;
}

const takenBackRow = z.object({ source: z.string(), retracts: z.string() });

export async function originalsOf(tx: Tx, events: readonly RetractedEvent[]): Promise<Originals> {
  const found = new Map<string, StoredEvent>();
  const takenBack = new Set<string>();
  if (events.length > 0) {
    const named = sql`select * from unnest(
      ${arrayLiteral(events.map(({ source }) => `"${source}"`))}::text[],
      ${arrayLiteral(events.map(({ retracts }) => `"${retracts}"`))}::text[])`;
    const rows = await eventsWhere(tx, {
      where: sql`(e.source, e.id) in (${named}) and e.kind = 'recorded'`,
      limit: events.length,
    });
    for (const row of rows) found.set(nameOf(row.event.source, row.event.id), row);
    const earlier = await tx.rows(
      sql`select source, retracts from usage_event
        where retracts is not null and (source, retracts) in (${named})`,
      takenBackRow,
    );
    for (const { source, retracts } of earlier) takenBack.add(nameOf(source, retracts));
  }
  const originalOf = ({ source, retracts }: RetractedEvent): StoredEvent | undefined =>
    found.get(nameOf(source, retracts));
  return {
    judge: (event) => {
      const original = originalOf(event);
      // It may have come before what it takes back.
      if (original === undefined) return { kind: "review", reason: "unknown_original" };
      if (original.use.tenantId !== event.tenantId) return answer("other_tenant");
      const name = nameOf(event.source, event.retracts);
      if (takenBack.has(name)) return answer("already_retracted");
      takenBack.add(name);
      return { kind: "take", use: original.use, day: original.day };
    },
    wasCounted: (event) => originalOf(event)?.counted ?? false,
  };
}

function answer(reason: Parameters<typeof refused>[0]): Judged {
  return { kind: "answer", outcome: refused(reason) };
}

function nameOf(source: string, id: string): string {
  return `${source}\n${id}`;
}
