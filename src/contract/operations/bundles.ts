import { z } from "zod";

import { operation } from "#contract/operation.ts";
import * as bundles from "#contract/schemas/bundles.ts";

const ofMonth = z.strictObject({
  month: z.string().regex(/^[0-9]{4}-(?:0[1-9]|1[0-2])$/, "a month such as 2026-05"),
});

export const bundleOperations = {
  exportBundle: operation({
    method: "GET",
    path: "/v1/bundles/{month}",
    summary: "A month's bill with its events and proofs, to be checked offline: millrace verify",
    tag: "billing",
    permission: "billing.read",
    params: ofMonth,
    query: z.strictObject({
      /** Leaves of a checkpoint that you kept; the bundle then proves that the log goes on from it. */
      checkpoint: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
    }),
    result: z.unknown(),
    transport: "bytes",
    failures: ["wrong_state"],
  }),
  replayMonth: operation({
    method: "GET",
    path: "/v1/bundles/{month}/replay",
    summary: "A month's bill made again from its events and compared with the stored one",
    tag: "billing",
    permission: "billing.read",
    params: ofMonth,
    result: bundles.replay,
    failures: ["payload_too_large"],
  }),
};
