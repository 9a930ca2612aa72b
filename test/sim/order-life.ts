/** What tests of orders do and look at: rent, expand, renew, end; what the machine really has. */
import { expect } from "vitest";
import { z } from "zod";

import type { AnswerOf } from "#client/types.ts";
import { sql } from "#db/sql.ts";
import { notices } from "#notices/store.ts";

import type { Customer, OrderCloud } from "./order-cloud.ts";

export type Subscription = AnswerOf<"getSubscription">;
export type Expansion = AnswerOf<"getExpansion">;

export interface Rented extends Customer {
  readonly subscriptionId: string;
  readonly leaseId: string;
}

interface RentAsk {
  readonly term?: "monthly" | "annual";
  readonly flavor?: string;
  readonly autoRenew?: boolean;
}

/** What a machine has at the platform. */
export interface Size {
  readonly gpus: number;
  readonly cores: number;
  readonly gib: number;
}

export interface OrderLife {
  readonly rented: (yuan: string, ask?: RentAsk) => Promise<Rented>;
  readonly show: (of: Rented) => Promise<Subscription>;
  readonly stateOf: (of: Rented, state: Subscription["state"]) => Promise<Subscription>;
  readonly leaseIs: (of: Rented, state: string) => Promise<AnswerOf<"getLease">>;
  readonly sizeOf: (of: Rented) => Size | undefined;
  readonly sizeIs: (of: Rented, size: Size) => Promise<void>;
  readonly expand: (of: Rented, days: number, units?: Units) => Promise<Expansion>;
  readonly expansionIs: (of: Rented, id: string, state: Expansion["state"]) => Promise<Expansion>;
  /** To just after the end of what is paid. */
  readonly toTheEnd: (of: Rented) => Promise<void>;
  readonly money: (of: Customer) => Promise<{ wallet: string; held: string; revenue: string }>;
  /** Kinds of notices, oldest first. */
  readonly told: (of: Customer) => Promise<string[]>;
}

interface Units {
  readonly gpus: number;
  readonly vcpus: number;
  readonly memoryGiB: number;
}

export const small: Size = { gpus: 1, cores: 8, gib: 64 };

export function orderLife(cloud: OrderCloud): OrderLife {
  const { db, provider, until } = cloud;
  let names = 0;

  const stateOf = (of: Rented, state: Subscription["state"]): Promise<Subscription> =>
    until(async () => {
      const found = await show(of);
      expect(found.state).toBe(state);
      return found;
    });

  const sizeOf = ({ leaseId }: Rented): Size | undefined => {
    const machines = provider.platform.machines();
    const found = machines.find(({ spec }) => spec.owner.resourceId === leaseId);
    if (found === undefined) return undefined;
    const { cpu, memoryBytes, spec } = found;
    const cores = cpu.sockets * cpu.cores * cpu.threads;
    return { gpus: spec.gpus.length, cores, gib: memoryBytes / 2 ** 30 };
  };

  return {
    show,
    stateOf,
    sizeOf,

    rented: async (yuan, ask = {}) => {
      const { term = "monthly", flavor = "a100.1", autoRenew = false } = ask;
      const of = await cloud.customer(yuan);
      names += 1;
      const quoted = { kind: "subscription", flavor, term } as const;
      const { amount } = await of.api.call("quoteOrder", { body: quoted });
      const body = { name: `gpu-${names}`, flavor, term, autoRenew, expectedAmount: amount };
      const { subscription } = await of.api.call("orderSubscription", { body });
      const found = { ...of, subscriptionId: subscription.id, leaseId: subscription.leaseId };
      await stateOf(found, "active");
      return found;
    },

    leaseIs: ({ api, leaseId }, state) =>
      until(async () => {
        const found = await api.call("getLease", { params: { leaseId } });
        expect(found.state).toBe(state);
        return found;
      }),

    sizeIs: (of, size) =>
      until(async () => {
        expect(await Promise.resolve(sizeOf(of))).toEqual(size);
      }),

    expand: async ({ api, subscriptionId }, days, units) => {
      const what = units ?? { gpus: 1, vcpus: 16, memoryGiB: 64 };
      const quoted = { kind: "expansion", subscriptionId, days, ...what } as const;
      const { amount } = await api.call("quoteOrder", { body: quoted });
      const { expansion } = await api.call("orderExpansion", {
        params: { subscriptionId },
        body: { days, ...what, expectedAmount: amount },
      });
      return expansion;
    },

    expansionIs: ({ api }, id, state) =>
      until(async () => {
        const found = await api.call("getExpansion", { params: { expansionId: id } });
        expect(found.state).toBe(state);
        return found;
      }),

    toTheEnd: async (of) => {
      const { paidUntil } = await show(of);
      cloud.advance(Date.parse(paidUntil ?? "") - cloud.now() + 1000);
    },

    money: async ({ tenantId }) => {
      const rows = await db.rows(
        sql`select kind, balance::text from account where tenant_id = ${tenantId}`,
        z.object({ kind: z.string(), balance: z.string() }),
      );
      const yuan = (kind: string): string => {
        const fen = Number(rows.find((row) => row.kind === kind)?.balance ?? 0);
        return (fen / 100).toFixed(2);
      };
      return { wallet: yuan("wallet"), held: yuan("held"), revenue: yuan("revenue") };
    },

    told: async ({ tenantId }) => {
      const first = { after: undefined, limit: 100 };
      const list = await db.tenant(tenantId, (tx) => notices(tx, tenantId, first));
      return list.map(({ kind }) => kind).toReversed();
    },
  };
}

function show({ api, subscriptionId }: Rented): Promise<Subscription> {
  return api.call("getSubscription", { params: { subscriptionId } });
}
