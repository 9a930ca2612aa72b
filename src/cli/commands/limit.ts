/** `limit show|set|share` */
import type { Command } from "commander";
import { z } from "zod";

import { define, flag, group, noArguments, noOptions, type Shell } from "#cli/define.ts";
import { table } from "#cli/table.ts";
import { count } from "#cli/values.ts";
import type { AnswerOf } from "#client/types.ts";
import { setLimitBody, setShareCapBody } from "#contract/schemas/limits.ts";

type Limits = AnswerOf<"listLimits">;

const setOptions = z.object({
  project: flag("--project <id>", "of this project instead of the customer", z.uuid().optional()),
  gpu: flag("--gpu <model>", "of this GPU model; cpu for work without GPU", z.string().optional()),
  gpus: flag("--gpus <n>", "held at one time; a slice counts as its part", z.string().optional()),
  hours: flag("--hours <n>", "GPU-hours of a calendar month", count.optional()),
  money: flag("--money <amount>", "CNY of a calendar month, for all work", z.string().optional()),
});

export function addLimit(program: Command, shell: Shell): void {
  const limit = group(program, "limit", "What may be held at one time and used in a month");

  define(limit, shell, {
    usage: "show",
    summary: "Limits of the customer and of projects, and the share that one customer may hold",
    args: noArguments,
    options: noOptions,
    act: async ({ client, out }) => {
      const value = await client.call("listLimits");
      await out.show({ value, ids: [], text: () => limitsText(value) });
    },
  });

  define(limit, shell, {
    usage: "set",
    summary: "Say all of one limit; what is left out is not limited, with nothing it goes",
    args: noArguments,
    options: setOptions,
    examples: [
      "millrace --tenant acme limit set --gpu A100 --gpus 16",
      "millrace limit set --project 0190a5a0-0000-7000-8000-000000000001 --money 500",
    ],
    act: async ({ client, out }, _args, options) => {
      const body = setLimitBody.parse({
        gpuModel: options.gpu,
        gpusMax: options.gpus === undefined ? undefined : Number(options.gpus),
        gpuHoursPerMonth: options.hours,
        moneyPerMonth: options.money,
      });
      const value =
        options.project === undefined
          ? await client.call("setLimit", { body })
          : await client.call("setProjectLimit", { params: { projectId: options.project }, body });
      await out.show({ value, ids: [], text: () => limitsText(value) });
    },
  });

  define(limit, shell, {
    usage: "share <percent>",
    summary: "For the operator: the share of all GPUs of a model that one customer may hold",
    args: z.tuple([count]),
    options: z.object({
      gpu: flag(
        "--gpu <model>",
        "of this model; of all others when left out",
        z.string().optional(),
      ),
    }),
    examples: ["millrace limit share 50", "millrace limit share 25 --gpu H100"],
    act: async ({ client, out }, [percent], { gpu }) => {
      const body = setShareCapBody.parse({ gpuModel: gpu, percent });
      const value = await client.call("setShareCap", { body });
      await out.show({ value, ids: [], text: () => limitsText(value) });
    },
  });
}

function limitsText({ limits, shares }: Limits): string {
  const listed = table(
    [
      { title: "PROJECT", cell: (limit) => limit.projectId ?? "all" },
      { title: "GPU", cell: (limit) => limit.gpuModel ?? "all" },
      { title: "GPUS", cell: (limit) => limit.gpusMax ?? "-", right: true },
      { title: "GPU-HOURS/MONTH", cell: (limit) => limit.gpuHoursPerMonth ?? "-", right: true },
      { title: "CNY/MONTH", cell: (limit) => limit.moneyPerMonth ?? "-", right: true },
    ],
    limits,
  );
  const caps = shares.map(({ gpuModel, percent }) =>
    gpuModel === "*"
      ? `One customer may hold ${percent} % of the GPUs of a model.\n`
      : `Of ${gpuModel}, one customer may hold ${percent} %.\n`,
  );
  return [limits.length === 0 ? "No limits are set.\n" : listed, ...caps].join("");
}
