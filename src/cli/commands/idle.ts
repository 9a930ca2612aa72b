/** Leases that nobody uses: `lease keep|restore`, and for the operator `idle rules|set|off|report`. */
import type { Command } from "commander";
import { z } from "zod";

import {
  define,
  flag,
  group,
  noArguments,
  noOptions,
  oneArgument,
  type Shell,
} from "#cli/define.ts";
import { idleText } from "#cli/idle-text.ts";
import { leaseSummary } from "#cli/lease-text.ts";
import { kinds, resolve } from "#cli/resolve.ts";
import { fields, table, type Column } from "#cli/table.ts";
import { money, none, shortId, time } from "#cli/text.ts";
import { count } from "#cli/values.ts";
import { settledLease, tookText, waitFor, waitOptions } from "#cli/waiting.ts";
import type { AnswerOf } from "#client/types.ts";
import { idlePoolPrefix } from "#contract/schemas/idle.ts";
import { Failure } from "#kernel/failure.ts";

type Report = AnswerOf<"getIdleReport">;

export function addIdleLeases(lease: Command, shell: Shell): void {
  define(lease, shell, {
    usage: "keep <lease>",
    summary: "Keep a lease that is about to be released, because nobody uses it",
    more: "Puts the release off by one window of the operator's rules.\n",
    args: oneArgument,
    options: z.object({
      always: flag(
        "--always",
        "for good, where the operator allows it",
        z.boolean().default(false),
      ),
      asUsual: flag("--as-usual", "takes --always back", z.boolean().default(false)),
    }),
    act: async (session, [text], { always, asUsual }) => {
      const { client, out } = session;
      if (always && asUsual) {
        throw new Failure("invalid_request", "Choose one of --always and --as-usual.");
      }
      const leaseId = await resolve(session, kinds.lease, text);
      const keep = always
        ? ("always" as const)
        : asUsual
          ? ("as_usual" as const)
          : ("once" as const);
      const value = await client.call("keepLease", { params: { leaseId }, body: { keep } });
      await out.show({
        value,
        ids: [leaseId],
        text: () => `${text} is kept. ${idleText(value) ?? "It is not released for idleness."}\n`,
      });
    },
  });

  define(lease, shell, {
    usage: "restore <snapshot-id>",
    summary: "Rent a machine again that was released for idleness, with its disk as it was",
    more: "The id stands in the notice of the release and in 'millrace snapshot list <lease>'.\n",
    args: oneArgument,
    options: waitOptions.extend({
      name: flag("--name <name>", "of the new lease (default: as it was)", z.string().optional()),
    }),
    examples: ["millrace lease restore 0190c2b4-0000-7000-8000-000000000001 --name web"],
    act: async (session, [snapshotId], { name, ...options }) => {
      const body = name === undefined ? {} : { name };
      const begun = await session.client.call("restoreSnapshot", { params: { snapshotId }, body });
      const what = `${begun.lease.name} is being restored`;
      if (!options.wait) {
        const text = (): string =>
          `${what}. To wait for it: millrace operation wait ${begun.operation.id}\n`;
        await session.out.show({ value: begun.lease, ids: [begun.lease.id], text });
        return;
      }
      const waiting = { timeoutSeconds: options.timeout, what };
      const ended = await waitFor(session, begun.operation, waiting);
      const settle = { leaseId: begun.lease.id, timeoutSeconds: options.timeout };
      const value = await settledLease(session, settle);
      const text = (): string => leaseSummary(value, tookText(ended, value));
      await session.out.show({ value, ids: [value.id], text });
    },
  });
}

const policyColumns: readonly Column<AnswerOf<"listIdlePolicies">["items"][number]>[] = [
  { title: "LEASES OF", cell: ({ scope }) => (scope === "default" ? "all other flavors" : scope) },
  { title: "IDLE FOR", cell: ({ rules }) => `${rules.windowHours} h`, right: true },
  { title: "WARNED", cell: ({ rules }) => `${rules.warningHours} h`, right: true },
  { title: "SNAPSHOT", cell: ({ rules }) => `${rules.keepDays} d`, right: true },
  { title: "CPU", cell: ({ rules }) => `< ${rules.cpuPercent} %`, right: true },
  { title: "NETWORK", cell: ({ rules }) => `< ${rules.networkBytesPerSecond} B/s`, right: true },
  { title: "GPU", cell: ({ rules }) => `< ${rules.gpuPercent} %`, right: true },
  { title: "EXEMPTIONS", cell: ({ rules }) => rules.exemptions },
  { title: "SINCE", cell: ({ changedAt }) => time(changedAt) },
];

/** Throws if both are given. */
function scopeOf(of: {
  readonly flavor?: string | undefined;
  readonly pool?: string | undefined;
}): string {
  const { flavor, pool } = of;
  if (flavor !== undefined && pool !== undefined) {
    throw new Failure("invalid_request", "Choose one of --flavor and --pool.");
  }
  return pool === undefined ? (flavor ?? "default") : `${idlePoolPrefix}${pool}`;
}

const percent = z.coerce.number().min(0.1).max(100);

const setOptions = z.object({
  flavor: flag(
    "--flavor <name>",
    "only of this flavor (default: all others)",
    z.string().optional(),
  ),
  pool: flag("--pool <name>", "only on the hosts of this pool", z.string().optional()),
  windowHours: flag("--window-hours <n>", "idle for so long: the tenant is warned", count),
  warningHours: flag(
    "--warning-hours <n>",
    "and released so long after (default 48)",
    count.optional(),
  ),
  keepDays: flag("--keep-days <n>", "the snapshot is kept so long (default 14)", count.optional()),
  cpuPercent: flag("--cpu-percent <n>", "less is idle (default 5)", percent.optional()),
  networkBytes: flag(
    "--network-bytes <n>",
    "a second; less is idle (default 1024)",
    count.optional(),
  ),
  gpuPercent: flag("--gpu-percent <n>", "less is idle (default 1)", percent.optional()),
  allowExemptions: flag(
    "--allow-exemptions",
    "tenants may take leases out for good",
    z.boolean().default(false),
  ),
});

