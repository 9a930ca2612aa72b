/** For the operator: who waits, over all customers. */
import { z } from "zod";

import type { Handlers } from "#api/handler.ts";
import { decodeCursor, encodeCursor } from "#api/page.ts";
import { time, timeOrNull } from "#api/routes/wire.ts";
import type { inQueue } from "#contract/schemas/schedule.ts";
import { whoWaits, type InLine } from "#flow/queue/line.ts";

const cursor = z
  .tuple([z.string().max(100), z.int().min(0), z.uuid()])
  .transform(([pool, position, id]) => ({ pool, position, id }));

export const queueHandlers = {
  listQueue: async ({ query }, { tx }) => {
    const { limit, pool } = query;
    const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor, cursor);
    const found = await whoWaits(tx, { pool, after, limit: limit + 1 });
    const shown = found.slice(0, limit);
    const last = shown.at(-1);
    const items = shown.map(showWaiting);
    if (found.length <= limit || last === undefined) return { items };
    return { items, next: encodeCursor([last.pool, last.place, last.requestId]) };
  },
} satisfies Partial<Handlers>;

function showWaiting(of: InLine): z.output<typeof inQueue> {
  return {
    requestId: of.requestId,
    tenantId: of.tenantId,
    tenant: of.tenant,
    kind: of.kind,
    name: of.name,
    flavor: of.flavor,
    workClass: of.workClass,
    state: of.state,
    askedAt: time(of.askedAt),
    pool: of.pool,
    position: of.position,
    waiting: of.waiting,
    members: of.members,
    reason: of.reason,
    start:
      of.position === null
        ? null
        : {
            earliest: timeOrNull(of.earliest),
            likely: timeOrNull(of.likely),
            latest: timeOrNull(of.latest),
          },
  };
}
