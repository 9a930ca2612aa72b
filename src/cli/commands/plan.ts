/** `plan request|fleet`: what would become of an order, or of other hosts; nothing is done. */
import type { Command } from "commander";
import { z } from "zod";

import { define, flag, group, manyFlag, noArguments, type Shell } from "#cli/define.ts";
import { fields, table, type Column } from "#cli/table.ts";
import { money, none, percent, safe, shortId, time } from "#cli/text.ts";
import { count } from "#cli/values.ts";
import type { AnswerOf } from "#client/types.ts";
import type { fleetChange } from "#contract/schemas/schedule.ts";
import { Failure } from "#kernel/failure.ts";

type FleetChange = z.input<typeof fleetChange>;

const hostCount = z.string().transform((text, context): FleetChange => {
  const match = /^(.+?)(?::([1-9][0-9]{0,4}))?$/.exec(text);
  if (match?.[1] !== undefined) {
    return { do: "add", like: match[1], count: Number(match[2] ?? 1) };
  }
  context.addIssue(`${JSON.stringify(text)} is no host: write NAME or NAME:COUNT`);
  return z.NEVER;
});

const poolSlices = z.string().transform((text, context): FleetChange => {
  const match = /^([a-z][a-z0-9-]*)=(?:1:)?([1-9][0-9]?)$/.exec(text);
  if (match?.[1] !== undefined) {
    return { do: "pool", pool: match[1], slicesMax: Number(match[2]) };
  }
  context.addIssue(`${JSON.stringify(text)} is no such pair: write POOL=8 or POOL=1:8`);
  return z.NEVER;
});

/** What changes a fleet, for `plan fleet` and `schedule replay`. */
export const changeOptions = {
  add: manyFlag(
    "--add <host:count>",
    "so many more hosts like this one; may be repeated",
    z.array(hostCount).default([]),
  ),
  remove: manyFlag(
    "--remove <host>",
    "without this host; may be repeated",
    z.array(z.string()).default([]),
  ),
  slices: manyFlag(
    "--slices <pool=n>",
    "devices of a pool cut up to 1:n; may be repeated",
    z.array(poolSlices).default([]),
  ),
};

interface Changes {
  readonly add: readonly FleetChange[];
  readonly remove: readonly string[];
  readonly slices: readonly FleetChange[];
}

export function changesOf({ add, remove, slices }: Changes): FleetChange[] {
  return [...add, ...remove.map((host) => ({ do: "remove" as const, host })), ...slices];
}

export function addPlans(program: Command, shell: Shell): void {
  const plan = group(program, "plan", "What would happen, on paper");

  define(plan, shell, {
    usage: "request",
    summary: "Whether something would have room now, and who waits for the same",
    args: noArguments,
    options: z.object({
      flavor: flag("--flavor <flavor>", "what to ask for", z.string()),
      count: flag("--count <n>", "how many of them (default: 1)", count.default(1)),
      together: flag(
        "--together <how>",
        "as the members of one job: pack, or spread over a host each",
        z.enum(["pack", "spread"]).optional(),
      ),
    }),
    examples: [
      "millrace plan request --flavor a100.1 --count 4",
      "millrace plan request --flavor a100.1 --count 4 --together spread",
    ],
    act: async ({ client, out }, _args, { flavor, count: asked, together }) => {
      const value = await client.call("planRequest", {
        body: { flavor, count: asked, ...(together === undefined ? {} : { together }) },
      });
      await out.show({ value, ids: [], text: () => requestText(value) });
    },
  });

  define(plan, shell, {
    usage: "fleet",
    summary: "For the operator: what other hosts or pools would do to what runs and waits",
    args: noArguments,
    options: z.object(changeOptions),
    examples: [
      "millrace plan fleet --add gpu-1:2",
      "millrace plan fleet --remove gpu-1",
      "millrace plan fleet --slices general=1:8",
    ],
    act: async ({ client, out }, _args, options) => {
      const changes = changesOf(options);
      if (changes.length === 0) {
        throw new Failure("invalid_request", "Say what would change: --add, --remove or --slices.");
      }
      const value = await client.call("planFleet", { body: { changes } });
      const ids = value.started.map(({ requestId }) => requestId);
      await out.show({ value, ids, text: () => fleetText(value) });
    },
  });
}

function requestText(plan: AnswerOf<"planRequest">): string {
  const { line, price } = plan;
  const head = fields([
    ["Flavor", safe(plan.flavor)],
    ["Room now", `${plan.fits} of ${plan.asked}`],
    [
      "In line",
      line.waiting === 0
        ? "nobody"
        : `${line.waiting} for ${line.pool}${line.latest === null ? "" : `, the last until ${time(line.latest)}`}`,
    ],
    ["Price of one", price.hourly === null ? "on request" : `${money(price.hourly)} an hour`],
  ]);
  const why = plan.reason === null ? "" : `${safe(plan.reason.message)}\n`;
  const never = plan.never ? "It would never fit, however long it waits.\n" : "";
  return `${head}${why}${never}`;
}

interface Row {
  readonly what: string;
  readonly before: string;
  readonly after: string;
}

const rowColumns: readonly Column<Row>[] = [
  { title: "", cell: ({ what }) => what },
  { title: "NOW", cell: ({ before }) => before, right: true },
  { title: "THEN", cell: ({ after }) => after, right: true },
];

function fleetText({ before, after, ...plan }: AnswerOf<"planFleet">): string {
  const row = (what: string, of: (sold: typeof before) => string): Row => ({
    what,
    before: of(before),
    after: of(after),
  });
  const figures = table(rowColumns, [
    row("Hosts", ({ hosts }) => String(hosts)),
    row("GPUs", ({ gpus }) => String(gpus)),
    row("GPUs sold", ({ gpuUtilization }) => share(gpuUtilization)),
    row("CPUs sold", ({ cpuUtilization }) => share(cpuUtilization)),
    row("Revenue an hour", ({ revenuePerHour }) => money(revenuePerHour)),
    row("Waiting", ({ waiting }) => String(waiting)),
  ]);
  const moved = plan.displaced.filter(({ reason }) => reason === null).length;
  const lost = plan.displaced.filter(({ reason }) => reason !== null);
  return [
    figures,
    plan.displaced.length === 0
      ? ""
      : `${plan.displaced.length} would lose their host; ${moved} of them find another.\n`,
    ...lost.map(
      ({ kind, name, requestId, reason }) =>
        `  ${kind} ${safe(name)} (${shortId(requestId)}): ${safe(reason?.message ?? none)}\n`,
    ),
    `${plan.started.length} of those that wait would start.\n`,
    ...plan.stillWaiting.map(
      ({ count: many, message }) => `  ${many} would wait: ${safe(message)}\n`,
    ),
  ].join("");
}

export function share(of: number | null): string {
  return of === null ? none : percent(of);
}
