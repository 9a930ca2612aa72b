/** Long work: a look, or a wait that ends with it. */
import type { WaitingHandler } from "#api/handler.ts";
import type { Operations } from "#contract/operations.ts";
import { findOperation } from "#flow/admit/operations.ts";
import { Failure } from "#kernel/failure.ts";

import { showOperation } from "./show.ts";

/** A wait also looks by itself, in case a nudge is lost. */
const lookEveryMs = 1_000;

export const getOperation: WaitingHandler<Operations["getOperation"]> = {
  waits: true,
  handle: async ({ params, query }, context) => {
    const until = context.now() + query.waitSeconds * 1000;
    for (;;) {
      const changed = context.services.changes.next("operation", {
        signal: context.signal,
        timeoutMs: Math.min(lookEveryMs, Math.max(0, until - context.now())),
      });
      const found = await context.read((tx) =>
        findOperation(tx, { tenantId: context.tenantId, id: params.operationId }),
      );
      if (found === undefined) throw new Failure("not_found", "There is no such operation.");
      const over = context.now() >= until || context.signal.aborted;
      if (found.state !== "running" || over) {
        changed.cancel();
        return showOperation(found);
      }
      await changed.happened;
    }
  },
};
