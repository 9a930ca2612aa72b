/** A job in a real machine makes room for another one and goes on from what it saved. */
import { expect, test, vi } from "vitest";

import type { Client } from "#client/client.ts";
import type { Job } from "#contract/schemas/jobs.ts";

import { addCustomer, startCloud } from "./cloud.ts";

// Room for one machine at a time.
const cloud = await startCloud("--warm-start", "off", "--local-cpus", "1");
const acme = await addCustomer(cloud, "acme");
const globex = await addCustomer(cloud, "globex");

function until(client: Client, id: string, isThere: (job: Job) => boolean): Promise<Job> {
  return vi.waitFor(
    async () => {
      const found = await client.call("getJob", { params: { jobId: id } });
      if (!isThere(found)) throw new Error(JSON.stringify(found));
      return found;
    },
    { timeout: 150_000, interval: 100 },
  );
}

/** What has come home of a log; empty before there is one. */
async function logOf(client: Client, id: string, attempt: number): Promise<string> {
  const { chunks } = await client.bytes("readJobLog", {
    params: { jobId: id },
    query: { attempt },
  });
  const parts: Uint8Array[] = [];
  for await (const part of chunks) parts.push(part);
  return Buffer.concat(parts).toString();
}

test("S-05: the checkpoint command of a real guest runs within its notice, and the next attempt finds the file", async () => {
  await cloud.client(cloud.operatorKey).call("setJobPolicy", {
    body: {
      noticeSeconds: 60,
      preemption: {
        rules: [{ waiting: "ordinary", running: "ordinary" }],
        perJobMax: 1,
        ranSecondsMin: 0,
        waitedSecondsMin: 0,
      },
    },
  });
  const [first, second] = [acme.client(), globex.client()];
  const victim = await first.call("createJob", {
    body: {
      name: "train",
      flavor: "nano",
      script: [
        'if [ -e "$MILLRACE_CHECKPOINT/step" ]; then',
        '  echo "attempt $MILLRACE_ATTEMPT goes on from $(cat "$MILLRACE_CHECKPOINT/step")"; exit 0',
        "fi",
        "echo begun",
        "while :; do sleep 0.2; done",
      ].join("\n"),
      preemptible: true,
      checkpoint: 'echo saving; echo 17 > "$MILLRACE_CHECKPOINT/step"',
    },
  });
  await until(first, victim.id, ({ state }) => state === "running");
  await vi.waitFor(async () => expect(await logOf(first, victim.id, 1)).toContain("begun"), {
    timeout: 60_000,
    interval: 100,
  });
  const winner = await second.call("createJob", {
    body: { name: "urgent", flavor: "nano", command: ["/bin/true"] },
  });
  expect((await until(second, winner.id, ({ endedAt }) => endedAt !== null)).state).toBe(
    "succeeded",
  );
  const done = await until(first, victim.id, ({ endedAt }) => endedAt !== null);
  expect(done).toMatchObject({
    state: "succeeded",
    attempts: [
      { end: { kind: "preempted" }, billable: true },
      { end: { kind: "exited", exitCode: 0 }, billable: true },
    ],
    preemptions: [{ attempt: 1, cause: "preemption", state: "done" }],
  });
  const endedAt = Date.parse(done.attempts[0]?.endedAt ?? "");
  expect(endedAt).toBeLessThan(Date.parse(done.preemptions[0]?.noticeUntil ?? ""));
  expect(await logOf(first, victim.id, 1)).toBe("begun\nsaving\n");
  expect(await logOf(first, victim.id, 2)).toBe("attempt 2 goes on from 17\n");
});
