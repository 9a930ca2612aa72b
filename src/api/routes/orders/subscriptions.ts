/** Subscriptions and their expansions: order, look at, renew, upgrade, extend, end. */
import type { z } from "zod";

import type { Context, Handlers } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import {
  requireImageFits,
  requirePlaceable,
  requireTakesUserData,
} from "#api/routes/leases/leases.ts";
import { leaseOf, showOperation, showReason } from "#api/routes/leases/show.ts";
import { priorityOf } from "#api/routes/priority.ts";
import { time, timeOrNull } from "#api/routes/wire.ts";
import { usableImage } from "#catalog/images.ts";
import type * as orders from "#contract/schemas/orders.ts";
import { usedFlavor } from "#flow/provision/lease-view.ts";
import { projectForWork } from "#identity/projects.ts";
import { chosenSshKeys } from "#identity/ssh-keys.ts";
import { fen, formatFen, parseFen } from "#kernel/money.ts";
import { cancelSubscription, quoteCancel, type CancelQuote } from "#orders/cancel.ts";
import { expansions, getExpansion, type Expansion } from "#orders/expansion-rows.ts";
import { extendExpansion, orderExpansion, releaseExpansion } from "#orders/expansions.ts";
import {
  changeAutoRenew,
  orderSubscription,
  renewSubscription,
  upgradeSubscription,
} from "#orders/subscribe.ts";
import { paidUntilOf, periodAt } from "#orders/subscription-periods.ts";
import { getSubscription, subscriptions, type Subscription } from "#orders/subscription-rows.ts";
import { viewOf } from "#orders/subscription-view.ts";

import { bookedNow, orderedNow } from "./booked.ts";
import { elasticItems } from "./units.ts";

export const subscriptionHandlers = {
  orderSubscription: async ({ body }, context) => {
    const { tx, tenantId, principal, note } = context;
    const booked = await orderedNow(context);
    const project = await projectForWork(tx, tenantId, body.projectId);
    const image = await usableImage(tx, body.image);
    if (body.userData !== undefined) await requireTakesUserData(context, image);
    const caller = { tenantId, userId: principal.userId };
    const keys = await chosenSshKeys(tx, caller, body.sshKeys);
    const { flavor, term, diskGiB, renewsId, autoRenew } = body;
    const { subscription, operation } = await orderSubscription(tx, booked, {
      flavor,
      term,
      diskGiB,
      renewsId,
      autoRenew,
      expected: parseFen(body.expectedAmount),
      work: {
        projectId: project.id,
        userId: principal.userId,
        name: body.name,
        image: image.name,
        loginUser: image.defaultUser,
        sshKeys: keys.map((key) => key.publicKey),
        userData: body.userData,
        restart: body.restart,
        priority: await priorityOf(context),
      },
      check: async ({ shape }) => {
        requireImageFits(shape, image);
        await requirePlaceable(context, shape, image.name);
      },
    });
    const { id, name, sku, amount, leaseId } = subscription;
    note({ target: id, details: { name, sku, term, amount: formatFen(amount) } });
    return {
      subscription: showSubscription(subscription, booked.at),
      lease: await leaseOf(context, leaseId),
      operation: showOperation(operation),
    };
  },

  listSubscriptions: ({ query }, { tx, tenantId, now }) =>
    pageOf(query, {
      load: (ask) => subscriptions(tx, tenantId, ask),
      show: (each) => showSubscription(each, now()),
      positionOf: ({ orderedAt, id }) => ({ at: orderedAt, id }),
    }),

  getSubscription: async ({ params }, { tx, tenantId, now }) =>
    showSubscription(await getSubscription(tx, { tenantId, id: params.subscriptionId }), now()),

  updateSubscription: async ({ params, body }, context) => {
    const booked = await bookedNow(context);
    const ask = { id: params.subscriptionId, autoRenew: body.autoRenew };
    context.note({ details: { autoRenew: body.autoRenew } });
    return showSubscription(await changeAutoRenew(context.tx, booked, ask), booked.at);
  },

  renewSubscription: async ({ params, body }, context) => {
    const booked = await orderedNow(context);
    const { term, flavor, expectedFrom } = body;
    const ask = {
      id: params.subscriptionId,
      term,
      flavor,
      expected: parseFen(body.expectedAmount),
      from: expectedFrom === undefined ? undefined : Date.parse(expectedFrom),
    };
    context.note({ details: { ...body } });
    return showSubscription(await renewSubscription(context.tx, booked, ask), booked.at);
  },

  upgradeSubscription: async ({ params, body }, context) => {
    const { tx, principal, note } = context;
    const booked = await orderedNow(context);
    const { subscription, operation } = await upgradeSubscription(tx, booked, {
      id: params.subscriptionId,
      flavor: body.flavor,
      expected: parseFen(body.expectedAmount),
      userId: principal.userId,
    });
    note({ details: { ...body } });
    return {
      subscription: showSubscription(subscription, booked.at),
      operation: showOperation(operation),
    };
  },

  quoteCancel: async ({ params }, context) => {
    const { tx, tenantId } = context;
    const found = await getSubscription(tx, { tenantId, id: params.subscriptionId });
    return showCancel(await quoteCancel(tx, await bookedNow(context), await viewOf(tx, found)));
  },

  cancelSubscription: async ({ params, body }, context) => {
    const booked = await bookedNow(context);
    const expectedRefund = parseFen(body.expectedRefund);
    const ask = { id: params.subscriptionId, expectedRefund };
    const { subscription, ...refunds } = await cancelSubscription(context.tx, booked, ask);
    const shown = showCancel(refunds);
    context.note({ details: { refund: shown.total } });
    return { ...shown, subscription: showSubscription(subscription, booked.at) };
  },

  orderExpansion: async ({ params, body }, context) => {
    const { tx, tenantId, principal, note } = context;
    const booked = await orderedNow(context);
    const found = await getSubscription(tx, { tenantId, id: params.subscriptionId });
    const items = elasticItems(found, booked.at, body);
    const { expansion, operation } = await orderExpansion(tx, booked, {
      subscriptionId: found.id,
      items,
      days: body.days,
      expected: parseFen(body.expectedAmount),
      userId: principal.userId,
    });
    note({ target: expansion.id, details: { items, days: body.days } });
    return { expansion: showExpansion(expansion), operation: showOperation(operation) };
  },

  listExpansions: ({ query }, { tx, tenantId }) =>
    pageOf(query, {
      load: (ask) => expansions(tx, { tenantId, subscriptionId: query.subscriptionId }, ask),
      show: showExpansion,
      positionOf: ({ orderedAt, id }) => ({ at: orderedAt, id }),
    }),

  getExpansion: async ({ params }, { tx, tenantId }) =>
    showExpansion(await getExpansion(tx, { tenantId, id: params.expansionId })),

  extendExpansion: async ({ params, body }, context) => {
    const { tx, principal } = context;
    const expansion = await extendExpansion(tx, await orderedNow(context), {
      id: params.expansionId,
      days: body.days,
      expected: parseFen(body.expectedAmount),
      userId: principal.userId,
    });
    return showExpansion(expansion);
  },

  releaseExpansion: async ({ params }, context: Context) => {
    const booked = await bookedNow(context);
    const released = await releaseExpansion(context.tx, booked, params.expansionId);
    const refund = formatFen(released.refund);
    context.note({ details: { refund } });
    return { expansion: showExpansion(released.expansion), refund };
  },
} satisfies Partial<Handlers>;

