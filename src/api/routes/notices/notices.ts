import type { z } from "zod";

import type { Handlers } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import { time, timeOrNull } from "#api/routes/wire.ts";
import type { alert as alertSchema, notice as noticeSchema } from "#contract/schemas/notices.ts";
import { Failure } from "#kernel/failure.ts";
import {
  alertById,
  alerts,
  markRead,
  notices,
  resolveAlert,
  type Alert,
  type Notice,
} from "#notices/store.ts";
import { alertText, noticeText, type Language } from "#notices/words.ts";

export const noticeHandlers = {
  listNotices: ({ query }, { tx, tenantId }) =>
    pageOf(query, {
      load: (ask) => notices(tx, tenantId, ask),
      show: (row) => showNotice(row, query.language),
      positionOf: ({ at, id }) => ({ at, id }),
    }),

  readNotice: async ({ params, query }, { tx, tenantId, now }) => {
    const row = await markRead(tx, { tenantId, id: params.noticeId, at: now() });
    if (row === undefined) throw new Failure("not_found", "There is no such notice.");
    return showNotice(row, query.language);
  },

  listAlerts: ({ query }, { tx }) =>
    pageOf(query, {
      load: (ask) => alerts(tx, { ...ask, open: query.state === "open" }),
      show: (row) => showAlert(row, query.language),
      positionOf: ({ raisedAt, id }) => ({ at: raisedAt, id }),
    }),

  resolveAlert: async ({ params, query }, { tx, principal, now }) => {
    const before = await alertById(tx, params.alertId);
    if (before === undefined) throw new Failure("not_found", "There is no such alert.");
    await resolveAlert(tx, { key: before.key, by: principal.userName, at: now() });
    return showAlert((await alertById(tx, params.alertId)) ?? before, query.language);
  },
} satisfies Partial<Handlers>;

function showNotice(row: Notice, language: Language): z.output<typeof noticeSchema> {
  const { kind, data, at, readAt } = row;
  const text = noticeText(kind, data, language);
  return { ...row, text, at: time(at), readAt: timeOrNull(readAt) };
}

function showAlert(row: Alert, language: Language): z.output<typeof alertSchema> {
  return {
    ...row,
    text: alertText(row.kind, row.data, language),
    raisedAt: time(row.raisedAt),
    lastSeenAt: time(row.lastSeenAt),
    seen: Number(row.seen),
    resolvedAt: timeOrNull(row.resolvedAt),
  };
}
