/** Looking at jobs and ending them: `job list|show|wait|cancel`. */
import type { Command } from "commander";
import { z } from "zod";

import {
  define,
  flag,
  listOptions,
  noArguments,
  noOptions,
  oneArgument,
  type Shell,
} from "#cli/define.ts";
import { jobCostsText } from "#cli/job-costs.ts";
import { endText, exitCodeOf, jobSummary, jobText, lastEnd } from "#cli/job-text.ts";
import { waitForJob } from "#cli/job-wait.ts";
import { collect, listText } from "#cli/lists.ts";
import { kinds, resolve } from "#cli/resolve.ts";
import type { Column } from "#cli/table.ts";
import { between, gpu, shortId, time } from "#cli/text.ts";
import { jobState, type Job } from "#contract/schemas/jobs.ts";

const columns: readonly Column<Job>[] = [
  { title: "NAME", cell: (job) => job.name },
  { title: "STATE", cell: (job) => job.state },
  { title: "END", cell: (job) => endText(lastEnd(job)) },
  { title: "FLAVOR", cell: (job) => job.flavor.name },
  { title: "GPU", cell: (job) => gpu(job.flavor.gpu) },
  { title: "CREATED", cell: (job) => time(job.createdAt) },
  { title: "TOOK", cell: (job) => between(job.createdAt, job.endedAt), right: true },
  { title: "ID", cell: (job) => shortId(job.id) },
];

export function addJobs(parent: Command, shell: Shell): void {
  define(parent, shell, {
    usage: "list",
    alias: "ls",
    summary: "Jobs, newest first",
    args: noArguments,
    options: listOptions.extend({
      state: flag(
        "--state <state>",
        `only those: ${jobState.options.join(", ")}`,
        jobState.optional(),
      ),
      project: flag("--project <project>", "only of this project", z.string().optional()),
    }),
    act: async (session, _args, { state, project, limit }) => {
      const query = {
        ...(state === undefined ? {} : { state }),
        ...(project === undefined
          ? {}
          : { projectId: await resolve(session, kinds.project, project) }),
      };
      const found = await collect(session.client.items("listJobs", { query }), { limit });
      await session.out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(columns, found, "No jobs. Submit one with: millrace job submit"),
      });
    },
  });

  define(parent, shell, {
    usage: "show <job>",
    summary: "One job with its attempts, by name or id",
    args: oneArgument,
    options: noOptions,
    act: async (session, [text]) => {
      const jobId = await resolve(session, kinds.job, text);
      const value = await session.client.call("getJob", { params: { jobId } });
      await session.out.show({ value, ids: [value.id], text: () => jobText(value) });
    },
  });

  define(parent, shell, {
    usage: "costs <job>",
    summary: "What each attempt of a job used, its prices, and what that comes to",
    args: oneArgument,
    options: noOptions,
    act: async (session, [text]) => {
      const jobId = await resolve(session, kinds.job, text);
      const value = await session.client.call("getJobCosts", { params: { jobId } });
      await session.out.show({ value, ids: [jobId], text: () => jobCostsText(value) });
    },
  });

  define(parent, shell, {
    usage: "request <job>",
    summary: "What a job was submitted with, as JSON; changed, it goes to 'job submit --batch -'",
    args: oneArgument,
    options: noOptions,
    examples: ["millrace job request training > again.json"],
    act: async (session, [text]) => {
      const jobId = await resolve(session, kinds.job, text);
      const value = await session.client.call("getJobRequest", { params: { jobId } });
      await session.out.show({ value, ids: [jobId], text: () => `${JSON.stringify(value)}\n` });
    },
  });

  define(parent, shell, {
    usage: "wait <job>",
    summary: "Wait until a job has ended; the exit status becomes the job's",
    args: oneArgument,
    options: noOptions,
    act: async (session, [text]) => {
      const jobId = await resolve(session, kinds.job, text);
      const value = await waitForJob(session, jobId);
      await session.out.show({ value, ids: [value.id], text: () => jobSummary(value) });
      session.setExitCode(exitCodeOf(value));
    },
  });

  define(parent, shell, {
    usage: "cancel <job>",
    summary: "Stop a job; what ran is billed",
    args: oneArgument,
    options: z.object({
      wait: flag("--no-wait", "do not wait until it has ended", z.boolean().default(true)),
    }),
    act: async (session, [text], { wait }) => {
      const jobId = await resolve(session, kinds.job, text);
      const asked = await session.client.call("cancelJob", { params: { jobId } });
      const value = wait ? await waitForJob(session, jobId) : asked;
      await session.out.show({ value, ids: [value.id], text: () => jobSummary(value) });
    },
  });
}