export function addIdle(program: Command, shell: Shell): void {
  const idle = group(program, "idle", "Leases by the hour that nobody uses");

  define(idle, shell, {
    usage: "rules",
    summary: "When they are released; without rules none ever is",
    args: noArguments,
    options: noOptions,
    act: async ({ client, out }) => {
      const value = await client.call("listIdlePolicies");
      await out.show({
        value,
        ids: value.items.map(({ scope }) => scope),
        text: () =>
          value.items.length === 0
            ? "No rules: no lease is released for idleness. Set some with: millrace idle set\n"
            : table(policyColumns, value.items),
      });
    },
  });

  define(idle, shell, {
    usage: "set",
    summary: "Release leases that are idle for the window: after a warning, with a snapshot",
    more: "Idle is a lease whose CPU, network, GPU and logins all are; what nobody can see counts as\nactive. Subscriptions are never released.\n",
    args: noArguments,
    options: setOptions,
    examples: [
      "millrace idle set --window-hours 72",
      "millrace idle set --flavor a100.1 --window-hours 24 --warning-hours 12",
      "millrace idle set --pool general --window-hours 8",
    ],
    act: async ({ client, out }, _args, options) => {
      const { windowHours, warningHours, keepDays } = options;
      const { cpuPercent, networkBytes, gpuPercent, allowExemptions } = options;
      const value = await client.call("setIdlePolicy", {
        params: { scope: scopeOf(options) },
        body: {
          windowHours,
          ...(warningHours === undefined ? {} : { warningHours }),
          ...(keepDays === undefined ? {} : { keepDays }),
          ...(cpuPercent === undefined ? {} : { cpuPercent }),
          ...(gpuPercent === undefined ? {} : { gpuPercent }),
          ...(networkBytes === undefined ? {} : { networkBytesPerSecond: networkBytes }),
          exemptions: allowExemptions ? "allowed" : "refused",
        },
      });
      await out.show({ value, ids: [value.scope], text: () => table(policyColumns, [value]) });
    },
  });

  define(idle, shell, {
    usage: "off",
    summary: "Take rules away; warnings that rest on them are taken back",
    args: noArguments,
    options: z.object({
      flavor: flag(
        "--flavor <name>",
        "those of a flavor (default: of all others)",
        z.string().optional(),
      ),
      pool: flag("--pool <name>", "those of a pool", z.string().optional()),
    }),
    act: async ({ client, out }, _args, options) => {
      const scope = scopeOf(options);
      await client.call("deleteIdlePolicy", { params: { scope } });
      const text = (): string => `No idle rules for ${scope} any more.\n`;
      await out.show({ value: { scope }, ids: [scope], text });
    },
  });

  define(idle, shell, {
    usage: "report",
    summary: "Leases released in a month, what that saved, and each reversal",
    args: noArguments,
    options: z.object({
      month: flag("--month <month>", "such as 2026-05 (default: this one)", z.string().optional()),
    }),
    examples: ["millrace idle report --month 2026-05"],
    act: async ({ client, out }, _args, { month }) => {
      const value = await client.call("getIdleReport", {
        query: month === undefined ? {} : { month },
      });
      await out.show({ value, ids: [value.moneySaved], text: () => reportText(value) });
    },
  });
}

const releaseColumns: readonly Column<Report["releases"][number]>[] = [
  { title: "RELEASED", cell: (each) => time(each.releasedAt) },
  { title: "CUSTOMER", cell: (each) => each.tenant },
  { title: "LEASE", cell: (each) => each.name },
  { title: "FLAVOR", cell: (each) => each.flavor },
  { title: "HOURS", cell: (each) => each.hours, right: true },
  { title: "SAVED", cell: (each) => money(each.saved), right: true },
  {
    title: "RESTORED",
    cell: (each) => (each.restoredAt === null ? none : time(each.restoredAt)),
  },
];

const reversalColumns: readonly Column<Report["reversals"][number]>[] = [
  { title: "TIME", cell: (each) => time(each.at) },
  { title: "CUSTOMER", cell: (each) => each.tenant },
  { title: "LEASE", cell: (each) => each.name },
  { title: "WHAT", cell: (each) => each.kind.replaceAll("_", " ") },
  { title: "WHY", cell: (each) => (each.note === "" ? none : each.note) },
  { title: "ID", cell: (each) => shortId(each.leaseId) },
];

function reportText(report: Report): string {
  const head = fields([
    ["Month", report.month],
    ["Counted until", time(report.until)],
    ["Warned", `${report.warned}`],
    ["Used again", `${report.usedAgain}`],
    ["Kept", `${report.kept} once, ${report.exempted} for good`],
    ["Released", `${report.released}`],
    ["Restored", `${report.restored}`],
    ["No snapshot", report.snapshotsFailed === 0 ? undefined : `${report.snapshotsFailed}`],
    ["Hours saved", `${report.hoursSaved}, of GPUs ${report.gpuHoursSaved}`],
    ["Money saved", money(report.moneySaved)],
  ]);
  const releases =
    report.releases.length === 0 ? "" : `\n${table(releaseColumns, report.releases)}`;
  const reversals =
    report.reversals.length === 0 ? "" : `\n${table(reversalColumns, report.reversals)}`;
  const cut = report.truncated ? "\nThere were more events than this report reads.\n" : "";
  return `${head}\n${report.basis}\n${releases}${reversals}${cut}`;
}
