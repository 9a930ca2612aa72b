/** Applications for compute, and what customers agree to. */
import type { z } from "zod";

import type { Handlers } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import { amountOf, time, timeOrNull } from "#api/routes/wire.ts";
import { loadPriceBook, pricesOn } from "#catalog/price-profiles.ts";
import { defaultProfile } from "#catalog/profile.ts";
import type * as customers from "#contract/schemas/customers.ts";
import {
  acceptAgreement,
  agreements,
  publishAgreement,
  type Agreement,
} from "#customers/agreements.ts";
import {
  applications,
  rateApplication,
  submitApplication,
  withdrawApplication,
  type Application,
} from "#customers/applications.ts";
import { dayOf } from "#kernel/calendar.ts";
import { formatFen } from "#kernel/money.ts";
import { billingZone } from "#kernel/zone.ts";

export const customerHandlers = {
  submitApplication: async ({ body }, { tx, tenantId, now }) => {
    const book = await loadPriceBook(tx);
    const profile = pricesOn(book, dayOf(billingZone, now()))?.profile ?? defaultProfile;
    const monthlyBudget = amountOf(body.monthlyBudget);
    const ask = { ...body, tenantId, monthlyBudget, profile, now: now() };
    return showApplication(await submitApplication(tx, ask));
  },

  listApplications: ({ query }, { tx, tenantId }) =>
    pageOf(query, {
      load: (ask) => applications(tx, { ...ask, tenantId }),
      show: showApplication,
      positionOf: ({ createdAt, id }) => ({ at: createdAt, id }),
    }),

  listAllApplications: ({ query }, { tx }) =>
    pageOf(query, {
      load: (ask) => applications(tx, { ...ask, tenantId: undefined, state: query.state }),
      show: showApplication,
      positionOf: ({ createdAt, id }) => ({ at: createdAt, id }),
    }),

  withdrawApplication: async ({ params }, { tx, tenantId }) =>
    showApplication(await withdrawApplication(tx, { tenantId, id: params.applicationId })),

  rateApplication: async ({ params, body }, { tx, tenantId, principal, now }) =>
    showApplication(
      await rateApplication(tx, {
        tenantId,
        id: params.applicationId,
        rating: body.rating,
        note: body.note,
        by: principal.userName,
        now: now(),
      }),
    ),

  listAgreements: async (_input, { tx, tenantId }) => ({
    items: (await agreements(tx, tenantId)).map(showAgreement),
  }),

  publishAgreement: async ({ body }, { tx, now }) =>
    showAgreement(await publishAgreement(tx, { ...body, now: now() })),

  acceptAgreement: async ({ params, body }, { tx, tenantId, principal, now, note }) => {
    const accepted = await acceptAgreement(tx, {
      tenantId,
      agreementId: params.agreementId,
      sha256: body.sha256,
      userId: principal.userId,
      userName: principal.userName,
      now: now(),
    });
    const { document, version, sha256 } = accepted;
    note({ details: { document, version, sha256 } });
    return showAgreement(accepted);
  },
} satisfies Partial<Handlers>;

function showApplication(row: Application): z.output<typeof customers.application> {
  return {
    ...row,
    monthlyBudget: formatFen(row.monthlyBudget),
    ratedAt: timeOrNull(row.ratedAt),
    createdAt: time(row.createdAt),
  };
}

function showAgreement(row: Agreement): z.output<typeof customers.agreement> {
  return { ...row, publishedAt: time(row.publishedAt), acceptedAt: timeOrNull(row.acceptedAt) };
}