function showSubscription(of: Subscription, now: number): z.output<typeof orders.subscription> {
  return {
    id: of.id,
    leaseId: of.leaseId,
    name: of.name,
    state: of.state,
    sku: periodAt(of, now)?.sku ?? of.sku,
    term: periodAt(of, now)?.term ?? of.term,
    autoRenew: of.autoRenew,
    amount: formatFen(of.amount),
    startedAt: timeOrNull(of.anchorAt ?? null),
    paidUntil: timeOrNull(paidUntilOf(of) ?? null),
    keptUntil: timeOrNull(of.keptUntil ?? null),
    endedAt: timeOrNull(of.endedAt ?? null),
    reason: showReason(of.endReason ?? null),
    orderedAt: time(of.orderedAt),
    periods: of.periods.map((period) => ({
      number: period.number,
      term: period.term,
      sku: period.sku,
      from: time(period.fromAt),
      until: time(period.untilAt),
      flavor: usedFlavor(period.shape),
    })),
  };
}

function showCancel(quote: CancelQuote): z.output<typeof orders.cancelQuote> {
  return {
    refund: formatFen(quote.refund),
    expansionRefund: formatFen(quote.expansionRefund),
    total: formatFen(fen(quote.refund + quote.expansionRefund)),
  };
}

function showExpansion(of: Expansion): z.output<typeof orders.expansion> {
  return {
    id: of.id,
    subscriptionId: of.subscriptionId,
    state: of.state,
    items: of.items,
    days: of.days,
    amount: formatFen(of.amount),
    orderedAt: time(of.orderedAt),
    startsAt: timeOrNull(of.startsAt ?? null),
    activatedAt: timeOrNull(of.activatedAt ?? null),
    endsAt: timeOrNull(of.endsAt ?? null),
    revertedAt: timeOrNull(of.revertedAt ?? null),
    extendsId: of.extendsId ?? null,
    reason: showReason(of.reason ?? null),
  };
}
