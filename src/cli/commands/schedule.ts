/** `schedule replay`: real history under another policy. */
import type { Command } from "commander";
import { z } from "zod";

import { define, flag, group, noArguments, type Shell } from "#cli/define.ts";
import { table, type Column } from "#cli/table.ts";
import { money, none } from "#cli/text.ts";
import type { AnswerOf } from "#client/types.ts";
import { replayScheduleBody } from "#contract/schemas/schedule.ts";

import { changeOptions, changesOf, share } from "./plan.ts";

const { policy, placement } = replayScheduleBody.shape;
const defaultDays = 7;
const dayMs = 86_400_000;

type Replay = AnswerOf<"replaySchedule">;
type Figures = Replay["real"];

export function addSchedule(program: Command, shell: Shell): void {
  const schedule = group(program, "schedule", "How work is put in order and placed");

  define(schedule, shell, {
    usage: "replay",
    summary: "For the operator: what another policy would have made of real history",
    more: `What asked for capacity in the stretch comes again when it came and runs for as long as it ran, on
the hosts of now or on those that --add, --remove and --slices make of them.\n`,
    args: noArguments,
    options: z.object({
      policy: flag(
        "--policy <policy>",
        "of the queue: due (the product's), fifo, skip, easy or shortest",
        policy,
      ),
      placement: flag(
        "--placement <policy>",
        "of the hosts: balance (the product's), fgd, bestfit, dotprod or gpupacking",
        placement,
      ),
      from: flag(
        "--from <time>",
        `RFC 3339 or a day (default: ${defaultDays} days before --until)`,
        moment.optional(),
      ),
      until: flag("--until <time>", "RFC 3339 or a day (default: now)", moment.optional()),
      ...changeOptions,
    }),
    examples: [
      "millrace schedule replay --policy easy --from 2026-05-01 --until 2026-05-08",
      "millrace schedule replay --placement fgd --add gpu-1:2",
    ],
    act: async ({ client, out }, _args, options) => {
      const until = options.until ?? Date.now();
      const from = options.from ?? until - defaultDays * dayMs;
      const value = await client.call("replaySchedule", {
        body: {
          from: new Date(from).toISOString(),
          until: new Date(until).toISOString(),
          policy: options.policy,
          placement: options.placement,
          changes: changesOf(options),
        },
      });
      await out.show({ value, ids: [], text: () => replayText(value) });
    },
  });
}

const moment = z.string().transform((text, context) => {
  const at = Date.parse(text);
  if (!Number.isNaN(at)) return at;
  context.addIssue(`${JSON.stringify(text)} is no time: write 2026-05-01 or 2026-05-01T10:00:00Z`);
  return z.NEVER;
});

interface Row {
  readonly what: string;
  readonly real: string;
  readonly usual: string;
  readonly other: string;
  readonly change: string;
}

function replayText(replay: Replay): string {
  const columns: readonly Column<Row>[] = [
    { title: "", cell: ({ what }) => what },
    { title: "REALLY", cell: ({ real }) => real, right: true },
    { title: "OURS ON PAPER", cell: ({ usual }) => usual, right: true },
    {
      title: `${replay.policy}+${replay.placement}`.toUpperCase(),
      cell: ({ other }) => other,
      right: true,
    },
    { title: "DIFFERENCE", cell: ({ change }) => change, right: true },
  ];
  const row = (
    what: string,
    of: (figures: Figures) => number,
    shown: (value: number) => string,
  ): Row => ({
    what,
    real: shown(of(replay.real)),
    usual: shown(of(replay.usual)),
    other: shown(of(replay.other)),
    change: signed(of(replay.other) - of(replay.usual), shown),
  });
  const rows = [
    row("Asked", ({ asked }) => asked, String),
    row("Started", ({ started }) => started, String),
    row("Waiting at the end", ({ stillWaiting }) => stillWaiting, String),
    row("Mean wait", ({ meanWaitSeconds }) => meanWaitSeconds, duration),
    row("95 of 100 wait less than", ({ p95WaitSeconds }) => p95WaitSeconds, duration),
    row("Longest wait", ({ longestWaitSeconds }) => longestWaitSeconds, duration),
    ...(replay.real.gpuUtilization === null ? [] : [row("GPUs sold", utilization, share)]),
    row("CPUs sold", ({ cpuUtilization }) => cpuUtilization, share),
    row(
      "Revenue",
      ({ revenue }) => Number(revenue),
      (yuan) => money(yuan.toFixed(2)),
    ),
  ];
  const notes = [
    replay.gaveUp > 0 ? `${replay.gaveUp} gave up before they had a place and are left out.\n` : "",
    replay.displaced > 0
      ? `${replay.displaced} ran on hosts that are not there and start anew.\n`
      : "",
    replay.cut ? "There was more than can be replayed at once; ask for a shorter stretch.\n" : "",
  ];
  return `${table(columns, rows)}${notes.join("")}`;
}

function utilization({ gpuUtilization }: Figures): number {
  return gpuUtilization ?? 0;
}

function signed(value: number, shown: (value: number) => string): string {
  if (value === 0) return none;
  return value > 0 ? `+${shown(value)}` : `-${shown(-value)}`;
}

function duration(seconds: number): string {
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  if (seconds < 7200) return `${(seconds / 60).toFixed(1)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
