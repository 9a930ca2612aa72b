/** Server-sent events: which of the tenant's resources changed. They say where to look again. */
import { setTimeout as wait } from "node:timers/promises";

import type { Handler, ServerEvent, StreamContext } from "#api/handler.ts";
import type { Operations } from "#contract/operations.ts";
import { fingerprints } from "#flow/provision/changes.ts";

/** A lost nudge costs this much at most. */
const lookEveryMs = 5_000;
/** A storm of changes is told in one go. */
const gatherMs = 100;
const channels = ["request", "instance", "operation", "queue"];

export const followEvents: Handler<Operations["followEvents"]> = (_input, context) =>
  Promise.resolve(changes(context));

async function* changes(context: StreamContext): AsyncGenerator<ServerEvent> {
  const { signal, services, tenantId } = context;
  const look = (): Promise<Map<string, { kind: string; id: string; fingerprint: string }>> =>
    context.read(async (tx) => {
      const rows = await fingerprints(tx, tenantId);
      return new Map(rows.map((row) => [`${row.kind}:${row.id}`, row]));
    });
  let known = await look();
  while (!signal.aborted) {
    const limit = { signal, timeoutMs: lookEveryMs };
    // Listening begins before the look, so that nothing falls between the two.
    const next = channels.map((channel) => services.changes.next(channel, limit));
    const now = await look();
    for (const [key, { kind, id, fingerprint }] of now) {
      if (known.get(key)?.fingerprint === fingerprint) continue;
      const at = new Date(context.now()).toISOString();
      yield { event: "change", data: { kind, id, at } };
    }
    known = now;
    await Promise.race(next.map(({ happened }) => happened));
    for (const each of next) each.cancel();
    await wait(gatherMs);
  }
}
