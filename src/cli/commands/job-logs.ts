/** What a job leaves behind: `job logs|results`. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";

import type { Command } from "commander";
import { z } from "zod";

import { define, flag, oneArgument, type Shell } from "#cli/define.ts";
import { pour, saveTo } from "#cli/files.ts";
import { followLog, printLog } from "#cli/job-wait.ts";
import { kinds, resolve } from "#cli/resolve.ts";
import { bytes } from "#cli/text.ts";
import { Failure } from "#kernel/failure.ts";

const member = flag(
  "--member <rank>",
  "of a job with several members: of this one (default: 0)",
  z.coerce.number().int().min(0).optional(),
);

const logOptions = z.object({
  member,
  follow: flag("-f, --follow", "go on until the job ends", z.boolean().default(false)),
  attempt: flag(
    "--attempt <n>",
    "of this attempt (default: the last)",
    z.coerce.number().int().min(1).optional(),
  ),
  offset: flag("--offset <bytes>", "from here on", z.coerce.number().int().min(0).optional()),
});

const resultOptions = z.object({
  member,
  to: flag(
    "--to <file>",
    "where to write the tar file ('-' is stdout; default: NAME-results.tar)",
    z.string().optional(),
  ),
  extract: flag(
    "-x, --extract <directory>",
    "unpack into this directory instead (with the system's tar)",
    z.string().optional(),
  ),
  force: flag("--force", "replace an existing file", z.boolean().default(false)),
});

export function addJobLogs(parent: Command, shell: Shell): void {
  define(parent, shell, {
    usage: "logs <job>",
    summary: "What a job has printed",
    args: oneArgument,
    options: logOptions,
    examples: [
      "millrace job logs train",
      "millrace job logs train --follow",
      "millrace job logs train --member 3",
    ],
    act: async (session, [text], { follow, attempt, offset, ...of }) => {
      const jobId = await resolve(session, kinds.job, text);
      const range = {
        ...(of.member === undefined ? {} : { member: of.member }),
        ...(attempt === undefined ? {} : { attempt }),
        ...(offset === undefined ? {} : { offset }),
      };
      await (follow ? followLog : printLog)(session, jobId, range);
    },
  });

  define(parent, shell, {
    usage: "results <job>",
    summary: "The results directory of a job",
    args: oneArgument,
    options: resultOptions,
    examples: [
      "millrace job results train",
      "millrace job results train --extract ./out",
      "millrace job results train --to - | tar -t",
    ],
    act: async (session, [text], { to, extract, force, ...of }) => {
      const { client, out, signal } = session;
      const jobId = await resolve(session, kinds.job, text);
      const job = await client.call("getJob", { params: { jobId } });
      const query = of.member === undefined ? {} : { member: of.member };
      const answer = await client.bytes(
        "downloadJobResults",
        { params: { jobId }, query },
        { signal },
      );
      if (to === "-") {
        await pour(out, answer.chunks);
        return;
      }
      if (extract !== undefined) {
        const size = await unpackInto(extract, answer.chunks);
        await out.show({
          value: { directory: extract, bytes: size },
          ids: [extract],
          text: () => `Unpacked ${bytes(size)} into ${extract}.\n`,
        });
        return;
      }
      const whose = of.member === undefined ? "" : `-${of.member}`;
      const path = to ?? `${job.name}${whose}-results.tar`;
      const size = await saveTo(path, answer.chunks, { force });
      await out.show({
        value: { file: path, bytes: size },
        ids: [path],
        text: () => `Wrote ${bytes(size)} to ${path}.\n`,
      });
    },
  });
}

/** Only a download that came whole is unpacked. */
async function unpackInto(directory: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  const scratch = await mkdtemp(join(tmpdir(), "millrace-results-"));
  try {
    const file = join(scratch, "results.tar");
    const size = await saveTo(file, chunks, { force: false });
    await mkdir(directory, { recursive: true });
    const tar = spawn(
      "tar",
      ["--extract", "--no-same-owner", "--file", file, "--directory", directory],
      {
        stdio: ["ignore", "ignore", "inherit"],
      },
    );
    const [code] = await once(tar, "exit");
    if (code !== 0)
      throw new Failure("internal", `tar could not unpack the results into ${directory}.`);
    return size;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
