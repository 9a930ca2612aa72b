/** Waiting for a job, and following its log over dropped connections. */
import { z } from "zod";

import { pause } from "#client/deadline.ts";
import type { Job } from "#contract/schemas/jobs.ts";

import { hasEnded } from "./job-text.ts";
import { jsonOrUndefined } from "./json.ts";
import { startProgress } from "./progress.ts";
import type { Session } from "./session.ts";

const firstPollMs = 250;
const pollMsMax = 3000;

/** Until the job has ended: a job has its own time limit, so this needs none. */
export async function waitForJob(session: Session, jobId: string): Promise<Job> {
  const progress = startProgress(process.stderr, "the job waits");
  try {
    for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMsMax, pollMs * 1.3)) {
      const job = await session.client.call("getJob", { params: { jobId } });
      if (hasEnded(job)) return job;
      const why = job.reason === null ? "" : ` (${job.reason.message})`;
      progress.say(`${job.name} is ${job.state}${why}`);
      await pause(pollMs, session.signal);
    }
  } catch (error) {
    if (session.signal.aborted) {
      session.out.note(`\nThe job goes on. To wait further: millrace job logs -f ${jobId}\n`);
    }
    throw error;
  } finally {
    progress.end();
  }
}

/** What the server puts into one event of a log: text, or bytes that are none. */
const logPiece = z.union([
  z.object({ text: z.string() }).transform(({ text }) => Buffer.from(text)),
  z.object({ base64: z.string() }).transform(({ base64 }) => Buffer.from(base64, "base64")),
]);

interface LogRange {
  readonly member?: number;
  readonly attempt?: number;
  readonly offset?: number;
}

/** The log on stdout until the job ends; a dropped connection is made again and nothing repeats. */
export async function followLog(session: Session, jobId: string, range: LogRange): Promise<void> {
  const request = { params: { jobId }, query: range };
  const events = session.client.events("followJobLog", request, {
    signal: session.signal,
    onReconnect: () => {
      if (session.environment.debug) session.out.note("\n[connecting again]\n");
    },
  });
  for await (const event of events) {
    if (event.event === "end") return;
    const piece = logPiece.safeParse(jsonOrUndefined(event.data));
    if (piece.success) await session.out.write(piece.data);
  }
}

/** What there is of the log. */
export async function printLog(session: Session, jobId: string, range: LogRange): Promise<void> {
  let offset = range.offset ?? 0;
  for (;;) {
    const answer = await session.client.bytes("readJobLog", {
      params: { jobId },
      query: { ...range, offset },
    });
    let received = 0;
    for await (const chunk of answer.chunks) {
      received += chunk.byteLength;
      await session.out.write(chunk);
    }
    // The server may give a long log in parts: nothing more is there when a part is empty.
    if (received === 0 || answer.logOffset === undefined) return;
    offset = answer.logOffset;
  }
}
