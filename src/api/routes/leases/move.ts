/** Takes a machine to another host while it runs, by the operator's word. */
import type { Handler } from "#api/handler.ts";
import type { Operations } from "#contract/operations.ts";
import { askMoveTo, hostOfMove } from "#flow/provision/move-asks.ts";

import { leaseOf, showOperation } from "./show.ts";

export const moveLease: Handler<Operations["moveLease"]> = async ({ params, body }, context) => {
  const { tx, tenantId } = context;
  const { leaseId } = params;
  const { hostId } = body;
  const { operation, joined } = await askMoveTo(tx, {
    tenantId,
    leaseId,
    hostId,
    at: context.now(),
  });
  const to = await hostOfMove(tx, operation);
  context.note({ unchanged: joined, target: leaseId, details: { to: to ?? "anywhere" } });
  return {
    lease: await leaseOf(context, leaseId),
    operation: showOperation(operation),
    to,
  };
};
