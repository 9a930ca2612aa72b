/** `notice list|read` for customers, `alert list|resolve` for the operator. */
import type { Command } from "commander";
import { z } from "zod";

import {
  define,
  flag,
  group,
  listOptions,
  noOptions,
  noArguments,
  oneArgument,
  type Shell,
} from "#cli/define.ts";
import { collect, listText } from "#cli/lists.ts";
import type { Column } from "#cli/table.ts";
import { none, shortId, time } from "#cli/text.ts";
import type { ItemOf } from "#client/types.ts";
import { language } from "#contract/schemas/notices.ts";

const noticeColumns: readonly Column<ItemOf<"listNotices">>[] = [
  { title: "TIME", cell: (notice) => time(notice.at) },
  { title: "READ", cell: (notice) => (notice.readAt === null ? none : time(notice.readAt)) },
  { title: "TEXT", cell: (notice) => notice.text },
  { title: "ID", cell: (notice) => shortId(notice.id) },
];

const alertColumns: readonly Column<ItemOf<"listAlerts">>[] = [
  { title: "SINCE", cell: (alert) => time(alert.raisedAt) },
  { title: "SEVERITY", cell: (alert) => alert.severity },
  { title: "SEEN", cell: (alert) => alert.seen, right: true },
  {
    title: "RESOLVED",
    cell: (alert) => (alert.resolvedAt === null ? none : time(alert.resolvedAt)),
  },
  { title: "TEXT", cell: (alert) => alert.text },
  { title: "ID", cell: (alert) => alert.id },
];

const spoken = flag("--language <language>", "en or zh-CN", language.default("en"));

export function addNotices(program: Command, shell: Shell): void {
  const notice = group(program, "notice", "What you were told: expiries, warnings, changes");

  define(notice, shell, {
    usage: "list",
    summary: "Notices, newest first",
    args: noArguments,
    options: listOptions.extend({ language: spoken }),
    act: async ({ client, out }, _args, { limit, language: asked }) => {
      const found = await collect(client.items("listNotices", { query: { language: asked } }), {
        limit,
      });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(noticeColumns, found, "No notices."),
      });
    },
  });

  define(notice, shell, {
    usage: "read <id>",
    summary: "Mark a notice as read",
    args: oneArgument,
    options: noOptions,
    act: async ({ client, out }, [id]) => {
      const value = await client.call("readNotice", { params: { noticeId: id } });
      await out.show({ value, ids: [value.id], text: () => `${value.text}\n` });
    },
  });
}

export function addAlerts(program: Command, shell: Shell): void {
  const alert = group(program, "alert", "For the operator: what must be looked at");

  define(alert, shell, {
    usage: "list",
    summary: "Alerts, newest first",
    args: noArguments,
    options: listOptions.extend({
      language: spoken,
      all: flag("--all", "resolved ones too", z.boolean().default(false)),
    }),
    act: async ({ client, out }, _args, { limit, language: asked, all }) => {
      const query = { language: asked, state: all ? "all" : "open" } as const;
      const found = await collect(client.items("listAlerts", { query }), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(alertColumns, found, "No alerts."),
      });
    },
  });

  define(alert, shell, {
    usage: "resolve <id>",
    summary: "Say that an alert is seen to",
    args: oneArgument,
    options: noOptions,
    act: async ({ client, out }, [id]) => {
      const value = await client.call("resolveAlert", { params: { alertId: id } });
      await out.show({ value, ids: [value.id], text: () => `Resolved: ${value.text}\n` });
    },
  });
}
