/** A job with an input file: its log streams, its result comes back. */
import { z } from "zod";

import { Failure } from "#kernel/failure.ts";
import type { Client } from "#client/client.ts";

import type { Seen } from "./check.ts";
import type { Stage } from "./stage.ts";

const script = [
  "#!/bin/sh",
  'echo "counting on $(hostname)"',
  "for step in 1 2 3; do echo step $step; sleep 0.3; done",
  'wc -l < numbers.txt > "$MILLRACE_RESULTS/count.txt"',
  'echo "counted $(cat "$MILLRACE_RESULTS/count.txt") lines"',
].join("\n");

export async function playJob(client: Client, stage: Stage): Promise<Seen> {
  const input = await stage.step("It uploads an input file", async () =>
    client.upload("uploadFile", {
      query: { name: "numbers.txt" },
      content: new Blob([`${Array.from({ length: 1000 }, (_, n) => n).join("\n")}\n`]),
    }),
  );
  const job = await stage.step("It submits a job, whose log streams", async () => {
    const submittedAt = performance.now();
    const submitted = await client.call("createJob", {
      body: { name: "tour-job", flavor: "nano", script, inputs: [input.id], timeLimitSeconds: 300 },
    });
    const log: string[] = [];
    let firstMs: number | undefined;
    for await (const event of client.events("followJobLog", {
      params: { jobId: submitted.id },
    })) {
      const text = textOf(event.data);
      if (text === "") continue;
      firstMs ??= performance.now() - submittedAt;
      log.push(text);
    }
    stage.fact(`first line after ${((firstMs ?? 0) / 1000).toFixed(2)} s`);
    stage.fact(log.join(""));
    return client.call("getJob", { params: { jobId: submitted.id } });
  });
  await stage.step("Its result comes back", async () => {
    if (job.state !== "succeeded") {
      throw new Failure("internal", `The job ended as ${job.state}: ${job.reason?.message ?? ""}`);
    }
    const { chunks } = await client.bytes("downloadJobResults", { params: { jobId: job.id } });
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    const tar = Buffer.concat(parts).toString("latin1");
    if (!tar.includes("count.txt") || !tar.includes("1000\n")) {
      throw new Failure("internal", "The results do not hold the count of 1000 lines.");
    }
    stage.fact(`${tar.length} bytes of tar with count.txt: 1000`);
  });
  const attempt = job.attempts.at(-1);
  return {
    what: "job",
    resourceId: job.id,
    from: Date.parse(attempt?.startedAt ?? ""),
    until: Date.parse(attempt?.endedAt ?? ""),
  };
}

const logEvent = z.object({ text: z.string() });

/** Each event carries a piece of the log; the others say that it is over. */
function textOf(data: string): string {
  const parsed = logEvent.safeParse(JSON.parse(data === "" ? "{}" : data));
  return parsed.success ? parsed.data.text : "";
}
