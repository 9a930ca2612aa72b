/** Under `usage`: `sum`, `events`; for the operator `allocation`, `send`, `review list|accept|reject`. */
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
import { periodOptions, periodQuery } from "#cli/period.ts";
import { table, type Column } from "#cli/table.ts";
import { none, time, yesNo } from "#cli/text.ts";
import type { AnswerOf, ItemOf } from "#client/types.ts";
import { usageSumsQuery } from "#contract/schemas/billing.ts";
import { Failure } from "#kernel/failure.ts";

/** Small enough for the largest body that a server takes, whatever is in the events. */
const eventsPerRequest = 500;

const eventColumns: readonly Column<ItemOf<"listUsageEvents">>[] = [
  { title: "DAY", cell: (item) => item.day },
  { title: "LOG ENTRY", cell: (item) => item.leafIndex ?? none, right: true },
  { title: "COUNTED", cell: (item) => yesNo(item.counted) },
  { title: "EVENT", cell: (item) => item.event },
];

const sumColumns: readonly Column<AnswerOf<"getUsageSums">["items"][number]>[] = [
  { title: "FROM", cell: (item) => item.bucket },
  { title: "OF", cell: (item) => item.name ?? item.group },
  { title: "SKU", cell: (item) => item.sku },
  { title: "QUANTITY", cell: (item) => item.quantity, right: true },
  { title: "UNIT", cell: (item) => item.unit },
];

const reviewColumns: readonly Column<ItemOf<"listUsageReviews">>[] = [
  { title: "SINCE", cell: (item) => time(item.receivedAt) },
  { title: "STATE", cell: (item) => item.state },
  { title: "WHY", cell: (item) => item.message },
  { title: "SOURCE", cell: (item) => item.source },
  { title: "EVENT", cell: (item) => item.eventId },
  { title: "ID", cell: (item) => item.id },
];

type Outcome = AnswerOf<"recordUsage">["results"][number];

const outcomeColumns: readonly Column<Outcome>[] = [
  { title: "EVENT", cell: (item) => item.index, right: true },
  { title: "OUTCOME", cell: (item) => item.outcome },
  { title: "WHY", cell: (item) => item.message ?? none },
];

export function addUsage(usage: Command, shell: Shell): void {
  // `usage` has options of its own, which its commands have too.
  usage.enablePositionalOptions();

  define(usage, shell, {
    usage: "events",
    summary: "The usage events of a period, as the metering log has them",
    args: noArguments,
    options: listOptions.extend(periodOptions.shape),
    examples: ["millrace usage events --month 2026-05 --limit 10000 -o json"],
    act: async ({ client, out }, _args, { limit, ...period }) => {
      const query = periodQuery(period);
      const found = await collect(client.items("listUsageEvents", { query }), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.leafHash),
        text: () => listText(eventColumns, found, "No events."),
      });
    },
  });

  define(usage, shell, {
    usage: "sum",
    summary: "Metered usage summed by day, week or month, and by what it is of",
    args: noArguments,
    options: periodOptions.extend({
      by: flag("--by <what>", "sku, project, resource or user", usageSumsQuery.by),
      bucket: flag("--bucket <stretch>", "day, week or month", usageSumsQuery.bucket),
      sku: flag("--sku <sku>", "of this SKU only, such as gpu.A100", usageSumsQuery.sku),
    }),
    examples: ["millrace usage sum --by project --bucket week --from 2026-05-01"],
    act: async ({ client, out }, _args, { by, bucket, sku, ...period }) => {
      const value = await client.call("getUsageSums", {
        query: { ...periodQuery(period), by, bucket, ...(sku === undefined ? {} : { sku }) },
      });
      await out.show({
        value,
        ids: value.items.map((item) => item.group),
        text: () =>
          value.items.length === 0
            ? "Nothing was used.\n"
            : table(sumColumns, value.items) +
              (value.isCut ? "\nThere is more: ask for fewer days or a longer stretch.\n" : ""),
      });
    },
  });

  define(usage, shell, {
    usage: "allocation",
    summary: "For the operator: what hosts hold beside what is metered, at this moment",
    args: noArguments,
    options: noOptions,
    act: async ({ client, out }) => {
      const value = await client.call("compareAllocation");
      const { differences } = value;
      await out.show({
        value,
        ids: differences.map(({ requestId }) => requestId),
        text: () => allocationText(value),
      });
      if (differences.length > 0) {
        throw new Failure("internal", `${differences.length} differences were found.`);
      }
    },
  });

  define(usage, shell, {
    usage: "send <file>",
    summary: "For the operator: hand in what another meter measured ('-' is stdin)",
    args: oneArgument,
    options: noOptions,
    more: "The file is a JSON array of usage events, or one event in each line. Sending it again is\nharmless: what is there already is answered as a duplicate.\n",
    examples: ["millrace usage send may.jsonl", "meter --since yesterday | millrace usage send -"],
    act: async ({ client, out }, [path]) => {
      const events = eventsOf(await readTextFile(path));
      const results: Outcome[] = [];
      for (let from = 0; from < events.length; from += eventsPerRequest) {
        const body = events.slice(from, from + eventsPerRequest);
        // oxlint-disable-next-line no-await-in-loop -- in order: an event may take back one before it
        const answer = await client.call("recordUsage", { body });
        results.push(...answer.results.map((each) => ({ ...each, index: each.index + from })));
      }
      await out.show({
        value: { results },
        ids: results.map((each) => each.outcome),
        text: () => sentText(results),
      });
      const bad = results.filter(
        (each) => each.outcome === "refused" || each.outcome === "conflict",
      );
      if (bad.length > 0) {
        throw new Failure("rule_violation", `${bad.length} of ${results.length} were not taken.`);
      }
    },
  });

  addReviews(group(usage, "review", "For the operator: usage that somebody must look at"), shell);
}

