/** What tests of sizing do: rent, load, and look at leases as hours go by. */
import { expect } from "vitest";

import type { AnswerOf } from "#client/types.ts";
import { present } from "#kernel/assert.ts";
import { decorate } from "#providers/decorate.ts";
import type { Load } from "#providers/simulated/loads.ts";
import { lookLoop } from "#sizing/look-loop.ts";
import { sizeLoop } from "#sizing/size-loop.ts";

import type { Customer, OrderCloud } from "./order-cloud.ts";

type Recommendation = AnswerOf<"getLeaseRecommendation">;

const minuteMs = 60_000;
/** Near enough for two looks to belong together. */
const stepMs = 10 * minuteMs;

interface Tenancy extends Customer {
  readonly leaseId: string;
  readonly instanceId: string;
}

interface SizingLife {
  /** A lease that runs under that load. */
  readonly rented: (flavor: string, load: Partial<Load>) => Promise<Tenancy>;
  /** So many go by; the leases are looked at all the while, and sized. */
  readonly hours: (count: number) => Promise<void>;
  readonly size: () => Promise<void>;
}

export const bounds = { vcpusMax: 4, memoryMiBMax: 16_384, hourlyMax: "1000.00" };

export function sizingLife(cloud: OrderCloud): SizingLife {
  const { db, provider, observer, now } = cloud;
  const { signal } = new AbortController();
  const looks = lookLoop({ db, provider: decorate(provider), observer, now });
  const sizes = sizeLoop({ db, now });
  const size = async (): Promise<void> => {
    await sizes.pass(signal);
  };
  return {
    size,
    rented: async (flavor, load) => {
      const customer = await cloud.customer("1000.00");
      const body = { name: "m", flavor };
      const { lease } = await customer.api.call("createLease", { body });
      const running = await cloud.until(async () => {
        const found = await customer.api.call("getLease", { params: { leaseId: lease.id } });
        expect(found.state).toBe("running");
        return found;
      });
      const instanceId = present(running.instanceId, "the machine");
      provider.platform.setLoad(instanceId, load);
      return { ...customer, leaseId: lease.id, instanceId };
    },
    hours: async (count) => {
      for (let gone = 0; gone < count * 60 * minuteMs; gone += stepMs) {
        cloud.advance(stepMs);
        await looks.pass(signal);
        await size();
      }
    },
  };
}

export function recommended({ api, leaseId }: Tenancy): Promise<Recommendation> {
  return api.call("getLeaseRecommendation", { params: { leaseId } });
}

export function sizeByUse({ api, leaseId }: Tenancy, change: object = {}): Promise<Recommendation> {
  return api.call("setSizing", { params: { leaseId }, body: { ...bounds, ...change } });
}
