/** The proof of a month's bill: as a file to be checked elsewhere, and made again here. */
import { Readable } from "node:stream";

import type { z } from "zod";

import type { CallerContext, Handlers } from "#api/handler.ts";
import { exportBundle } from "#bundles/export.ts";
import { replayMonth } from "#bundles/replay.ts";
import type { replay } from "#contract/schemas/bundles.ts";
import { localMonth } from "#kernel/calendar.ts";
import type { Verdict } from "#verify/verify.ts";

export const bundleHandlers = {
  exportBundle: async ({ params, query }, { db, tenantId }: CallerContext) => {
    const month = localMonth(params.month);
    const chunks = await exportBundle(db, { tenantId, month, keptSize: query.checkpoint });
    return {
      contentType: "application/x-ndjson",
      body: Readable.from(chunks, { objectMode: false }),
      fileName: `millrace-${month}.bundle`,
    };
  },

  replayMonth: {
    waits: true,
    handle: async ({ params }, { db, tenantId }) =>
      showReplay(
        params.month,
        await replayMonth(db, { tenantId, month: localMonth(params.month) }),
      ),
  },
} satisfies Partial<Handlers>;

function showReplay(
  month: string,
  { isProved, bill, failures, failureCount, notes }: Verdict,
): z.output<typeof replay> {
  return {
    month,
    state: bill?.state ?? "provisional",
    invoice: bill?.invoice ?? null,
    isSame: isProved,
    total: bill?.total ?? "0.00",
    lines: bill?.lines ?? 0,
    events: bill?.events ?? 0,
    storedSha256: bill?.statementSha256 ?? "",
    replayedSha256: bill?.remadeSha256 ?? null,
    differenceCount: failureCount,
    differences: failures.map(({ code, place, message }) => ({
      code,
      place,
      message: { ...message },
    })),
    notes: notes
      .filter(({ code }) => code !== "own_key" && code !== "no_outside_checkpoint")
      .map(({ code, message }) => ({ code, message: { ...message } })),
  };
}
