/** Reviews for customers; tasks and revenue for the operator. */
import type { z } from "zod";

import type { Handlers } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import { accountOf } from "#api/routes/billing/account.ts";
import { time, timeOrNull } from "#api/routes/wire.ts";
import { loadPriceBook, pricesOn } from "#catalog/price-profiles.ts";
import { defaultProfile } from "#catalog/profile.ts";
import type * as schemas from "#contract/schemas/insights.ts";
import { credits } from "#flow/ledger/accounts.ts";
import type { Credit } from "#flow/ledger/decide.ts";
import { customers, type ListedCustomer } from "#insights/customer-list.ts";
import { cohortMonths, registrations, revenueByMonth, revenueToday } from "#insights/revenue.ts";
import { reviewLines } from "#insights/review-lines.ts";
import { periodBefore, reviewOf, reviewPeriod } from "#insights/review.ts";
import { finishTask, tasks, type CustomerTask } from "#insights/tasks.ts";
import { taskText } from "#insights/words.ts";
import { addMonths, dayOf, localMonth, monthOf } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { formatFen, subtractFen, zeroFen } from "#kernel/money.ts";
import { formatRounded } from "#kernel/rounding.ts";
import { billingZone } from "#kernel/zone.ts";
import type { Language } from "#notices/words.ts";

const quantityDigits = 6;

export const insightHandlers = {
  getUsageReview: async ({ params }, { tx, tenantId, now }) => {
    const period = reviewPeriod(params.period);
    if (period === undefined) {
      throw new Failure("invalid_request", "Name a month or a quarter: 2026-05, 2026-Q2.");
    }
    const { zone } = await accountOf(tx, tenantId);
    if (period.from > dayOf(zone, now())) {
      throw new Failure("invalid_request", `${period.name} has not begun yet.`);
    }
    const book = await loadPriceBook(tx);
    const review = reviewOf({
      period,
      lines: await reviewLines(tx, tenantId, period),
      before: await reviewLines(tx, tenantId, periodBefore(period)),
      profile: pricesOn(book, dayOf(zone, now()))?.profile ?? defaultProfile,
    });
    const { busiest } = review;
    return {
      period: period.name,
      from: period.from,
      through: period.through,
      total: formatFen(review.total),
      totalBefore: formatFen(review.totalBefore),
      change: formatFen(subtractFen(review.total, review.totalBefore)),
      skus: review.skus.map((each) => ({
        ...each,
        quantity: formatRounded(each.quantity, quantityDigits),
        amount: formatFen(each.amount),
        amountBefore: formatFen(each.amountBefore),
      })),
      busiest:
        busiest === undefined ? null : { day: busiest.day, amount: formatFen(busiest.amount) },
      daysWithoutUse: review.daysWithoutUse,
      advice: review.advice.map((each) => ({
        ...each,
        price: formatFen(each.price),
        saves: formatFen(each.saves),
      })),
    };
  },

  listCustomers: async ({ query }, { tx, now }) => {
    const { limit, cursor, ...filter } = query;
    const found = await pageOf(
      { limit, cursor },
      {
        load: (ask) => customers(tx, { ...ask, filter, now: now() }),
        show: (each) => each,
        positionOf: ({ createdAt, id }) => ({ at: createdAt, id }),
      },
    );
    const creditOf = await credits(
      tx,
      found.items.map(({ id }) => id),
    );
    const { items, ...next } = found;
    return { items: items.map((each) => showCustomer(each, creditOf.get(each.id))), ...next };
  },

  listCustomerTasks: ({ query }, { tx }) =>
    pageOf(query, {
      load: (ask) => tasks(tx, { ...ask, open: query.state === "open", tenantId: query.tenantId }),
      show: (task) => showTask(task, query.language),
      positionOf: ({ createdAt, id }) => ({ at: createdAt, id }),
    }),

  finishCustomerTask: async ({ params, body }, { tx, principal, now }) =>
    showTask(
      await finishTask(tx, {
        id: params.taskId,
        by: principal.userName,
        note: body.note,
        at: now(),
      }),
      "en",
    ),

  getRevenue: async ({ query }, { tx, now }) => {
    const thisMonth = monthOf(dayOf(billingZone, now()));
    const through = query.through === undefined ? thisMonth : localMonth(query.through);
    const from = query.from === undefined ? addMonths(through, -11) : localMonth(query.from);
    if (through < from) {
      throw new Failure("invalid_request", `${through} is before ${from}.`);
    }
    const today = await revenueToday(tx, now());
    const cells = await cohortMonths(tx, { from, through });
    const registered = await registrations(tx);
    const cohorts = [...new Set(cells.map(({ cohort }) => cohort))];
    return {
      today: {
        day: dayOf(billingZone, now()),
        revenue: formatFen(today.revenue),
        active: today.active,
      },
      months: revenueByMonth(cells).map((each) => ({
        ...each,
        revenue: formatFen(each.revenue),
        arpu: formatFen(each.arpu),
        registered: registered.get(each.month) ?? 0,
      })),
      cohorts: cohorts.map((cohort) => ({
        cohort,
        size: registered.get(cohort) ?? 0,
        months: cells
          .filter((cell) => cell.cohort === cohort)
          .map(({ month, active, revenue }) => ({ month, active, revenue: formatFen(revenue) })),
      })),
    };
  },
} satisfies Partial<Handlers>;

function showCustomer(
  of: ListedCustomer,
  credit: Credit | undefined,
): z.output<typeof schemas.customerSummary> {
  return {
    ...of,
    createdAt: time(of.createdAt),
    balance: formatFen(credit?.balance ?? zeroFen),
    available: formatFen(credit?.available ?? zeroFen),
    spentThisMonth: formatFen(of.spentThisMonth),
  };
}

function showTask(task: CustomerTask, language: Language): z.output<typeof schemas.customerTask> {
  const text = taskText(task.kind, task.data, language);
  return { ...task, text, createdAt: time(task.createdAt), doneAt: timeOrNull(task.doneAt) };
}
