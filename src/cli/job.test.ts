import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawnSync } from "node:child_process";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";

import type { Job } from "#contract/schemas/jobs.ts";
import { runInside } from "#test/cli-inside.ts";
import { makeCli, type Cli } from "#test/cli.ts";
import { aJob, endedJob, jobId } from "#test/cli-things.ts";
import { startContractServer, type ContractServer } from "#test/contract-server.ts";
import { eventText } from "#test/contract-wire.ts";

let server: ContractServer;
let cli: Cli;

beforeAll(async () => {
  server = await startContractServer();
});
afterAll(async () => {
  await server.close();
});
beforeEach(() => {
  server.reset();
  cli = makeCli(server.url);
  return () => cli.remove();
});

function serve(job: Job): void {
  server.answer("createJob", () => ({ result: aJob({ state: "queued" }) }));
  server.answer("getJob", () => ({ result: job }));
}

test("a script is submitted with its files, environment and time limit", async () => {
  writeFileSync(join(cli.home, "Train_v2.sh"), "#!/bin/sh\necho hi\n");
  writeFileSync(join(cli.home, "data.csv"), "a,b\n");
  serve(aJob());
  const argv = ["job", "submit", "Train_v2.sh", "--flavor", "small", "--input", "data.csv"];
  const more = ["--env", "A=1", "--env", "B=x=y", "--time-limit", "2h", "--retries", "0"];
  const yields = ["--preemptible", "--checkpoint", "cp model $MILLRACE_CHECKPOINT"];
  const { code, stdout } = await cli.run([...argv, ...more, ...yields]);
  expect(code).toBe(0);
  expect(stdout).toContain(`Its log: millrace job logs -f ${jobId}`);
  const [upload, create] = server.seen;
  expect(upload).toMatchObject({ id: "uploadFile", query: { name: "data.csv" }, body: "a,b\n" });
  expect(create?.body).toMatchObject({
    name: "train-v2",
    script: "#!/bin/sh\necho hi\n",
    environment: { A: "1", B: "x=y" },
    timeLimitSeconds: 7200,
    platformRetriesMax: 0,
    preemptible: true,
    checkpoint: "cp model $MILLRACE_CHECKPOINT",
    inputs: [expect.stringMatching(/^[0-9a-f-]{36}$/)],
  });
});

test("a command stands behind --, with whatever options it has", async () => {
  serve(aJob());
  const command = ["python3", "train.py", "--output", "json", "-q"];
  await runInside(server.url, ["job", "submit", "--flavor", "small", "--", ...command], cli.home);
  expect(server.seen[0]?.body).toMatchObject({ name: "python3", command });
});

test("files of a job that was refused are removed again", async () => {
  writeFileSync(join(cli.home, "data.csv"), "a,b\n");
  server.answer("createJob", () => ({ refused: "quota_exceeded", detail: "No more jobs." }));
  const argv = ["job", "submit", "--flavor", "s", "--input", "data.csv", "--", "true"];
  expect((await cli.run(argv)).code).toBe(69);
  expect(server.seen.map(({ id }) => id)).toEqual(["uploadFile", "createJob", "deleteFile"]);
});

test("--wait makes the job's end the command's own", async () => {
  const ends: readonly (readonly [number, Job])[] = [
    [0, endedJob("succeeded", { kind: "exited", exitCode: 0 })],
    [3, endedJob("failed", { kind: "exited", exitCode: 3 })],
    [137, endedJob("failed", { kind: "signaled", signal: "SIGKILL" })],
    [124, endedJob("timed_out", { kind: "timed_out" })],
    [143, endedJob("canceled", { kind: "canceled" })],
    [75, endedJob("failed", { kind: "platform_fault", detail: "host lost" })],
  ];
  for (const [expected, job] of ends) {
    serve(job);
    const argv = ["job", "submit", "--flavor", "s", "--wait", "--", "x"];
    const { code, stdout } = await runInside(server.url, argv, cli.home);
    expect(code).toBe(expected);
    expect(stdout).toMatch(new RegExp(`^train ${job.state} after 5\\.0 s`));
  }
});

