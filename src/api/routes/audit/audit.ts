import { listAudit } from "#audit/audit.ts";

import type { Handlers } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import { time } from "#api/routes/wire.ts";

export const auditHandlers = {
  listAudit: async ({ query: { since, until, ...query } }, { tx, tenantId }) =>
    pageOf(query, {
      load: (ask) =>
        listAudit(tx, tenantId, {
          ...query,
          ...ask,
          since: since === undefined ? undefined : Date.parse(since),
          until: until === undefined ? undefined : Date.parse(until),
        }),
      show: (entry) => ({ ...entry, at: time(entry.at) }),
      positionOf: ({ at, id }) => ({ at, id }),
    }),
} satisfies Partial<Handlers>;
