/** How large a lease should be: `lease recommend|auto-size`. */
import type { Command } from "commander";
import { z } from "zod";

import { define, flag, noOptions, oneArgument, type Shell } from "#cli/define.ts";
import { kinds, resolve } from "#cli/resolve.ts";
import type { Session } from "#cli/session.ts";
import { fields } from "#cli/table.ts";
import { because, mebibytes, money, time } from "#cli/text.ts";
import { count, seconds, sizeMib } from "#cli/values.ts";
import type { AnswerOf } from "#client/types.ts";
import { Failure } from "#kernel/failure.ts";

type Recommendation = AnswerOf<"getLeaseRecommendation">;
type Size = Recommendation["current"];

export function addLeaseSizes(lease: Command, shell: Shell): void {
  define(lease, shell, {
    usage: "recommend <lease>",
    summary: "How large it should be by what it used, what that would cost, and how sure that is",
    args: oneArgument,
    options: noOptions,
    act: async (session, [text]) => {
      const leaseId = await resolve(session, kinds.lease, text);
      const value = await session.client.call("getLeaseRecommendation", { params: { leaseId } });
      await show(session, value, text);
    },
  });

  define(lease, shell, {
    usage: "auto-size <lease>",
    summary: "Let it be resized by what it uses, within bounds and never with a restart",
    more:
      "It grows while it runs, where its platform can do that, and shrinks while it is stopped. Each change\n" +
      "and its price are announced first.\n",
    args: oneArgument,
    options: z.object({
      maxVcpus: flag("--max-vcpus <n>", "never more CPUs", count.optional()),
      maxMemory: flag(
        "--max-memory <size>",
        "never more memory, such as 16GiB",
        sizeMib.optional(),
      ),
      maxPrice: flag("--max-price <yuan>", "an hour; never more expensive", z.string().optional()),
      minVcpus: flag("--min-vcpus <n>", "never fewer CPUs (default 1)", count.optional()),
      minMemory: flag("--min-memory <size>", "never less memory", sizeMib.optional()),
      cooldown: flag("--cooldown <time>", "between two changes (default 1h)", seconds.optional()),
      notice: flag(
        "--notice <time>",
        "from the notice to the change (default 15m)",
        seconds.optional(),
      ),
      off: flag("--off", "it stays as large as it is", z.boolean().default(false)),
    }),
    examples: [
      "millrace lease auto-size web --max-vcpus 4 --max-memory 8GiB --max-price 2.50",
      "millrace lease auto-size web --off",
    ],
    act: async (session, [text], options) => {
      const { client, out } = session;
      const leaseId = await resolve(session, kinds.lease, text);
      const params = { leaseId };
      if (options.off) {
        await client.call("deleteSizing", { params });
        const said = (): string => `${text} stays as large as it is.\n`;
        await out.show({ value: { leaseId }, ids: [leaseId], text: said });
        return;
      }
      const { maxVcpus, maxMemory, maxPrice, minVcpus, minMemory, cooldown, notice } = options;
      if (maxVcpus === undefined || maxMemory === undefined || maxPrice === undefined) {
        throw new Failure(
          "invalid_request",
          "Say how far it may go: --max-vcpus, --max-memory and --max-price; or --off.",
        );
      }
      const value = await client.call("setSizing", {
        params,
        body: {
          vcpusMax: maxVcpus,
          memoryMiBMax: maxMemory,
          hourlyMax: maxPrice,
          ...(minVcpus === undefined ? {} : { vcpusMin: minVcpus }),
          ...(minMemory === undefined ? {} : { memoryMiBMin: minMemory }),
          ...(cooldown === undefined ? {} : { cooldownMinutes: Math.ceil(cooldown / 60) }),
          ...(notice === undefined ? {} : { noticeMinutes: Math.ceil(notice / 60) }),
        },
      });
      await show(session, value, text);
    },
  });
}

async function show({ out }: Session, value: Recommendation, name: string): Promise<void> {
  await out.show({ value, ids: [value.leaseId], text: () => recommendationText(value, name) });
}

const adviceText: Readonly<Record<Recommendation["advice"], string>> = {
  grow: "it needs more than it has",
  shrink: "it has far more than it uses",
  keep: "it is of the right size",
  unknown: "nobody saw yet what it uses",
};

function recommendationText(value: Recommendation, name: string): string {
  const { recommended, automatic, live, cpus, memoryMiB, advice } = value;
  const next =
    recommended === null || automatic !== null || advice === "keep"
      ? ""
      : `To do so: millrace lease resize ${name} --flavor ${recommended.flavor}\n`;
  return (
    fields([
      ["Lease", name],
      ["Advice", adviceText[advice]],
      ["Has", sizeText(value.current)],
      ["Should have", recommended === null ? undefined : sizeText(recommended)],
      ["CPUs", cpus === null ? "not seen" : `${cpus.target} (${cpus.lower} to ${cpus.upper})`],
      [
        "Memory",
        memoryMiB === null
          ? "not seen"
          : `${mebibytes(memoryMiB.target)} (${mebibytes(memoryMiB.lower)} to ${mebibytes(memoryMiB.upper)})`,
      ],
      ["Confidence", `${value.confidence}, after ${value.days} days`],
      [
        "Without restart",
        recommended === null ? undefined : live.can ? "yes" : `no: ${live.because ?? ""}`,
      ],
      ["Seen", time(value.seenAt)],
      ...automaticFields(automatic),
    ]) + next
  );
}

function automaticFields(
  automatic: Recommendation["automatic"],
): readonly (readonly [string, string | undefined])[] {
  if (automatic === null) return [["By itself", "no"]];
  const { vcpusMin, vcpusMax, memoryMiBMin, memoryMiBMax, hourlyMax, announced } = automatic;
  return [
    [
      "By itself",
      `${vcpusMin} to ${vcpusMax} CPUs, ${mebibytes(memoryMiBMin)} to ${mebibytes(memoryMiBMax)}, at most ${money(hourlyMax)} per hour`,
    ],
    [
      "Announced",
      announced === null
        ? undefined
        : `${announced.flavor} for ${money(announced.hourly)} per hour, after ${time(announced.at)}`,
    ],
    ["Next", automatic.next],
    ["Resized", automatic.resizedAt === null ? undefined : time(automatic.resizedAt)],
    ["Refused", automatic.refusal === null ? undefined : because(automatic.refusal)],
  ];
}

function sizeText({ flavor, vcpus, memoryMiB, diskGiB, hourly }: Size): string {
  return `${flavor}: ${vcpus} vCPU, ${mebibytes(memoryMiB)}, ${diskGiB} GiB disk, ${money(hourly)} per hour`;
}
