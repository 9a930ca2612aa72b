/** `job submit`: a script or a command, with its files; then, if asked to, its log and its end; or many at once. */
import { basename } from "node:path";

import type { Command } from "commander";
import { z } from "zod";

import { besideOf, besideOptions } from "#cli/beside.ts";
import { define, flag, manyFlag, type Shell } from "#cli/define.ts";
import { openFile, readTextFile } from "#cli/files.ts";
import { exitCodeOf, jobSummary } from "#cli/job-text.ts";
import { followLog, waitForJob } from "#cli/job-wait.ts";
import { kinds, resolve } from "#cli/resolve.ts";
import type { Session } from "#cli/session.ts";
import { pairs, seconds } from "#cli/values.ts";
import { ApiFailure } from "#client/problem.ts";
import type { RequestOf } from "#client/types.ts";
import { Failure } from "#kernel/failure.ts";

import { submitBatch } from "./job-batch.ts";

const submitOptions = z.object({
  flavor: flag("--flavor <name>", "what it runs on; see 'millrace offers'", z.string().optional()),
  name: flag(
    "--name <name>",
    "its name (default: the script's or the command's)",
    z.string().optional(),
  ),
  image: flag(
    "--image <name>",
    "what its machine starts from (default tiny)",
    z.string().optional(),
  ),
  project: flag("--project <project>", "name or id (default: default)", z.string().optional()),
  input: manyFlag(
    "--input <file>",
    "a file to lay into its work directory; may be repeated",
    z.array(z.string()).default([]),
  ),
  stored: manyFlag(
    "--stored <file>",
    "the same, for a file that was uploaded before, by name or id",
    z.array(z.string()).default([]),
  ),
  env: manyFlag("--env <NAME=VALUE>", "a variable of its environment; may be repeated", pairs),
  framework: flag(
    "--framework <name>",
    "pytorch or tensorflow",
    z.enum(["none", "pytorch", "tensorflow"]).optional(),
  ),
  timeLimit: flag(
    "--time-limit <time>",
    "when it is ended if it still runs, such as 2h (default and most: what the operator allows, usually 72h)",
    seconds.optional(),
  ),
  expected: flag(
    "--expected <time>",
    "how long it will take, as far as you know: short work waits less",
    seconds.optional(),
  ),
  deadline: flag(
    "--deadline <time>",
    "when it should have ended, such as 2026-05-04T18:00:00+08:00: it comes forward in the queue",
    z.iso.datetime({ offset: true }).optional(),
  ),
  retries: flag(
    "--retries <n>",
    "how often an attempt lost to a fault of the platform is tried again (default 2)",
    z.coerce.number().int().min(0).max(10).optional(),
  ),
  preemptible: flag(
    "--preemptible",
    "it may be told to make room for work of a higher class, and goes on later",
    z.boolean().default(false),
  ),
  checkpoint: flag(
    "--checkpoint <command>",
    "a shell line that saves the work into $MILLRACE_CHECKPOINT when it is told to end early",
    z.string().optional(),
  ),
  members: flag(
    "--members <n>",
    "so many machines that start together or not at all; each is told its RANK and WORLD_SIZE",
    z.coerce.number().int().min(1).optional(),
  ),
  spread: flag(
    "--spread",
    "with --members: each on a host of its own (default: close together)",
    z.boolean().default(false),
  ),
  ...besideOptions,
  wait: flag(
    "--wait",
    "wait until it has ended; the exit status becomes the job's",
    z.boolean().default(false),
  ),
  follow: flag(
    "-f, --follow",
    "the same, with its log on stdout meanwhile",
    z.boolean().default(false),
  ),
  batch: flag(
    "--batch <file>",
    "many jobs at once: a JSON array, or one job in each line ('-' is stdin)",
    z.string().optional(),
  ),
  allOrNone: flag(
    "--all-or-none",
    "with --batch: one that is refused refuses all",
    z.boolean().default(false),
  ),
});

type SubmitOptions = z.output<typeof submitOptions>;
type JobBody = RequestOf<"createJob">["body"];