test("a log is followed over dropped connections: nothing is lost, nothing is repeated", async () => {
  const log = "line 1\nzwei \u00e4\n\u4e09\nline 4\n";
  const bytes = Buffer.from(log);
  serve(endedJob("failed", { kind: "exited", exitCode: 7 }));
  server.answer("followJobLog", (seen) => ({
    raw: (_request, response) => {
      const last = String(seen.headers["last-event-id"] ?? "1:0");
      const from = Number(last.replace("1:", ""));
      const until = Math.min(bytes.length, from + 7);
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("retry: 1\n\n");
      const data = { base64: bytes.subarray(from, until).toString("base64") };
      if (until > from) response.write(eventText({ id: `1:${until}`, event: "log", data }));
      if (until === bytes.length) response.end(eventText({ event: "end", data: {} }));
      else response.write("id: 999\ndata: torn", () => response.socket?.destroy());
    },
  }));
  const { code, stdout, stderr } = await cli.run([
    "job",
    "submit",
    "--flavor",
    "s",
    "-f",
    "--",
    "x",
  ]);
  expect(stdout).toBe(log);
  expect(stderr).toBe("train failed after 5.0 s (exit status 7).\n");
  expect(code).toBe(7);
  expect(server.seen.filter(({ id }) => id === "followJobLog").length).toBeGreaterThan(3);
});

test("a log is printed in as many parts as the server gives it", async () => {
  const bytes = Buffer.from("0123456789");
  server.answer("readJobLog", ({ query }) => ({
    raw: (_request, response) => {
      const from = Number(query["offset"]);
      const part = bytes.subarray(from, from + 4);
      response.writeHead(200, { "millrace-log-offset": String(from + part.length) });
      response.end(part);
    },
  }));
  const all = await runInside(server.url, ["job", "logs", jobId], cli.home);
  expect(all.stdout).toBe("0123456789");
  const tail = await runInside(server.url, ["job", "logs", jobId, "--offset", "6"], cli.home);
  expect(tail.stdout).toBe("6789");
});

test("results are written whole or not at all, and over nothing that exists", async () => {
  mkdirSync(join(cli.home, "results"));
  writeFileSync(join(cli.home, "results", "model.bin"), "weights");
  const tar = spawnSync("tar", ["-c", "-C", join(cli.home, "results"), "."]).stdout;
  serve(endedJob("succeeded", { kind: "exited", exitCode: 0 }));
  let cut = true;
  server.answer("downloadJobResults", () => ({
    raw: (_request, response) => {
      response.writeHead(200, { "content-length": String(tar.length) });
      if (cut) response.write(tar.subarray(0, 100), () => response.socket?.destroy());
      else response.end(tar);
    },
  }));
  const target = join(cli.home, "train-results.tar");
  const broken = await cli.run(["job", "results", jobId]);
  expect(broken.code).toBe(75);
  expect(existsSync(target)).toBe(false);
  cut = false;
  expect((await cli.run(["job", "results", jobId])).code).toBe(0);
  expect(readFileSync(target)).toEqual(tar);
  const again = await cli.run(["job", "results", jobId]);
  expect(again.code).toBe(73);
  expect(again.stderr).toContain("exists. Name another file with --to, or add --force.");
  const unpacked = await cli.run(["job", "results", jobId, "--extract", "out"]);
  expect(unpacked.code).toBe(0);
  expect(readFileSync(join(cli.home, "out", "model.bin"), "utf8")).toBe("weights");
});

const lineJobs = ["a", "b", "c"].map((name) => ({ name, flavor: "small", script: "true" }));

function answerBatches(refusedName?: string): void {
  server.answer("createJobBatch", ({ body }) => {
    const { jobs }: { jobs: readonly { name: string }[] } = batchBody.parse(body);
    const results = jobs.map(({ name }, index) =>
      name === refusedName
        ? { outcome: "refused" as const, index, problem: overQuota }
        : { outcome: "accepted" as const, index, id: jobId },
    );
    const refused = results.filter(({ outcome }) => outcome === "refused").length;
    return { result: { accepted: results.length - refused, refused, results } };
  });
}

