import { listAudit } from "#audit/audit.ts";

import type { Handlers } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import { time } from "#api/routes/wire.ts";

export const auditHandlers = {
  listAudit: async ({ query }, { tx, tenantId }) =>
    pageOf(query, {
      load: (ask) => listAudit(tx, tenantId, ask),
      show: (entry) => ({ ...entry, at: time(entry.at) }),
      positionOf: ({ at, id }) => ({ at, id }),
    }),
} satisfies Partial<Handlers>;
