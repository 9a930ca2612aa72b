/** Jobs in real machines, from the API to the guest and back. */
import { expect, test, vi } from "vitest";
import { z } from "zod";

import { readTar } from "#archive/tar.ts";
import type { Client } from "#client/client.ts";
import type { RequestOf } from "#client/types.ts";
import type { Job } from "#contract/schemas/jobs.ts";
import { present } from "#kernel/assert.ts";

import { addCustomer, qemuPid, startCloud } from "./cloud.ts";

const cloud = await startCloud("--warm-start", "off");
const acme = await addCustomer(cloud, "acme");
const endTimeoutMs = 150_000;

const logData = z.union([
  z.object({ text: z.string() }).transform(({ text }) => Buffer.from(text)),
  z.object({ base64: z.string() }).transform(({ base64 }) => Buffer.from(base64, "base64")),
]);

function submit(client: Client, ask: Partial<RequestOf<"createJob">["body"]>): Promise<Job> {
  return client.call("createJob", { body: { name: "job", flavor: "nano", ...ask } });
}

function jobOf(client: Client, id: string): Promise<Job> {
  return client.call("getJob", { params: { jobId: id } });
}

function until(client: Client, id: string, isThere: (job: Job) => boolean): Promise<Job> {
  return vi.waitFor(
    async () => {
      const found = await jobOf(client, id);
      if (!isThere(found)) throw new Error(JSON.stringify(found));
      return found;
    },
    { timeout: endTimeoutMs, interval: 100 },
  );
}

function ended(client: Client, id: string): Promise<Job> {
  return until(client, id, ({ endedAt }) => endedAt !== null);
}

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of chunks) parts.push(part);
  return Buffer.concat(parts);
}

async function logOf(client: Client, id: string, attempt?: number): Promise<string> {
  const query = attempt === undefined ? {} : { attempt };
  const { chunks } = await client.bytes("readJobLog", { params: { jobId: id }, query });
  return (await bytesOf(chunks)).toString();
}

async function resultsOf(client: Client, id: string): Promise<Map<string, string>> {
  const { chunks } = await client.bytes("downloadJobResults", { params: { jobId: id } });
  const files = new Map<string, string>();
  const archive = await bytesOf(chunks);
  const source = async function* (): AsyncGenerator<Buffer> {
    yield archive;
  };
  for await (const { entry, content } of readTar(source())) {
    if (entry.kind === "file") files.set(entry.path, (await bytesOf(content)).toString());
  }
  return files;
}

test("M-JOB-02, ST-03, A-05: a script with an input runs in a machine of its own; log, exit code and results come back", async () => {
  const client = acme.client();
  const input = await client.upload("uploadFile", {
    query: { name: "numbers.txt" },
    content: new Blob(["3\n1\n2\n"]),
  });
  const job = await submit(client, {
    script: [
      "echo begin",
      "printf '\\377\\n'",
      "sort numbers.txt > $MILLRACE_RESULTS/sorted.txt",
      'echo "attempt $MILLRACE_ATTEMPT of $MILLRACE_JOB_ID says $GREETING" >&2',
      "sleep 5",
      "echo end",
    ].join("\n"),
    inputs: [input.id],
    environment: { GREETING: 'it\'s "quoted" $HOME' },
  });
  const pieces: Buffer[] = [];
  for await (const event of client.events("followJobLog", { params: { jobId: job.id } })) {
    if (event.event === "end") continue;
    pieces.push(logData.parse(JSON.parse(event.data)));
  }
  const done = await ended(client, job.id);
  expect(done).toMatchObject({
    state: "succeeded",
    reason: null,
    attempts: [{ number: 1, end: { kind: "exited", exitCode: 0 }, billable: true }],
  });
  const log = Buffer.concat(pieces);
  expect(log.toString("latin1")).toBe(
    `begin\n\u00ff\nattempt 1 of ${job.id} says it's "quoted" $HOME\nend\n`,
  );
  // The beginning was there while the program slept.
  expect(present(pieces[0], "a piece of the log").toString("latin1")).not.toContain("end\n");
  expect((await resultsOf(client, job.id)).get("./sorted.txt")).toBe("1\n2\n3\n");
  expect(await qemuPid(present(done.attempts[0]?.instanceId, "instance"))).toBeUndefined();
});

