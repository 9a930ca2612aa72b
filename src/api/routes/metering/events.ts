/** A tenant's own usage events, and the proof that they are in the metering log. */
import { z } from "zod";

import type { Handlers } from "#api/handler.ts";
import { decodeCursor, encodeCursor } from "#api/page.ts";
import { instantsOf, rangeOf } from "#api/routes/billing/period.ts";
import { time } from "#api/routes/wire.ts";
import type { loggedEvent } from "#contract/schemas/metering.ts";
import { usageAccount } from "#flow/meter/accounts.ts";
import { canonicalText } from "#flow/meter/event.ts";
import { eventOfLeaf, eventsOfDays, type StoredEvent } from "#flow/meter/event-rows.ts";
import { latestCheckpoint } from "#flow/meter/log-store.ts";
import { inclusionHashes } from "#flow/meter/proofs.ts";
import { addDays, dayOf, isLocalDay, localDay } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { billingZone } from "#kernel/zone.ts";

const position = z.tuple([
  z
    .string()
    .refine(isLocalDay)
    .transform((text) => localDay(text)),
  z.int().min(0),
]);

export const usageEventHandlers = {
  listUsageEvents: async ({ query }, { tx, tenantId, now }) => {
    const { limit, cursor, ...period } = query;
    const zone = (await usageAccount(tx, tenantId))?.timeZone ?? billingZone;
    const { from, until } = instantsOf(rangeOf(period, zone, now()), zone);
    const [afterDay, afterReceived] = cursor === undefined ? [] : decodeCursor(cursor, position);
    const rows = await eventsOfDays(tx, {
      tenantId,
      from: dayOf(zone, from),
      through: addDays(dayOf(zone, until), -1),
      after: afterDay === undefined ? undefined : { day: afterDay, received: afterReceived ?? 0 },
      limit: limit + 1,
    });
    const items = rows.slice(0, limit).map(showEvent);
    const last = rows[limit - 1];
    if (rows.length <= limit || last === undefined) return { items };
    return { items, next: encodeCursor([last.day, Number(last.received)]) };
  },

  getUsageEventProof: async ({ params }, { tx, tenantId }) => {
    const { leafIndex } = params;
    const event = await eventOfLeaf(tx, { tenantId, leafIndex });
    if (event === undefined) {
      throw new Failure("not_found", "There is no such event, or it is not yours.");
    }
    const checkpoint = await latestCheckpoint(tx);
    if (checkpoint === undefined || checkpoint.size <= leafIndex) {
      throw new Failure(
        "wrong_state",
        "No checkpoint covers this event yet; there will be one within a minute.",
        { details: { leafIndex, size: checkpoint?.size ?? 0 } },
      );
    }
    const { size, note } = checkpoint;
    const hashes = await inclusionHashes(tx, { index: leafIndex, size });
    return {
      leafIndex,
      leafHash: event.leafHash,
      size,
      hashes: hashes.map((hash) => Buffer.from(hash).toString("base64")),
      checkpoint: note,
    };
  },
} satisfies Partial<Handlers>;

function showEvent(row: StoredEvent): z.output<typeof loggedEvent> {
  const { event, salt, leafHash, leafIndex, day, counted, receivedAt } = row;
  return {
    event: canonicalText(event),
    salt,
    leafHash,
    leafIndex: leafIndex ?? null,
    day,
    counted,
    receivedAt: time(receivedAt),
  };
}