function addReviews(review: Command, shell: Shell): void {
  define(review, shell, {
    usage: "list",
    summary: "What waits, oldest first",
    args: noArguments,
    options: listOptions.extend({
      all: flag("--all", "what was decided too", z.boolean().default(false)),
    }),
    act: async ({ client, out }, _args, { limit, all }) => {
      const query = { state: all ? ("all" as const) : ("open" as const) };
      const found = await collect(client.items("listUsageReviews", { query }), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(reviewColumns, found, "Nothing waits."),
      });
    },
  });

  for (const [action, summary] of [
    ["accept", "Take it in as things are now; what is late stays uncharged"],
    ["reject", "Leave it out for good"],
  ] as const) {
    define(review, shell, {
      usage: `${action} <id>`,
      summary,
      args: oneArgument,
      options: z.object({ note: flag("--note <text>", "why, for the record", z.string()) }),
      examples: [`millrace usage review ${action} 0190c2b4-... --note "asked the meter's owner"`],
      act: async ({ client, out }, [reviewId], { note }) => {
        const value = await client.call("resolveUsageReview", {
          params: { reviewId },
          body: { action, note },
        });
        await out.show({
          value,
          ids: [value.id],
          text: () => `${value.source} ${value.eventId}: ${value.state}.\n`,
        });
      },
    });
  }
}

/** A JSON array, one event, or one in each line. */
function eventsOf(text: string): unknown[] {
  const whole = jsonOf(text);
  if (Array.isArray(whole.value)) return whole.value;
  if (whole.isJson) return [whole.value];
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (lines.length === 0) throw new Failure("invalid_request", "There is no event in it.");
  return lines.map((line, index) => {
    const { isJson, value } = jsonOf(line);
    if (!isJson) throw new Failure("invalid_request", `Line ${index + 1} is not JSON.`);
    return value;
  });
}

function jsonOf(text: string): { readonly isJson: boolean; readonly value: unknown } {
  try {
    return { isJson: true, value: JSON.parse(text) };
  } catch {
    return { isJson: false, value: undefined };
  }
}

function sentText(results: readonly Outcome[]): string {
  const count = (outcome: Outcome["outcome"]): number =>
    results.filter((each) => each.outcome === outcome).length;
  const others = results.filter(
    (each) => each.outcome !== "accepted" && each.outcome !== "duplicate",
  );
  const sums = `${count("accepted")} taken in, ${count("duplicate")} were there already, ${count("review")} wait to be looked at, ${count("refused")} refused, ${count("conflict")} conflict.\n`;
  return others.length === 0 ? sums : `${table(outcomeColumns, others)}\n${sums}`;
}

function allocationText(compared: AnswerOf<"compareAllocation">): string {
  const { sums, differences, machines, starting, changing } = compared;
  const list = table(
    [
      { title: "SKU", cell: (each) => each.sku },
      { title: "ALLOCATED", cell: (each) => each.allocated, right: true },
      { title: "STARTING OR ENDING", cell: (each) => each.starting, right: true },
      { title: "METERED", cell: (each) => each.metered, right: true },
    ],
    sums,
  );
  const said = `${machines} machines, ${starting} starting or ending, ${changing} not looked at.\n`;
  if (differences.length === 0) return `${list}${said}What is held is metered.\n`;
  const wrong = table(
    [
      { title: "TENANT", cell: (each) => each.tenant },
      { title: "WORK", cell: (each) => `${each.kind} ${each.name}` },
      { title: "SKU", cell: (each) => each.sku },
      { title: "ALLOCATED", cell: (each) => each.allocated, right: true },
      { title: "METERED", cell: (each) => each.metered, right: true },
    ],
    differences,
  );
  return `${list}${said}\n${wrong}`;
}
