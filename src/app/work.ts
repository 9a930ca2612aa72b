/** The loops of a working process: one list, in the order of the flow. */
import { tierLoop } from "#customers/loop.ts";
import { dunningLoop } from "#dunning/loop.ts";
import type { Nudges } from "#db/listen.ts";
import type { Db } from "#db/pool.ts";
import { invoiceLoop } from "#flow/invoice/loop.ts";
import { cutLoop } from "#flow/meter/cut-loop.ts";
import { logLoop } from "#flow/meter/log-loop.ts";
import { meterLoop } from "#flow/meter/loop.ts";
import { placeLoop } from "#flow/place/loop.ts";
import { siteCollector } from "#flow/provision/collect.ts";
import { gangLoop } from "#flow/provision/gang-loop.ts";
import { preemptLoop } from "#flow/provision/preempt-loop.ts";
import { projectEndLoop } from "#flow/provision/project-ends.ts";
import { siteWorker, type SiteWorker } from "#flow/provision/site.ts";
import { attemptLimits as limits, prepareWorkloads } from "#flow/provision/workload.ts";
import { queueLoop } from "#flow/queue/loop.ts";
import { rateLoop } from "#flow/rate/loop.ts";
import { findTenant } from "#identity/tenants.ts";
import { billingZone, isTimeZone, timeZone } from "#kernel/zone.ts";
import { clockLoop, type Host } from "#loops/clock.ts";
import { groupLoop } from "#groups/loop.ts";
import { idleLoop } from "#idle/loop.ts";
import { insightLoop } from "#insights/loop.ts";
import { startLoop, type Loop } from "#loops/loop.ts";
import type { Observer } from "#observe/observer.ts";
import { tellProjectsLoop } from "#openings/loop.ts";
import { subscriptionLoop } from "#orders/loop.ts";
import { serviceLoop } from "#orders/service-loop.ts";
import { packageLoop } from "#orders/package-loop.ts";
import { paymentLoop } from "#payments/loop.ts";
import type { PaymentProvider } from "#payments/provider.ts";
import type { OpenExchange } from "#providers/kubevirt/exchange/exchange.ts";
import type { Provider } from "#providers/provider.ts";
import { lookLoop } from "#sizing/look-loop.ts";
import { sizeLoop } from "#sizing/size-loop.ts";
import { storageLoop } from "#storage/sweep.ts";

import { exchangeLoop } from "./exchange-loop.ts";
import { housekeepingLoop } from "./housekeeping.ts";
import { openLogSigner, type LogKeyPlace } from "./log-key.ts";
import { tellTiersLoop } from "./tier-loop.ts";
import { usageMetrics } from "./usage-metrics.ts";

export interface WorkContext {
  readonly db: Db;
  readonly nudges: Nudges;
  readonly observer: Observer;
  readonly now: () => number;
  /** Of which the clock is marked. */
  readonly host: Pick<Host, "bootId" | "uptimeMs">;
  readonly providers: readonly Provider[];
  /** Of the tenants' storage. */
  readonly storageDirectory: string;
  readonly logKey: LogKeyPlace;
  readonly payments: readonly PaymentProvider[];
  /** With jobs on clusters. */
  readonly exchange?: OpenExchange;
}

export interface Work {
  readonly loops: readonly Loop[];
  stop(): Promise<void>;
}

export function startWork(context: WorkContext): Work {
  const { db, exchange, now, observer } = context;
  const root = context.storageDirectory;
  const prepareWorkload = prepareWorkloads({ db, root, limits });
  const collectors = context.providers.map((provider) =>
    siteCollector({ db, provider, root, limits, observer, now }),
  );
  const collecting = collectors.map(({ loop }) => startLoop(loop, context));
  const sites: SiteWorker[] = context.providers.map((provider, index) => {
    const changed = (): void => collecting[index]?.nudge();
    return siteWorker({ db, provider, observer, now, prepareWorkload, changed });
  });
  const usage = usageMetrics({ db, observer, now });
  const definitions = [
    clockLoop({ db, host: context.host, now }),
    queueLoop({ db }),
    placeLoop({ db, now }),
    preemptLoop({ db, now }),
    gangLoop({ db, now }),
    ...sites.map((site) => site.loop),
    ...context.providers
      .filter((provider) => provider.removeProject !== undefined)
      .map((provider) => projectEndLoop({ db, provider, observer, now })),
    ...context.providers
      .filter((provider) => provider.tellTiers !== undefined)
      .map((provider) => tellTiersLoop({ db, provider, now })),
    ...context.providers
      .filter((provider) => provider.tellProjects !== undefined)
      .map((provider) => tellProjectsLoop({ db, provider })),
    meterLoop({ db, now }),
    cutLoop({ db, now }),
    logLoop({ db, now, openSigner: () => openLogSigner(context, context.logKey) }),
    rateLoop({
      db,
      observer,
      now,
      timeZoneOf: async (read, tenantId) => {
        const tenant = await findTenant(read, tenantId);
        const name = tenant?.timeZone ?? "";
        return isTimeZone(name) ? timeZone(name) : billingZone;
      },
    }),
    tierLoop({ db, now }),
    packageLoop({ db, now }),
    subscriptionLoop({ db, now }),
    serviceLoop({ db, now }),
    invoiceLoop({ db, now }),
    insightLoop({ db, now }),
    dunningLoop({ db, now }),
    housekeepingLoop({ db, observer, now }),
    storageLoop({ db, root, observer, now }),
    ...(exchange === undefined ? [] : [exchangeLoop({ db, exchange, observer, now })]),
    paymentLoop({ db, providers: context.payments, now }),
    ...context.providers.map((provider) => usage.loopFor(provider)),
    ...context.providers.map((provider) => idleLoop({ db, provider, observer, now })),
    ...context.providers.map((provider) => lookLoop({ db, provider, observer, now })),
    sizeLoop({ db, now }),
    groupLoop({ db, now }),
  ];
  const started = definitions.map((definition) => startLoop(definition, context));
  const loops = [...started, ...collecting];
  return {
    loops,
    stop: async () => {
      const ended = loops.map((loop) => loop.stop());
      await Promise.all([...sites, ...collectors].map((each) => each.close()));
      await Promise.all(ended);
    },
  };
}
