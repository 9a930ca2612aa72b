/** Ports of machines that customers open to others. */
import type { z } from "zod";

import type { Handlers } from "#api/handler.ts";
import { pageByAge } from "#api/page.ts";
import { time } from "#api/routes/wire.ts";
import type * as wire from "#contract/schemas/openings.ts";
import { createOpening, deleteOpening, listOpenings, type Opening } from "#openings/store.ts";

export const openingHandlers = {
  listOpenings: async ({ params, query }, { tx, tenantId }) =>
    pageByAge(query, (ask) => listOpenings(tx, { tenantId, ...params }, ask), shown),

  createOpening: async ({ params, body }, { tx, tenantId, now, note }) => {
    const { leaseId, protocol, port, sources } = body;
    const of = { tenantId, projectId: params.projectId, leaseId };
    const asked = { protocol, port, sources, note: body.note };
    const made = await createOpening(tx, { ...of, ...asked, at: now() });
    note({ target: made.id, details: detailsOf(made) });
    return shown(made);
  },

  deleteOpening: async ({ params }, { tx, tenantId, note }) => {
    const gone = await deleteOpening(tx, { tenantId, openingId: params.openingId });
    note({ details: detailsOf(gone) });
    return undefined;
  },
} satisfies Partial<Handlers>;

function detailsOf({ projectId, leaseId, protocol, port, sources }: Opening) {
  return { projectId, leaseId, protocol, port, sources };
}

function shown({ createdAt, ...opening }: Opening): z.output<typeof wire.opening> {
  return { ...opening, createdAt: time(createdAt) };
}
