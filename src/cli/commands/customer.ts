/** `tier show|changes|override|end-override`, `application …`, `agreement …`. */
import type { Command } from "commander";
import { z } from "zod";

import {
  define,
  flag,
  group,
  listOptions,
  noArguments,
  noOptions,
  oneArgument,
  type Shell,
} from "#cli/define.ts";
import { readTextFile } from "#cli/files.ts";
import { collect, listText } from "#cli/lists.ts";
import { fields, table, type Column } from "#cli/table.ts";
import { none, shortId, time, yesNo } from "#cli/text.ts";
import type { AnswerOf, ItemOf } from "#client/types.ts";
import { application as applicationSchema, tierName } from "#contract/schemas/customers.ts";
import { Failure } from "#kernel/failure.ts";

const changeColumns: readonly Column<ItemOf<"listTierChanges">>[] = [
  { title: "FROM", cell: (change) => change.effective },
  { title: "TIER", cell: (change) => change.tier },
  { title: "BEFORE", cell: (change) => change.tierBefore },
  { title: "RULE", cell: (change) => change.rule },
  { title: "PAID IN 12 MONTHS", cell: (change) => change.inputs.netPaid12m, right: true },
  { title: "PAID IN ALL", cell: (change) => change.inputs.cumulative, right: true },
  { title: "HOLDS UNTIL", cell: (change) => change.holdUntil ?? none },
];

const applicationColumns: readonly Column<ItemOf<"listApplications">>[] = [
  { title: "SENT", cell: (each) => time(each.createdAt) },
  { title: "COMPANY", cell: (each) => each.company },
  { title: "PEOPLE", cell: (each) => each.scale },
  { title: "BUDGET/MONTH", cell: (each) => each.monthlyBudget, right: true },
  { title: "STATE", cell: (each) => each.state },
  { title: "RATING", cell: (each) => each.initialRating ?? none },
  { title: "ID", cell: (each) => each.id },
];

const agreementColumns: readonly Column<AnswerOf<"acceptAgreement">>[] = [
  { title: "DOCUMENT", cell: (each) => each.document },
  { title: "VERSION", cell: (each) => each.version },
  { title: "REQUIRED", cell: (each) => yesNo(each.required) },
  { title: "ACCEPTED", cell: (each) => (each.acceptedAt === null ? none : time(each.acceptedAt)) },
  { title: "BY", cell: (each) => each.acceptedBy ?? none },
  { title: "ID", cell: (each) => shortId(each.id) },
];

export function addTier(program: Command, shell: Shell): void {
  const tier = group(program, "tier", "Your tier: why, what it gives, what the next one takes");

  define(tier, shell, {
    usage: "show",
    summary: "The tier, its benefits, and the ways to a higher one",
    args: noArguments,
    options: noOptions,
    act: async ({ client, out }) => {
      const value = await client.call("getTier");
      await out.show({ value, ids: [value.tier], text: () => tierText(value) });
    },
  });

  define(tier, shell, {
    usage: "changes",
    summary: "Changes with the rule and the figures, newest first",
    args: noArguments,
    options: listOptions,
    act: async ({ client, out }, _args, { limit }) => {
      const found = await collect(client.items("listTierChanges"), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(changeColumns, found, "No changes: normal from the beginning."),
      });
    },
  });

  define(tier, shell, {
    usage: "override <tier>",
    summary: "For the operator: a tier by hand, until an instant",
    args: oneArgument,
    options: z.object({
      reason: flag("--reason <text>", "why", z.string()),
      approvedBy: flag("--approved-by <name>", "who approved it", z.string()),
      until: flag("--until <time>", "RFC 3339, such as 2027-01-01T00:00:00+08:00", z.string()),
    }),
    examples: [
      "millrace --tenant acme tier override gold --reason trial --approved-by Li --until 2027-01-01T00:00:00+08:00",
    ],
    act: async ({ client, out }, [name], { reason, approvedBy, until }) => {
      const body = { tier: tierName.parse(name), reason, approvedBy, until };
      const value = await client.call("overrideTier", { body });
      await out.show({ value, ids: [value.tier], text: () => tierText(value) });
    },
  });

  define(tier, shell, {
    usage: "end-override",
    summary: "For the operator: back to what the payments make",
    args: noArguments,
    options: noOptions,
    act: async ({ client, out }) => {
      const value = await client.call("endTierOverride");
      await out.show({ value, ids: [value.tier], text: () => tierText(value) });
    },
  });
}

