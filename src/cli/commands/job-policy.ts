/** For the operator: `job-policy show|set`. */
import type { Command } from "commander";
import { z } from "zod";

import { define, flag, group, manyFlag, noArguments, noOptions, type Shell } from "#cli/define.ts";
import { fields } from "#cli/table.ts";
import { duration, yesNo } from "#cli/text.ts";
import { count, seconds } from "#cli/values.ts";
import type { AnswerOf } from "#client/types.ts";
import { jobPolicyBody } from "#contract/schemas/job-policy.ts";
import { Failure } from "#kernel/failure.ts";

type Policy = AnswerOf<"getJobPolicy">;

const setOptions = z.object({
  preemption: flag(
    "--preemption <on|off>",
    "whether anybody is preempted",
    z.enum(["on", "off"]).optional(),
  ),
  rule: manyFlag(
    "--rule <waiting:running>",
    "work of the first class may end jobs of the second; these are all then",
    z.array(z.string()).default([]),
  ),
  victims: flag(
    "--victims <whom>",
    "marked: jobs that said they are preemptible; any: others of those classes too",
    z.enum(["marked", "any"]).optional(),
  ),
  atOnce: flag("--at-once <n>", "jobs that end for one entry", count.optional()),
  perJob: flag("--per-job <n>", "how often one job is preempted in all", count.optional()),
  ran: flag("--ran <time>", "who ran less is left alone", seconds.optional()),
  waited: flag(
    "--waited <time>",
    "how long an entry waits before anything ends for it",
    seconds.optional(),
  ),
  notice: flag("--notice <time>", "from the word to the end, such as 60s", seconds.optional()),
  timeLimit: flag("--time-limit <time>", "the longest that a job may run", seconds.optional()),
  silent: flag(
    "--silent <time>",
    "a guest that answers nobody for so long is dead",
    seconds.optional(),
  ),
  hostDown: flag(
    "--host-down <time>",
    "once its host is down for so long, a job goes on elsewhere",
    seconds.optional(),
  ),
  cpuPressure: flag(
    "--cpu-pressure <percent>",
    "of a minute in which work waits for a CPU; above it an alert is raised",
    count.optional(),
  ),
});

export function addJobPolicy(program: Command, shell: Shell): void {
  const policy = group(program, "job-policy", "Who may preempt whom, and how long a job may run");

  define(policy, shell, {
    usage: "show",
    summary: "What holds now",
    args: noArguments,
    options: noOptions,
    act: async ({ client, out }) => {
      const value = await client.call("getJobPolicy");
      await out.show({ value, ids: [], text: () => policyText(value) });
    },
  });

  define(policy, shell, {
    usage: "set",
    summary: "Change it; what is left out stays as it is",
    args: noArguments,
    options: setOptions,
    examples: [
      "millrace job-policy set --notice 120s --time-limit 48h",
      "millrace job-policy set --rule diamond:ordinary --per-job 1",
      "millrace job-policy set --preemption off",
    ],
    act: async ({ client, out }, _args, options) => {
      const { preemption, rule, victims, atOnce, perJob, ran, waited } = options;
      const body = jobPolicyBody.parse({
        preemption: {
          enabled: preemption === undefined ? undefined : preemption === "on",
          rules: rule.length === 0 ? undefined : rule.map(ruleOf),
          victims,
          atOnceMax: atOnce,
          perJobMax: perJob,
          ranSecondsMin: ran,
          waitedSecondsMin: waited,
        },
        noticeSeconds: options.notice,
        timeLimitSecondsMax: options.timeLimit,
        silentSecondsMax: options.silent,
        hostDownSecondsMax: options.hostDown,
        cpuPressurePercentMax: options.cpuPressure,
      });
      const value = await client.call("setJobPolicy", { body });
      await out.show({ value, ids: [], text: () => policyText(value) });
    },
  });
}

function ruleOf(text: string): { readonly waiting: string; readonly running: string } {
  const [waiting = "", running = "", ...rest] = text.split(":");
  if (waiting === "" || running === "" || rest.length > 0) {
    throw new Failure(
      "invalid_request",
      `A rule is WAITING:RUNNING, such as diamond:ordinary, and not ${JSON.stringify(text)}.`,
    );
  }
  return { waiting, running };
}

function policyText({ preemption, ...policy }: Policy): string {
  const rules = preemption.rules.map(({ waiting, running }) => `${waiting} over ${running}`);
  return fields([
    ["Preemption", yesNo(preemption.enabled)],
    ["Rules", rules.length === 0 ? "none" : rules.join(", ")],
    ["Victims", preemption.victims === "marked" ? "preemptible jobs only" : "any job"],
    ["At once", `${preemption.atOnceMax}`],
    ["Per job", `${preemption.perJobMax}`],
    ["After running", duration(preemption.ranSecondsMin * 1000)],
    ["After waiting", duration(preemption.waitedSecondsMin * 1000)],
    ["Notice", duration(policy.noticeSeconds * 1000)],
    ["Time limit", duration(policy.timeLimitSecondsMax * 1000)],
    ["Dead after", duration(policy.silentSecondsMax * 1000)],
    ["Host down", duration(policy.hostDownSecondsMax * 1000)],
    ["CPU pressure", `${policy.cpuPressurePercentMax} %`],
  ]);
}
