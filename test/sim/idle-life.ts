/** What tests of idle leases do: rent, leave alone, let the loop look as time goes by. */
import { expect } from "vitest";

import type { AnswerOf } from "#client/types.ts";
import type { Db } from "#db/pool.ts";
import { idleLoop } from "#idle/loop.ts";
import { present } from "#kernel/assert.ts";
import { decorate } from "#providers/decorate.ts";
import type { Load } from "#providers/simulated/loads.ts";

import type { Customer, OrderCloud } from "./order-cloud.ts";

export type Lease = AnswerOf<"getLease">;

const minuteMs = 60_000;
/** Two of them are nearer than the longest gap between looks that still belong together. */
const stepMs = 4 * minuteMs;

const nothing: Partial<Load> = {
  cpuShare: 0,
  networkBytesPerSecond: 0,
  gpuShare: 0,
  sessions: 0,
};

export interface Tenancy extends Customer {
  readonly leaseId: string;
  readonly instanceId: string;
}

export interface IdleLife {
  /** A lease that runs and does nothing. */
  readonly leftAlone: (ask?: { of?: Customer; name?: string; flavor?: string }) => Promise<Tenancy>;
  readonly load: (of: Tenancy, load: Partial<Load>) => void;
  /** One look of the loop, by another process if it is given one's database. */
  readonly look: (db?: Db) => Promise<void>;
  /** So many minutes go by, and the loop looks all the while. */
  readonly minutes: (count: number, db?: Db) => Promise<void>;
  readonly idleness: (of: Tenancy) => Promise<AnswerOf<"getLeaseIdleness">>;
  readonly show: (of: Tenancy) => Promise<Lease>;
  /** Looks again, at the same time, until what is said holds. */
  readonly until: <T>(check: () => Promise<T>) => Promise<T>;
  readonly told: (of: Customer) => Promise<string[]>;
  readonly snapshots: (of: Tenancy) => Promise<AnswerOf<"listSnapshots">["items"]>;
}

function show({ api, leaseId }: Tenancy): Promise<Lease> {
  return api.call("getLease", { params: { leaseId } });
}

export function idleLife(cloud: OrderCloud): IdleLife {
  const { db, provider, observer, now } = cloud;
  const { signal } = new AbortController();
  const look = async (of: Db = db): Promise<void> => {
    const loop = idleLoop({ db: of, provider: decorate(provider), observer, now });
    await loop.pass(signal);
  };
  let names = 0;
  return {
    look,
    show,
    leftAlone: async ({ of, name, flavor = "nano" } = {}) => {
      names += 1;
      const customer = of ?? (await cloud.customer("1000.00"));
      const body = { name: name ?? `idle-${names}`, flavor };
      const { lease } = await customer.api.call("createLease", { body });
      const running = await cloud.until(async () => {
        const found = await customer.api.call("getLease", { params: { leaseId: lease.id } });
        expect(found.state).toBe("running");
        return found;
      });
      const instanceId = present(running.instanceId, "the machine");
      provider.platform.setLoad(instanceId, nothing);
      return { ...customer, leaseId: lease.id, instanceId };
    },
    load: ({ instanceId }, load) => {
      provider.platform.setLoad(instanceId, load);
    },
    minutes: async (count, of) => {
      for (let gone = 0; gone < count * minuteMs; gone += stepMs) {
        cloud.advance(stepMs);
        await look(of);
      }
    },
    idleness: ({ api, leaseId }) => api.call("getLeaseIdleness", { params: { leaseId } }),
    until: (check) =>
      cloud.until(async () => {
        // Looks too near to each other tell nothing: the loop leaves them out.
        cloud.advance(minuteMs);
        await look();
        return check();
      }),
    told: async ({ api }) => {
      const { items } = await api.call("listNotices", { query: { limit: 100 } });
      return items.map(({ kind }) => kind).toReversed();
    },
    snapshots: async ({ api, leaseId }) =>
      (await api.call("listSnapshots", { params: { leaseId } })).items,
  };
}
