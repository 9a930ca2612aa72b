/** Makes the one call of a step. The key was stored before; an error says what may have happened. */
import { ProviderError, type OperationRef, type Provider } from "#providers/provider.ts";

import type { InstanceRow } from "./instance-rows.ts";
import type { CallOrder } from "./view.ts";

export type CallResult =
  | { readonly issued: OperationRef }
  /** It had no effect, for certain. */
  | { readonly failed: ProviderError }
  /** Nobody knows; the operation is looked up by its key. */
  | { readonly unknown: ProviderError };

export async function makeCall(
  provider: Provider,
  row: InstanceRow,
  order: CallOrder,
  signal: AbortSignal,
): Promise<CallResult> {
  const call = { signal, operationId: order.key, owner: row.spec.owner };
  try {
    return { issued: await dispatch() };
  } catch (cause) {
    const error =
      cause instanceof ProviderError
        ? cause
        : new ProviderError("unknown", cause instanceof Error ? cause.message : String(cause), {
            effect: "maybe",
            cause,
          });
    return error.effect === "none" ? { failed: error } : { unknown: error };
  }

  function dispatch(): Promise<OperationRef> {
    switch (order.kind) {
      case "create":
        return provider.create(call, row.spec);
      case "start":
      case "shutdown":
      case "reboot":
        return provider.power(call, row.id, order.action);
      case "resize":
        return provider.resize(call, row.id, order.to);
      case "move":
        return provider.move(call, row.id, order.hostId);
      case "snapshot":
        return provider.snapshot(call, row.id, order.snapshot);
      case "revert":
        return provider.revert(call, row.id, order.snapshotId);
      case "snapshot-delete":
        return provider.deleteSnapshot(call, row.id, order.snapshotId);
      case "interrupt":
      case "go-on":
        return provider.interrupt(call, row.id, order.how);
      case "delete":
        return provider.delete(call, row.id, row.keep_snapshot ?? undefined);
    }
  }
}
