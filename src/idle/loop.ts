/**
 * Looks at the leases of one site that somebody may have forgotten, once a minute. Costs nothing as
 * long as the operator has set no rules. It may run twice at a time: a look that another one overtook
 * is thrown away (`version`).
 */
import type { Db } from "#db/pool.ts";
import type { LoopDefinition } from "#loops/loop.ts";
import type { Observer } from "#observe/observer.ts";
import type { Activity, Provider } from "#providers/provider.ts";

import { apply, consider } from "./apply.ts";
import { dropExpired } from "./kept.ts";
import { policies, type Policy } from "./rules.ts";
import { leasesToLookAt, saveLooks, somethingUnderWay, type WatchedLease } from "./store.ts";

const periodMs = 60_000;
const leasesPerRead = 200;
/** Each may be a question to a guest. */
const machinesPerCall = 16;
/** Two looks within that time, by two processes, tell nothing of rates. */
const lookEveryMs = 20_000;

interface Context {
  readonly db: Db;
  readonly provider: Provider;
  readonly observer: Observer;
  readonly now: () => number;
}

export function idleLoop(context: Context): LoopDefinition {
  const { db, provider, now } = context;
  return {
    name: `idle ${provider.site}`,
    periodMs,
    channels: [],
    pass: async (signal) => {
      await dropExpired(db, { provider, now: now(), signal });
      const all = await policies(db);
      if (all.length === 0 && !(await somethingUnderWay(db))) return "rest";
      const failures: unknown[] = [];
      let after: string | undefined;
      for (;;) {
        const page = { site: provider.site, after, limit: leasesPerRead };
        const leases = await leasesToLookAt(db, page);
        failures.push(...(await lookAt(context, { leases, policies: all, signal })));
        after = leases.at(-1)?.requestId;
        if (leases.length < leasesPerRead || signal.aborted) break;
      }
      if (failures.length > 0) {
        throw new AggregateError(failures, "some leases were not looked at");
      }
      return "rest";
    },
  };
}

async function lookAt(
  context: Context,
  of: {
    readonly leases: readonly WatchedLease[];
    readonly policies: readonly Policy[];
    readonly signal: AbortSignal;
  },
): Promise<unknown[]> {
  const { db, now } = context;
  const failures: unknown[] = [];
  const due = of.leases.filter(({ watch }) => {
    const agoMs = now() - (watch.counters?.lookedAt ?? -Infinity);
    return agoMs >= lookEveryMs || agoMs < 0;
  });
  for (let from = 0; from < due.length && !of.signal.aborted; from += machinesPerCall) {
    const some = due.slice(from, from + machinesPerCall);
    const activities = await activitiesOf(context, some, of.signal);
    if (of.signal.aborted) break;
    const at = now();
    const quiet = [];
    for (const lease of some) {
      const activity = activities.get(lease.instanceId ?? "");
      const ask = { activity, policies: of.policies, now: at };
      const { looked, rules, decision } = consider(lease, ask);
      const { requestId, tenantId, watch } = lease;
      if (decision.act.does === "nothing" && decision.standing === watch.standing) {
        if (rules !== undefined)
          quiet.push({ tenantId, requestId, version: watch.version, ...looked });
        continue;
      }
      try {
        await apply(db, lease, ask);
      } catch (error) {
        failures.push(error);
      }
    }
    await saveLooks(db, quiet, at);
  }
  return failures;
}

/** What a site that is away does not say is missing, and so counts as active. */
async function activitiesOf(
  { provider, observer }: Context,
  leases: readonly WatchedLease[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Activity>> {
  const ids = leases.flatMap(({ instanceId }) => (instanceId === null ? [] : [instanceId]));
  if (ids.length === 0) return new Map();
  try {
    const seen = await provider.activity({ signal }, ids);
    return new Map(seen.map((each) => [each.machineId, each]));
  } catch (error) {
    if (!signal.aborted) {
      observer.log.warn({ site: provider.site, err: error }, "what machines do was not seen");
    }
    return new Map();
  }
}