const batchBody = z.object({ jobs: z.array(z.object({ name: z.string() })) });
const overQuota = {
  type: "urn:millrace:problem:quota_exceeded",
  title: "Over quota",
  status: 403,
  detail: "jobs 6 used + 1 asked > 6",
  code: "quota_exceeded",
  requestId: "r",
  details: {},
};

test.each([
  ["in lines", `\n${lineJobs.map((job) => JSON.stringify(job)).join("\n\n")}\n`],
  ["as an array", JSON.stringify(lineJobs, null, 2)],
])("many jobs %s are submitted in one request", async (_, text) => {
  writeFileSync(join(cli.home, "jobs"), text);
  answerBatches();
  const argv = ["job", "submit", "--batch", join(cli.home, "jobs"), "--all-or-none"];
  const { code, stdout } = await runInside(server.url, argv, cli.home);
  expect(code).toBe(0);
  expect(stdout).toContain("3 submitted, 0 refused.");
  expect(server.seen.map(({ body }) => body)).toEqual([{ jobs: lineJobs, allOrNone: true }]);
});

test("one of many that is refused is named, and the exit status says that there was one", async () => {
  writeFileSync(join(cli.home, "jobs"), JSON.stringify(lineJobs));
  answerBatches("b");
  const argv = ["job", "submit", "--batch", join(cli.home, "jobs")];
  const { code, stdout, stderr } = await runInside(server.url, argv, cli.home);
  expect(code).toBe(69);
  expect(stdout).toMatch(/1 +refused .*jobs 6 used \+ 1 asked > 6/);
  expect(stdout).toContain("2 submitted, 1 refused.");
  expect(stderr).toContain("1 of 3 jobs were refused.");
});

test("more than a request takes go in several, in order; all or none of them cannot", async () => {
  const many = Array.from({ length: 501 }, (_, index) => ({ name: `j${index}` }));
  writeFileSync(join(cli.home, "jobs"), JSON.stringify(many));
  answerBatches();
  const argv = ["job", "submit", "--batch", join(cli.home, "jobs")];
  expect((await runInside(server.url, argv, cli.home)).code).toBe(0);
  expect(server.seen.map(({ body }) => batchBody.parse(body).jobs.length)).toEqual([500, 1]);
  const refused = await runInside(server.url, [...argv, "--all-or-none"], cli.home);
  expect([refused.code, server.seen.length]).toEqual([64, 2]);
});

test("a batch is not mixed with a job of the command line, and must be JSON", async () => {
  writeFileSync(join(cli.home, "jobs"), '{"name":"a"}\nnot json\n');
  const batch = ["job", "submit", "--batch", join(cli.home, "jobs")];
  for (const more of [["--flavor", "small"], ["--wait"], ["--env", "A=1"], ["--", "true"]]) {
    const { code, stderr } = await runInside(server.url, [...batch, ...more], cli.home);
    expect([code, stderr]).toEqual([64, expect.stringContaining("each job in the file says")]);
  }
  const broken = await runInside(server.url, batch, cli.home);
  expect(broken.stderr).toContain("Line 2 is no JSON");
  const alone = await runInside(server.url, ["job", "submit", "--", "true"], cli.home);
  expect([alone.code, alone.stderr]).toEqual([64, expect.stringContaining("--flavor")]);
  expect(server.seen).toEqual([]);
});

test("one that waits shows its place and when it starts", async () => {
  const at = "2026-05-04T05:00:00.000Z";
  const start = { earliest: at, likely: at, latest: at };
  serve(aJob({ state: "queued", line: { pool: "A100", position: 1, waiting: 2, start } }));
  const { stdout } = await runInside(server.url, ["job", "show", jobId], cli.home);
  expect(stdout).toMatch(/Place: +1 of 2 that wait for A100/);
  expect(stdout).toMatch(/At the latest: +2026-05-04/);
});
