/** Packages: buy, look at, give back; and the items of all orders. */
import type { z } from "zod";

import type { Handlers } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import { time, timeOrNull } from "#api/routes/wire.ts";
import type * as orders from "#contract/schemas/orders.ts";
import { formatFen, parseFen, zeroFen } from "#kernel/money.ts";
import { orderItems, type OrderItem } from "#orders/items.ts";
import {
  buyPackage,
  getPackage,
  packages,
  packageState,
  refundPackage,
  type Package,
} from "#orders/packages.ts";
import { itemText, type Language } from "#orders/words.ts";

import { bookedNow, orderedNow } from "./booked.ts";

export const packageHandlers = {
  buyPackage: async ({ body }, context) => {
    const { tx, principal, now, note } = context;
    const bought = await buyPackage(tx, await orderedNow(context), {
      code: body.code,
      expected: parseFen(body.expectedAmount),
      userId: principal.userId,
    });
    note({ details: { code: bought.code, price: formatFen(bought.price) } });
    return showPackage(bought, now());
  },

  listPackages: ({ query }, { tx, tenantId, now }) =>
    pageOf(query, {
      load: (ask) => packages(tx, tenantId, ask),
      show: (each) => showPackage(each, now()),
      positionOf: ({ boughtAt, id }) => ({ at: boughtAt, id }),
    }),

  getPackage: async ({ params }, { tx, tenantId, now }) =>
    showPackage(await getPackage(tx, { tenantId, id: params.packageId }), now()),

  refundPackage: async ({ params }, context) => {
    const { tx, now, note } = context;
    const refund = await refundPackage(tx, await bookedNow(context), params.packageId);
    const shown = {
      refunded: formatFen(refund.refunded),
      bonusVoided: formatFen(refund.bonusVoided),
    };
    note({ details: shown });
    return { package: showPackage(refund.package, now()), ...shown };
  },

  listOrderItems: ({ query }, { tx, tenantId }) =>
    pageOf(query, {
      load: (ask) => orderItems(tx, { tenantId, subjectId: query.subjectId }, ask),
      show: (item) => showItem(item, query.language),
      positionOf: ({ at, id }) => ({ at, id }),
    }),
} satisfies Partial<Handlers>;

function showPackage(found: Package, now: number): z.output<typeof orders.orderPackage> {
  const { credit } = found;
  const isOver = credit.endedAs !== undefined;
  return {
    id: found.id,
    code: found.code,
    state: packageState(found, now),
    price: formatFen(found.price),
    bonus: formatFen(found.bonus),
    left: {
      principal: formatFen(isOver ? zeroFen : credit.principal),
      bonus: formatFen(isOver ? zeroFen : credit.bonus),
    },
    usableFrom: credit.usableFrom,
    usableThrough: credit.usableThrough,
    expiresAt: time(credit.expiresAt),
    boughtAt: time(found.boughtAt),
  };
}

function showItem(item: OrderItem, language: Language): z.output<typeof orders.orderItem> {
  return {
    id: item.id,
    kind: item.kind,
    sku: item.sku,
    description: itemText({ ...item, isRefund: item.refundOf !== null }, language),
    subjectId: item.subjectId,
    listPrice: formatFen(item.listPrice),
    discounts: item.discounts.map(({ rule, amount }) => ({ rule, amount: formatFen(amount) })),
    amount: formatFen(item.amount),
    isPrepayment: item.isPrepayment,
    serviceFrom: timeOrNull(item.serviceFrom),
    serviceUntil: timeOrNull(item.serviceUntil),
    at: time(item.at),
    billedMonth: item.billedMonth,
    refundOf: item.refundOf,
  };
}
