/** What tenants keep: quota, limits of attempts, and what is said when something cannot be kept. */
import { rm } from "node:fs/promises";
import { expect, test } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { limitsOf, setLimits } from "#flow/admit/quota.ts";
import { fileAt } from "#storage/disk.ts";
import { storageLoop } from "#storage/sweep.ts";

import { jobCloud, whole } from "./job-cloud.ts";

const cloud = await jobCloud();
const limits = { logBytesMax: 300, resultsBytesMax: 10_000 };
let running = await cloud.start({ limits });
const gib = 2 ** 30;

async function setStorage(storageGiB: number): Promise<void> {
  const before = await limitsOf(cloud.db, cloud.tenantId);
  await setLimits(cloud.db, cloud.tenantId, { ...before, storageGiB });
}

async function sweep(now: number): Promise<void> {
  const { db, root, observer } = cloud;
  const loop = storageLoop({ db, root, observer, now: () => now });
  await loop.pass(new AbortController().signal);
}

test("A-05, ST-02: a file is kept under ids, listed, read back and deleted", async () => {
  const content = `quotes ' " and \0 bytes\n`;
  const file = await cloud.upload("a+b@c=d.e", content);
  expect(file).toMatchObject({ name: "a+b@c=d.e", kind: "input", jobId: null });
  expect(file.sizeBytes).toBe(Buffer.byteLength(content));
  const params = { fileId: file.id };
  const download = await cloud.api.bytes("downloadFile", { params });
  expect((await whole(download)).toString()).toBe(content);
  const { items } = await cloud.api.call("listFiles");
  expect(items).toContainEqual(file);
  expect((await cloud.stranger.call("listFiles")).items).toEqual([]);
  for (const attempt of [
    cloud.stranger.bytes("downloadFile", { params }),
    cloud.stranger.call("deleteFile", { params }),
  ]) {
    await expect(attempt).rejects.toMatchObject({ code: "not_found" });
  }
  const path = fileAt(cloud.root, { tenantId: cloud.tenantId, id: file.id });
  await cloud.api.call("deleteFile", { params });
  await expect(cloud.api.bytes("downloadFile", { params })).rejects.toMatchObject({
    code: "not_found",
  });
  await expect(cloud.api.call("deleteFile", { params })).rejects.toMatchObject({
    code: "not_found",
  });
  await sweep(Date.now());
  await expect(rm(path)).rejects.toMatchObject({ code: "ENOENT" });
});

test("files count against the storage quota, and one over it is refused with the numbers", async () => {
  const before = await cloud.api.call("getQuota");
  await cloud.upload("counted", "x");
  const after = await cloud.api.call("getQuota");
  expect(after.used.storageGiB).toBe(1);
  expect(before.limits.storageGiB).toBe(100);
  await setStorage(0);
  try {
    await expect(cloud.upload("over", "x")).rejects.toMatchObject({
      code: "quota_exceeded",
      details: { quota: [{ resource: "storageBytes", limit: 0, asked: 1 }] },
    });
  } finally {
    await setStorage(100);
  }
});

test("two uploads at once do not both get the last of the quota", async () => {
  const used = await cloud.db.one(
    sql`select coalesce(sum(size_bytes), 0)::float8 as bytes from stored_file
      where tenant_id = ${cloud.tenantId}`,
    z.object({ bytes: z.number() }),
  );
  // A file that takes all but three bytes of one GiB, as far as rows know.
  await cloud.db.execute(sql`
    insert into stored_file (tenant_id, id, kind, name, size_bytes, sha256, state, created_at)
    values (${cloud.tenantId}, gen_random_uuid(), 'input', 'filler', ${gib - used.bytes - 3}, 'x',
      'ready', now())`);
  await setStorage(1);
  const outcomes = await Promise.allSettled(
    Array.from({ length: 4 }, (_, index) => cloud.upload(`last-${index}`, "12")),
  );
  await setStorage(100);
  await cloud.db.execute(sql`delete from stored_file where name = 'filler'`);
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});

test("a log over its limit is cut with a line that says so, and the program goes on", async () => {
  const job = await cloud.submit({
    script: "talk",
    environment: { SIMULATE_SECONDS: "0.3", SIMULATE_LINES: "100" },
  });
  const done = await cloud.ended(job.id);
  expect(done.state).toBe("succeeded");
  expect(done.reason).toMatchObject({ code: "log_limit" });
  const log = await cloud.log(job.id);
  expect(log).toMatch(/\n\[millrace\] The log is cut here: 300 bytes are kept of an attempt\.\n$/);
  expect(log.indexOf("\n[millrace]")).toBe(300);
});

test("without room for its log and results a job still ends, and its reason says what is missing", async () => {
  const job = await cloud.submit({ script: "talk", environment: { SIMULATE_SECONDS: "0.3" } });
  await setStorage(0);
  try {
    const done = await cloud.ended(job.id);
    expect(done).toMatchObject({ state: "succeeded", resultsBytes: null });
    expect(done.reason).toMatchObject({ code: "quota_exceeded" });
    expect(done.reason?.message).toContain("No results were kept");
    expect(await cloud.log(job.id)).toContain("storage quota is full");
    await expect(
      cloud.api.bytes("downloadJobResults", { params: { jobId: job.id } }),
    ).rejects.toMatchObject({ code: "wrong_state", message: expect.stringMatching(/quota/) });
  } finally {
    await setStorage(100);
  }
});

test("an input cannot be deleted under a job that still needs it", async () => {
  const file = await cloud.upload("needed.txt", "data");
  const job = await cloud.submit({
    command: ["cat", "needed.txt"],
    inputs: [file.id],
    environment: { SIMULATE_SECONDS: "60" },
  });
  const params = { fileId: file.id };
  await expect(cloud.api.call("deleteFile", { params })).rejects.toMatchObject({
    code: "conflict",
    details: { jobs: [job.id] },
  });
  await cloud.api.call("cancelJob", { params: { jobId: job.id } });
  await cloud.ended(job.id);
  await cloud.api.call("deleteFile", { params });
});

test("inputs that are gone or damaged on the disk end the job before it runs, with the reason", async () => {
  await running.stop();
  const file = await cloud.upload("gone.txt", "data");
  const job = await cloud.submit({ command: ["cat", "gone.txt"], inputs: [file.id] });
  await rm(fileAt(cloud.root, { tenantId: cloud.tenantId, id: file.id }));
  running = await cloud.start({ limits });
  const done = await cloud.ended(job.id);
  expect(done).toMatchObject({ state: "failed", reason: { code: "not_found" }, attempts: [] });
  // The sweep says what is missing; a download then says it too.
  await sweep(Date.now());
  await expect(
    cloud.api.bytes("downloadFile", { params: { fileId: file.id } }),
  ).rejects.toMatchObject({ code: "not_found", message: expect.stringMatching(/bytes/) });
});

test("results over their limit are given up at once and named; the machine does not wait", async () => {
  await running.stop();
  await cloud.start({ limits: { ...limits, resultsBytesMax: 100 } });
  const job = await cloud.submit({ script: "x", environment: { SIMULATE_SECONDS: "0.1" } });
  const done = await cloud.ended(job.id);
  expect(done).toMatchObject({ state: "succeeded", resultsBytes: null });
  expect(done.reason?.message).toMatch(/No results were kept: .*limit/);
});
