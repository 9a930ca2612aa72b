/** Machines that no row wants, and the operator's word about them. */
import type { z } from "zod";

import type { Handlers } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import { pricesNow } from "#api/routes/leases/quote.ts";
import { time } from "#api/routes/wire.ts";
import type { orphan as orphanSchema } from "#contract/schemas/platform.ts";
import { priceOf } from "#flow/admit/price.ts";
import { adoptOrphan, askOrphanRemoval } from "#flow/provision/orphan-asks.ts";
import { askedAt, listOrphans, type Orphan } from "#flow/provision/orphan-rows.ts";
import { gibibyte, mebibyte } from "#kernel/shape.ts";

export const orphanHandlers = {
  listOrphans: ({ query }, { tx }) =>
    pageOf(query, {
      load: (ask) => listOrphans(tx, ask),
      show: shown,
      positionOf: ({ firstSeenAt, machineId }) => ({ at: firstSeenAt, id: machineId }),
    }),

  adoptOrphan: async ({ params, body }, { tx, now, note, principal }) => {
    const prices = await pricesNow(tx, now());
    const adopted = await adoptOrphan(tx, {
      ...body,
      machineId: params.machineId,
      tenantId: body.tenantId,
      projectId: body.projectId,
      createdBy: principal.userId,
      priceOf: (shape) => priceOf(prices, shape).shown,
      at: now(),
    });
    note({ details: { ...adopted } });
    return adopted;
  },

  removeOrphan: async ({ params }, { tx, now, note, principal }) => {
    const by = `${principal.tenantName}/${principal.userName}`;
    const orphan = await askOrphanRemoval(tx, { machineId: params.machineId, by, at: now() });
    note({ details: { site: orphan.site, owner: orphan.detail.owner } });
    return shown(orphan);
  },
} satisfies Partial<Handlers>;

function shown(orphan: Orphan): z.output<typeof orphanSchema> {
  const { detail, known, decision } = orphan;
  const asked = askedAt(detail.owner);
  return {
    id: orphan.machineId,
    site: orphan.site,
    state: known || decision === "remove" ? "going" : "kept",
    decidedBy: orphan.decidedBy,
    askedAt: asked === undefined ? null : time(asked),
    firstSeenAt: time(orphan.firstSeenAt),
    seenAt: time(orphan.seenAt),
    owner: detail.owner,
    kind: detail.isJob ? "job" : "lease",
    power: detail.power,
    vcpus: detail.cpu.sockets * detail.cpu.cores * detail.cpu.threads,
    memoryMiB: Math.ceil(detail.memoryBytes / mebibyte),
    diskGiB: Math.ceil(detail.diskBytes / gibibyte),
    host: detail.hostId,
    locator: detail.locator,
  };
}
