/** Services that people do: what there is, order, accept, cancel; the operator offers and finishes. */
import type { z } from "zod";

import type { Handlers } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import { showReason } from "#api/routes/leases/show.ts";
import { time, timeOrNull } from "#api/routes/wire.ts";
import type { PriceProfile } from "#catalog/profile.ts";
import type * as wire from "#contract/schemas/services.ts";
import { tierAt } from "#customers/tier-store.ts";
import { fen, formatFen, parseFen, type Fen } from "#kernel/money.ts";
import { pricesAt } from "#orders/prices.ts";
import {
  acceptService,
  askService,
  cancelService,
  finishService,
  offerService,
  orderService,
} from "#orders/service-orders.ts";
import { allServices, getService, services, type Service } from "#orders/service-rows.ts";
import { supportPrice } from "#orders/services.ts";

import { bookedNow, orderedNow } from "./booked.ts";

export const serviceHandlers = {
  listServiceOffers: async (_input, { tx, tenantId, now }) => {
    const { profile } = await pricesAt(tx, now());
    const tier = await tierAt(tx, tenantId, now());
    const [from, to] = profile.model_optimisation_range;
    return {
      support24x7: {
        listPrice: formatFen(profile.support_24x7_monthly),
        monthly: formatFen(supportPrice(profile, tier)),
      },
      modelOptimization: { from: formatFen(from), to: formatFen(to) },
      bundles: Object.entries(profile.bundles).map(([code, bundle]) => ({
        code,
        description: bundle.description,
        price: formatFen(bundle.price),
        supportMonths: bundle.support_24x7_months,
        optimizations: bundle.model_optimizations,
        separately: formatFen(separately(profile, bundle)),
      })),
    };
  },

  orderService: async ({ body }, context) => {
    const { tx, principal, note } = context;
    const booked = await orderedNow(context);
    const { userId } = principal;
    if (body.kind === "model_optimization") {
      const asked = await askService(tx, booked, { description: body.description, userId });
      note({ target: asked.id, details: { kind: body.kind } });
      return showService(asked);
    }
    const expected = parseFen(body.expectedAmount);
    const order =
      body.kind === "bundle" ? { ...body, autoRenew: false, userId } : { ...body, userId };
    const ordered = await orderService(tx, booked, { ...order, expected });
    note({ target: ordered.id, details: { kind: body.kind, amount: body.expectedAmount } });
    return showService(ordered);
  },

  listServices: ({ query }, { tx, tenantId }) =>
    pageOf(query, {
      load: (ask) => services(tx, tenantId, ask),
      show: showService,
      positionOf: ({ askedAt, id }) => ({ at: askedAt, id }),
    }),

  listAllServices: ({ query }, { tx }) =>
    pageOf(query, {
      load: (ask) => allServices(tx, { ...ask, isToDo: query.state === "to_do" }),
      show: (of) => ({ ...showService(of), tenantId: of.tenantId, tenant: of.tenant }),
      positionOf: ({ askedAt, id }) => ({ at: askedAt, id }),
    }),

  getService: async ({ params }, { tx, tenantId }) =>
    showService(await getService(tx, { tenantId, id: params.serviceId })),

  acceptService: async ({ params, body }, context) => {
    const booked = await orderedNow(context);
    const expected = parseFen(body.expectedAmount);
    context.note({ details: { amount: body.expectedAmount } });
    return showService(await acceptService(context.tx, booked, { id: params.serviceId, expected }));
  },

  cancelService: async ({ params }, context) =>
    showService(await cancelService(context.tx, await bookedNow(context), params.serviceId)),

  offerService: async ({ params, body }, context) => {
    const { tx, principal, note } = context;
    const amount = parseFen(body.amount);
    const offered = await offerService(tx, await bookedNow(context), {
      id: params.serviceId,
      amount,
      until: Date.parse(body.until),
      by: principal.userName,
    });
    note({ details: { amount: formatFen(amount), until: body.until } });
    return showService(offered);
  },

  finishService: async ({ params, body }, context) => {
    const ask = { id: params.serviceId, ...body };
    const { service, refund } = await finishService(context.tx, await bookedNow(context), ask);
    context.note({ details: { ...body } });
    return {
      service: showService(service),
      refund: refund === undefined ? null : formatFen(refund),
    };
  },
} satisfies Partial<Handlers>;

function separately(
  { support_24x7_monthly: monthly, model_optimisation_range: [lowest] }: PriceProfile,
  bundle: PriceProfile["bundles"][string],
): Fen {
  const months = BigInt(bundle.support_24x7_months);
  return fen(monthly * months + lowest * BigInt(bundle.model_optimizations));
}

function showService(of: Service): z.output<typeof wire.service> {
  return {
    id: of.id,
    kind: of.kind,
    code: of.code ?? null,
    description: of.description,
    state: of.state,
    amount: of.amount === undefined ? null : formatFen(of.amount),
    offerUntil: timeOrNull(of.offerUntil ?? null),
    paidUntil: timeOrNull(of.paidUntil ?? null),
    autoRenew: of.autoRenew,
    optimizationsLeft: of.optimizationsLeft,
    askedAt: time(of.askedAt),
    endedAt: timeOrNull(of.endedAt ?? null),
    reason: showReason(of.endReason ?? null),
  };
}
