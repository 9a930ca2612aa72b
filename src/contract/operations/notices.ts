import { z } from "zod";

import { operation } from "#contract/operation.ts";
import { id, page, pageQuery } from "#contract/schemas/common.ts";
import { alert, language, notice } from "#contract/schemas/notices.ts";

const spoken = z.strictObject({ language: language.default("en") });

export const noticeOperations = {
  listNotices: operation({
    method: "GET",
    path: "/v1/notices",
    summary: "What was said to the tenant, newest first",
    tag: "notices",
    permission: "tenant.read",
    query: pageQuery.extend(spoken.shape),
    result: page(notice),
  }),
  readNotice: operation({
    method: "POST",
    path: "/v1/notices/{noticeId}/read",
    summary: "Mark a notice as read",
    tag: "notices",
    permission: "billing.manage",
    audit: "notice.read",
    params: z.strictObject({ noticeId: id }),
    query: spoken,
    result: notice,
  }),
  listAlerts: operation({
    method: "GET",
    path: "/v1/alerts",
    summary: "What the operator must look at, newest first",
    tag: "notices",
    permission: "platform.read",
    query: pageQuery.extend({
      ...spoken.shape,
      state: z.enum(["open", "all"]).default("open"),
    }),
    result: page(alert),
  }),
  resolveAlert: operation({
    method: "POST",
    path: "/v1/alerts/{alertId}/resolve",
    summary: "Say that an alert is seen to; it opens again if its cause is seen again",
    tag: "notices",
    permission: "platform.manage",
    audit: "alert.resolve",
    params: z.strictObject({ alertId: id }),
    query: spoken,
    result: alert,
  }),
};