test("S-07, R-PAYG-7: exit code, signal and time limit are told apart", async () => {
  const client = acme.client();
  const jobs = await Promise.all([
    submit(client, { command: ["/bin/sh", "-c", "echo out; exit 7"] }),
    submit(client, { script: "kill -SEGV $$" }),
    submit(client, { script: "echo began; sleep 600", timeLimitSeconds: 3 }),
  ]);
  const [exited, signaled, timedOut] = await Promise.all(jobs.map(({ id }) => ended(client, id)));
  expect(exited).toMatchObject({
    state: "failed",
    reason: { code: "exited" },
    attempts: [{ end: { kind: "exited", exitCode: 7 }, billable: true }],
  });
  expect(signaled).toMatchObject({
    state: "failed",
    attempts: [{ end: { kind: "signaled", signal: "SIGSEGV" }, billable: true }],
  });
  expect(timedOut).toMatchObject({
    state: "timed_out",
    attempts: [{ end: { kind: "timed_out" }, billable: true }],
  });
  expect(await logOf(client, present(timedOut, "the job").id)).toBe("began\n");
});

test("results that cannot be packed are no empty archive: the job says why there are none", async () => {
  const client = acme.client();
  const job = await submit(client, {
    script:
      "truncate -s 1100M $MILLRACE_RESULTS/big || dd if=/dev/zero of=$MILLRACE_RESULTS/big bs=1 seek=1150M count=1",
  });
  const done = await ended(client, job.id);
  expect(done).toMatchObject({ state: "succeeded", resultsBytes: null });
  expect(done.reason?.message).toMatch(/No results were kept/);
});

test("S-09, R-PAYG-7: an attempt whose machine is killed is free, and a new machine does the work", async () => {
  const client = acme.client();
  const job = await submit(client, { script: "echo $MILLRACE_ATTEMPT; sleep 6; echo done" });
  await vi.waitFor(async () => expect(await logOf(client, job.id)).toBe("1\n"), endTimeoutMs);
  const running = await jobOf(client, job.id);
  const instanceId = present(running.attempts[0]?.instanceId, "instance");
  process.kill(present(await qemuPid(instanceId), "QEMU"), "SIGKILL");
  const done = await ended(client, job.id);
  expect(done).toMatchObject({
    state: "succeeded",
    attempts: [
      { end: { kind: "platform_fault" }, billable: false },
      { end: { kind: "exited", exitCode: 0 }, billable: true },
    ],
  });
  expect(await logOf(client, job.id, 1)).toBe("1\n");
  expect(await logOf(client, job.id, 2)).toBe("2\ndone\n");
});

test("a restart of the control plane loses nothing of a running job; a cancel ends its machine", async () => {
  const before = acme.client();
  const job = await submit(before, {
    script: 'i=0; while [ $i -lt 8 ]; do i=$((i+1)); echo "line $i"; sleep 1; done',
  });
  const idle = await submit(before, { script: "echo on; sleep 600" });
  await vi.waitFor(
    async () => expect(await logOf(before, job.id)).toContain("line 2"),
    endTimeoutMs,
  );
  await cloud.restart();
  const client = acme.client();
  const done = await ended(client, job.id);
  expect(done.state).toBe("succeeded");
  const lines = Array.from({ length: 8 }, (_, index) => `line ${index + 1}\n`).join("");
  expect(await logOf(client, job.id)).toBe(lines);

  await until(client, idle.id, ({ state }) => state === "running");
  await client.call("cancelJob", { params: { jobId: idle.id } });
  const canceled = await ended(client, idle.id);
  expect(canceled).toMatchObject({
    state: "canceled",
    attempts: [{ end: { kind: "canceled" }, billable: true }],
  });
  const instanceId = present(canceled.attempts[0]?.instanceId, "instance");
  expect(await qemuPid(instanceId)).toBeUndefined();
});

test("S-07: two members of a gang run in machines of their own and talk over the tenant's network", async () => {
  const client = acme.client();
  const script = `
    if [ "$RANK" = 0 ]; then nc -l -p "$MASTER_PORT"
    else until echo "hello from rank $RANK of $WORLD_SIZE" | nc "$MASTER_ADDR" "$MASTER_PORT"; do sleep 0.2; done
    fi`;
  const { id } = await submit(client, { name: "gang", members: 2, script, timeLimitSeconds: 600 });
  const job = await ended(client, id);
  expect(job).toMatchObject({ state: "succeeded", gang: { size: 2 } });
  expect(await logOf(client, id)).toBe("hello from rank 1 of 2\n");
});
