/** `audit`, `system`, `health`, `events`. */
import type { Command } from "commander";
import { z } from "zod";

import { define, flag, listOptions, noArguments, noOptions, type Shell } from "#cli/define.ts";
import { jsonOrUndefined } from "#cli/json.ts";
import { collect, listText } from "#cli/lists.ts";
import { fields, table, type Column } from "#cli/table.ts";
import { none, safe, time, yesNo } from "#cli/text.ts";
import type { AnswerOf, ItemOf } from "#client/types.ts";
import { changeEvent } from "#contract/schemas/platform.ts";
import { failureClasses } from "#kernel/failure.ts";

type System = AnswerOf<"getSystem">;

const auditColumns: readonly Column<ItemOf<"listAudit">>[] = [
  { title: "TIME", cell: (entry) => time(entry.at) },
  { title: "WHO", cell: (entry) => entry.actor },
  { title: "DID", cell: (entry) => entry.action },
  { title: "TO", cell: (entry) => entry.target ?? none },
  { title: "OUTCOME", cell: (entry) => entry.outcome },
  { title: "REQUEST", cell: (entry) => entry.requestId },
];

export function addPlatform(program: Command, shell: Shell): void {
  define(program, shell, {
    usage: "audit",
    summary: "Who did what, newest first",
    args: noArguments,
    options: listOptions.extend({
      actor: flag("--actor <text>", "who: a part of the name", z.string().optional()),
      action: flag("--action <name>", "lease.create, or all of lease", z.string().optional()),
      target: flag("--target <text>", "of what: a part of it", z.string().optional()),
      refused: flag("--refused", "only what was refused", z.boolean().default(false)),
      request: flag("--request <id>", "of one request", z.string().optional()),
      since: flag(
        "--since <time>",
        "RFC 3339, such as 2026-05-01T00:00:00Z",
        z.string().optional(),
      ),
      until: flag("--until <time>", "before that instant", z.string().optional()),
    }),
    examples: ["millrace audit --action lease --since 2026-05-01T00:00:00Z"],
    act: async ({ client, out }, _args, { limit, refused, request, ...query }) => {
      const filters = {
        ...query,
        ...(refused ? { outcome: "refused" as const } : {}),
        ...(request === undefined ? {} : { requestId: request }),
      };
      const found = await collect(client.items("listAudit", { query: filters }), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(auditColumns, found, "Nothing was done."),
      });
    },
  });

  define(program, shell, {
    usage: "system",
    summary: "Sites, loops and findings of this installation",
    args: noArguments,
    options: noOptions,
    act: async ({ client, out }) => {
      const value = await client.call("getSystem");
      await out.show({
        value,
        ids: value.sites.map((site) => site.site),
        text: () => systemText(value),
      });
    },
  });

  define(program, shell, {
    usage: "health",
    summary: "Whether the server can serve; fails if not",
    args: noArguments,
    options: noOptions,
    act: async (session) => {
      const value = await session.client.call("getReadiness");
      await session.out.show({
        value,
        ids: [value.status],
        text: () =>
          `${fields([["Status", value.status]])}${table(
            [
              { title: "CHECK", cell: (check) => check.name },
              { title: "OK", cell: (check) => yesNo(check.ok) },
              { title: "DETAIL", cell: (check) => check.detail },
            ],
            value.checks,
          )}`,
      });
      if (value.status !== "ready") session.setExitCode(failureClasses.unavailable.exitCode);
    },
  });

  define(program, shell, {
    usage: "events",
    summary: "Which of your resources change, as it happens, until Ctrl-C",
    args: noArguments,
    options: noOptions,
    act: async ({ client, out, signal }) => {
      for await (const { event, data } of client.events("followEvents", {}, { signal })) {
        if (event === "end") return;
        const change = changeEvent.safeParse(jsonOrUndefined(data));
        if (!change.success) continue;
        const { at, kind, id } = change.data;
        await out.write(
          out.format === "json"
            ? `${JSON.stringify(change.data)}\n`
            : out.quiet
              ? `${id}\n`
              : `${time(at)}  ${kind}  ${id}\n`,
        );
      }
    },
  });
}

export const siteColumns: readonly Column<System["sites"][number]>[] = [
  { title: "SITE", cell: (site) => site.site },
  { title: "KIND", cell: (site) => `${site.kind} ${site.version}` },
  {
    title: "REACHED",
    cell: ({ reachable, awaySince }) =>
      awaySince === null ? yesNo(reachable) : `no, away since ${time(awaySince)}`,
  },
  { title: "RUNS", cell: (site) => `${site.execution}: ${site.executionReason}` },
  { title: "SEEN", cell: (site) => time(site.inventoryAt) },
];

const waitsFor = {
  site: "the site to answer",
  operator: "you",
  drain: "its owner to stop it, so that its host is emptied",
} as const;

function systemText(system: System): string {
  const head = fields([
    ["Version", system.version],
    ["Started", time(system.startedAt)],
  ]);
  const sites = table(siteColumns, system.sites);
  const loops = table<System["loops"][number]>(
    [
      { title: "LOOP", cell: (loop) => loop.name },
      { title: "RUNS", cell: (loop) => loop.runs, right: true },
      { title: "FAILURES", cell: (loop) => loop.failures, right: true },
      { title: "LAST", cell: (loop) => time(loop.lastEndedAt) },
      { title: "FAILING SINCE", cell: (loop) => time(loop.failingSince) },
      { title: "LAST ERROR", cell: (loop) => loop.lastError ?? none },
    ],
    system.loops,
  );
  const findings = system.findings
    .map(({ severity, site, message, advice }) => {
      const where = site === null ? "" : `${safe(site)}: `;
      const todo = advice === null ? "" : `  -> ${safe(advice)}\n`;
      return `${severity}: ${where}${safe(message)}\n${todo}`;
    })
    .join("");
  const waits =
    system.waits.length === 0
      ? []
      : [
          table<System["waits"][number]>(
            [
              { title: "WAITS FOR", cell: ({ on, code }) => `${waitsFor[on]} (${code})` },
              { title: "AT SITE", cell: ({ site }) => site },
              { title: "LEASES", cell: ({ leases }) => leases, right: true },
              { title: "JOBS", cell: ({ jobs }) => jobs, right: true },
            ],
            system.waits,
          ),
        ];
  return [head, sites, loops, ...waits, ...(findings === "" ? [] : [findings])].join("\n");
}
