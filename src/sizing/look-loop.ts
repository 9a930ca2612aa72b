/**
 * Looks at what the leases of one site use. It may run twice at a time: the later look stays, and no
 * money or machine depends on any single one.
 */
import type { Db } from "#db/pool.ts";
import type { LoopDefinition } from "#loops/loop.ts";
import type { Observer } from "#observe/observer.ts";
import type { Activity, Provider } from "#providers/provider.ts";

import { look } from "./looks.ts";
import { leasesDue, saveLooks, sweepLooks, type DueLease } from "./store.ts";

const periodMs = 60_000;
const leasesPerRead = 200;
/** Each may be a question to a guest. */
const machinesPerCall = 16;
const callTimeoutMs = 20_000;

interface Context {
  readonly db: Db;
  readonly provider: Pick<Provider, "site" | "activity">;
  readonly observer: Observer;
  readonly now: () => number;
}

export function lookLoop(context: Context): LoopDefinition {
  const { db, provider, now } = context;
  return {
    name: `sizing ${provider.site}`,
    periodMs,
    channels: [],
    pass: async (signal) => {
      await sweepLooks(db, now());
      let after: string | undefined;
      while (!signal.aborted) {
        const ask = { site: provider.site, now: now(), after, limit: leasesPerRead };
        const leases = await leasesDue(db, ask);
        await lookAt(context, leases, signal);
        after = leases.at(-1)?.requestId;
        if (leases.length < leasesPerRead) break;
      }
      return "rest";
    },
  };
}

async function lookAt(
  context: Context,
  leases: readonly DueLease[],
  signal: AbortSignal,
): Promise<void> {
  for (let from = 0; from < leases.length && !signal.aborted; from += machinesPerCall) {
    const some = leases.slice(from, from + machinesPerCall);
    const activities = await activitiesOf(context, some, signal);
    if (signal.aborted) return;
    const now = context.now();
    const looks = some.map(({ tenantId, requestId, lease, before }) => {
      const activity = activities.get(lease.instanceId);
      return { tenantId, requestId, ...look({ before, activity, lease, now }) };
    });
    await saveLooks(context.db, looks);
  }
}

/** What a site that is away does not say is missing; the next look asks again. */
async function activitiesOf(
  { provider, observer }: Context,
  leases: readonly DueLease[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Activity>> {
  const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(callTimeoutMs)]) };
  try {
    const ids = leases.map(({ lease }) => lease.instanceId);
    const seen = await provider.activity(call, ids);
    return new Map(seen.map((each) => [each.machineId, each]));
  } catch (error) {
    if (!signal.aborted) {
      observer.log.warn({ site: provider.site, err: error }, "what leases use was not seen");
    }
    return new Map();
  }
}