export function addApplications(program: Command, shell: Shell): void {
  const application = group(program, "application", "Applications for compute");

  define(application, shell, {
    usage: "submit",
    summary: "Say who you are, what you need and what you can spend",
    args: noArguments,
    options: z.object({
      company: flag("--company <name>", "who asks", z.string()),
      scale: flag(
        "--scale <people>",
        "individual, 1-10, 11-50, 51-500 or 500+",
        applicationSchema.shape.scale,
      ),
      budget: flag("--budget <yuan>", "what can be spent in a month", z.string()),
      demand: flag("--demand <text>", "what for, and how much", z.string()),
      contact: flag("--contact <text>", "whom to answer", z.string()),
    }),
    act: async ({ client, out }, _args, { budget, ...rest }) => {
      const body = { ...rest, monthlyBudget: budget };
      const value = await client.call("submitApplication", { body });
      await out.show({ value, ids: [value.id], text: () => table(applicationColumns, [value]) });
    },
  });

  define(application, shell, {
    usage: "list",
    summary: "Your applications; with --all, for the operator, those of everybody",
    args: noArguments,
    options: listOptions.extend({
      all: flag("--all", "of all tenants", z.boolean().default(false)),
    }),
    act: async ({ client, out }, _args, { limit, all }) => {
      const items = all ? client.items("listAllApplications") : client.items("listApplications");
      const found = await collect(items, { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(applicationColumns, found, "No applications."),
      });
    },
  });

  define(application, shell, {
    usage: "withdraw <id>",
    summary: "Take an application back",
    args: oneArgument,
    options: noOptions,
    act: async ({ client, out }, [id]) => {
      const value = await client.call("withdrawApplication", { params: { applicationId: id } });
      await out.show({ value, ids: [value.id], text: () => table(applicationColumns, [value]) });
    },
  });

  define(application, shell, {
    usage: "rate <id>",
    summary: "For the operator: the initial rating, a note without effect on prices",
    args: oneArgument,
    options: z.object({
      rating: flag("--rating <tier>", "normal, gold or diamond", tierName),
      note: flag("--note <text>", "why", z.string()),
    }),
    act: async ({ client, out }, [id], body) => {
      const value = await client.call("rateApplication", { params: { applicationId: id }, body });
      await out.show({ value, ids: [value.id], text: () => table(applicationColumns, [value]) });
    },
  });
}

export function addAgreements(program: Command, shell: Shell): void {
  const agreement = group(program, "agreement", "Service agreement and NDA");

  define(agreement, shell, {
    usage: "list",
    summary: "Versions, and what was accepted when and by whom",
    args: noArguments,
    options: noOptions,
    act: async ({ client, out }) => {
      const value = await client.call("listAgreements");
      await out.show({
        value,
        ids: value.items.map((item) => item.id),
        text: () =>
          value.items.length === 0 ? "No agreements.\n" : table(agreementColumns, value.items),
      });
    },
  });

  define(agreement, shell, {
    usage: "show <id>",
    summary: "The text, in both languages",
    args: oneArgument,
    options: noOptions,
    act: async ({ client, out }, [id]) => {
      const value = agreementBy(await client.call("listAgreements"), id);
      await out.show({
        value,
        ids: [value.id],
        text: () => `${value.textEn}\n\n${value.textZh}\n\nSHA-256: ${value.sha256}\n`,
      });
    },
  });

  define(agreement, shell, {
    usage: "accept <id>",
    summary: "Accept a version for your tenant",
    args: oneArgument,
    options: noOptions,
    more: "Read it first: millrace agreement show ID. What is recorded is the SHA-256 of that text.\n",
    act: async ({ client, out }, [id]) => {
      const found = agreementBy(await client.call("listAgreements"), id);
      const value = await client.call("acceptAgreement", {
        params: { agreementId: found.id },
        body: { sha256: found.sha256 },
      });
      await out.show({ value, ids: [value.id], text: () => table(agreementColumns, [value]) });
    },
  });

  define(agreement, shell, {
    usage: "publish <document> <version>",
    summary: "For the operator: publish a version (service_agreement or nda)",
    args: z.tuple([z.enum(["service_agreement", "nda"]), z.string()]),
    options: z.object({
      english: flag("--english <file>", "the text in English", z.string()),
      chinese: flag("--chinese <file>", "the text in Chinese", z.string()),
      required: flag(
        "--required",
        "new leases, jobs and orders need its acceptance",
        z.boolean().default(false),
      ),
    }),
    act: async ({ client, out }, [document, version], { english, chinese, required }) => {
      const [textEn, textZh] = await Promise.all([readTextFile(english), readTextFile(chinese)]);
      const value = await client.call("publishAgreement", {
        body: { document, version, textEn, textZh, required },
      });
      await out.show({ value, ids: [value.id], text: () => table(agreementColumns, [value]) });
    },
  });
}

function agreementBy(
  { items }: AnswerOf<"listAgreements">,
  id: string,
): AnswerOf<"acceptAgreement"> {
  const found = items.filter((each) => each.id.startsWith(id) || each.id.endsWith(id));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new Failure("not_found", `There is no one agreement ${id}: millrace agreement list.`);
}

function tierText(value: AnswerOf<"getTier">): string {
  const { override, benefits, netPaid } = value;
  const text = fields([
    ["Tier", value.tier],
    ["By payments", value.byPayments === value.tier ? undefined : value.byPayments],
    [
      "Set by hand",
      override === null ? undefined : `${override.reason}, until ${time(override.untilAt)}`,
    ],
    ["Holds until", value.holdUntil ?? undefined],
    ["Paid in 12 complete months", netPaid.netPaid12m],
    ["Paid in the last 3", netPaid.netPaidLast3Months.join(", ")],
    ["Paid since registration", netPaid.cumulative],
    ["Priority", benefits.priority],
    ["Contact", benefits.contact.replaceAll("_", " ")],
    [
      "Support",
      benefits.supportBoughtUntil === null
        ? benefits.support
        : `${benefits.support}, bought until ${time(benefits.supportBoughtUntil)}`,
    ],
    ["Storage", benefits.storage.replaceAll("_", " ")],
  ]);
  if (value.next.length === 0) return text;
  return `${text}\n${table(
    [
      { title: "NEXT TIER", cell: (way) => way.tier },
      { title: "MISSING", cell: (way) => way.missing, right: true },
      { title: "BEFORE", cell: (way) => way.before },
      { title: "RULE", cell: (way) => way.rule },
      { title: "STORAGE WOULD HAVE SAVED", cell: (way) => way.storageSaving, right: true },
      { title: "RENEWALS WOULD SAVE", cell: (way) => way.renewalSaving, right: true },
    ],
    value.next,
  )}`;
}