export function addJobSubmit(parent: Command, shell: Shell): void {
  define(parent, shell, {
    usage: "submit [script] [command...]",
    summary: "Submit a job: a script file, or a command after '--'",
    args: z.array(z.string()),
    options: submitOptions,
    examples: [
      "millrace job submit train.sh --flavor small --input data.csv --follow",
      "millrace job submit --flavor small --env EPOCHS=3 --time-limit 2h -- python3 train.py",
      "millrace job submit train.sh --flavor small --preemptible --checkpoint 'cp model.pt $MILLRACE_CHECKPOINT'",
      "millrace job submit train.sh --flavor a100.1 --members 4 --spread",
      "echo 'uname -a' | millrace job submit - --flavor small --name probe --wait",
      "millrace job submit --batch jobs.jsonl --all-or-none",
    ],
    more: "A job of a batch is the body of 'createJob': millrace api createJob --schema. Each is answered by\nitself; more than 500 are sent in several requests.\nThe exit status with --wait or --follow: the job's own; 128+n ended by signal n;\n124 time limit; 143 canceled; 75 lost to the platform.\n",
    act: async (session, args, options, rest) => {
      const { batch, allOrNone, ...alone } = options;
      if (batch !== undefined) {
        requireNothingElse(args, alone);
        await submitBatch(session, { path: batch, allOrNone });
        return;
      }
      const { flavor } = options;
      if (flavor === undefined) {
        throw new Failure(
          "invalid_request",
          "--flavor: say what it runs on; see 'millrace offers'.",
        );
      }
      const work = await workOf(args.slice(0, args.length - rest.length), rest);
      const uploaded = await upload(session, options.input);
      const body = await bodyOf(session, { work, flavor, uploaded, options });
      const job = await submit(session, body, uploaded);
      if (options.follow) await followLog(session, job.id, {});
      if (!options.follow && !options.wait) {
        await session.out.show({
          value: job,
          ids: [job.id],
          text: () => `${jobSummary(job)}Its log: millrace job logs -f ${job.id}\n`,
        });
        return;
      }
      const ended = await waitForJob(session, job.id);
      if (options.follow && session.out.format === "table") session.out.note(jobSummary(ended));
      else await session.out.show({ value: ended, ids: [ended.id], text: () => jobSummary(ended) });
      session.setExitCode(exitCodeOf(ended));
    },
  });
}

/** A job of a batch says for itself what the options say of a single one. */
function requireNothingElse(
  args: readonly string[],
  alone: Omit<SubmitOptions, "batch" | "allOrNone">,
): void {
  const said = Object.values(alone).some((value) =>
    typeof value === "object" ? Object.keys(value).length > 0 : (value ?? false) !== false,
  );
  if (!said && args.length === 0) return;
  throw new Failure(
    "invalid_request",
    "With --batch, each job in the file says its own flavor, script or command, inputs and so on.",
  );
}

type Work = { readonly defaultName: string } & (
  | { readonly script: string }
  | { readonly command: string[] }
);

async function workOf(scripts: readonly string[], command: readonly string[]): Promise<Work> {
  const [script] = scripts;
  const [program] = command;
  if (scripts.length > 1) {
    throw new Failure(
      "invalid_request",
      "One script at a time. A command with arguments stands after '--'.",
    );
  }
  if ((script === undefined) === (program === undefined)) {
    throw new Failure("invalid_request", "Give either a script file, or a command after '--'.");
  }
  if (program !== undefined) return { defaultName: nameFrom(program), command: [...command] };
  const path = script ?? "-";
  return { defaultName: path === "-" ? "job" : nameFrom(path), script: await readTextFile(path) };
}

/** A DNS label from a file's name: "Train_v2.sh" is "train-v2". */
function nameFrom(path: string): string {
  const stem = basename(path)
    .replace(/\.[^.]*$/, "")
    .toLowerCase();
  const label = stem
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, 63)
    .replace(/-+$/, "");
  return label === "" ? "job" : label;
}

async function upload(session: Session, paths: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const path of paths) {
    const content = await openFile(path);
    const stored = await session.client.upload("uploadFile", {
      query: { name: basename(path) },
      content,
    });
    ids.push(stored.id);
  }
  return ids;
}

async function bodyOf(
  session: Session,
  {
    work,
    flavor,
    uploaded,
    options,
  }: {
    readonly work: Work;
    readonly flavor: string;
    readonly uploaded: readonly string[];
    readonly options: SubmitOptions;
  },
): Promise<JobBody> {
  const { image, project, framework, timeLimit, retries } = options;
  const stored: string[] = [];
  for (const text of options.stored) stored.push(await resolve(session, kinds.file, text));
  return {
    name: options.name ?? work.defaultName,
    flavor,
    ...("script" in work ? { script: work.script } : { command: work.command }),
    environment: options.env,
    inputs: [...uploaded, ...stored],
    ...(image === undefined ? {} : { image }),
    ...(project === undefined ? {} : { projectId: await resolve(session, kinds.project, project) }),
    ...(framework === undefined ? {} : { framework }),
    ...(timeLimit === undefined ? {} : { timeLimitSeconds: timeLimit }),
    ...(options.expected === undefined ? {} : { expectedSeconds: options.expected }),
    ...(options.deadline === undefined ? {} : { deadline: options.deadline }),
    ...(retries === undefined ? {} : { platformRetriesMax: retries }),
    ...(options.preemptible ? { preemptible: true } : {}),
    ...(options.checkpoint === undefined ? {} : { checkpoint: options.checkpoint }),
    ...(options.members === undefined ? {} : { members: options.members }),
    ...(options.spread ? { membersHow: "spread" } : {}),
    ...besideOf(options),
  };
}

/** Files of a job that was refused would lie in the tenant's storage for nothing. */
async function submit(
  session: Session,
  body: JobBody,
  uploaded: readonly string[],
): Promise<Awaited<ReturnType<typeof waitForJob>>> {
  try {
    return await session.client.call("createJob", { body });
  } catch (error) {
    if (error instanceof ApiFailure && error.status < 500) {
      const removals = uploaded.map((fileId) =>
        session.client.call("deleteFile", { params: { fileId } }),
      );
      await Promise.allSettled(removals);
    }
    throw error;
  }
}
