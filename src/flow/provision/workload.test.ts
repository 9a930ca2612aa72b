import { appendFile, readFile, rm } from "node:fs/promises";
import { v7 as uuid } from "uuid";
import { expect, test } from "vitest";

import { readTar } from "#archive/tar.ts";
import type { Request } from "#flow/admit/requests.ts";
import { present } from "#kernel/assert.ts";
import { attemptAt, fileAt, keep, receive } from "#storage/disk.ts";
import { insertInput } from "#storage/files.ts";
import { testDatabase } from "#test/database.ts";
import { addTenant, shape, storageFolder } from "#test/sim/cloud.ts";

import { attemptLimits, executable, prepareWorkloads } from "./workload.ts";

const { db } = await testDatabase();
const root = storageFolder();
const { tenantId, projectId } = await addTenant(db, "acme");
const prepare = prepareWorkloads({ db, root, limits: attemptLimits });

async function upload(name: string, content: string): Promise<string> {
  const key = { tenantId, id: uuid() };
  const source = async function* (): AsyncGenerator<Buffer> {
    yield Buffer.from(content);
  };
  const limit = { bytesMax: 1_000_000, tooLarge: () => new Error("too large") };
  const draft = await receive(root, source(), limit);
  await keep(root, draft, key);
  await db.transaction((tx) => insertInput(tx, { ...key, ...draft, name, at: Date.now() }));
  return key.id;
}

function request(workload: Partial<NonNullable<Request["workload"]>> | null): Request {
  const at = Date.parse("2026-05-04T10:00:00Z");
  return {
    tenant_id: tenantId,
    id: uuid(),
    project_id: projectId,
    kind: workload === null ? "lease" : "job",
    name: "train",
    created_by: uuid(),
    shape: shape(),
    image: "tiny",
    login_user: "root",
    ssh_keys: [],
    user_data: null,
    from_snapshot: null,
    gang_id: null,
    gang_size: 1,
    gang_how: "pack",
    gang_rank: 0,
    restart: "never",
    price: {},
    priority: 30,
    workload:
      workload === null
        ? null
        : {
            command: ["./script"],
            script: "echo hello",
            environment: {},
            inputs: [],
            framework: "none",
            timeLimitSeconds: 60,
            platformRetriesMax: 0,
            preemptible: false,
            checkpoint: null,
            ...workload,
          },
    wanted: "running",
    turn: 2,
    created_at: at,
    changed_at: at,
    ended_at: null,
    plan: "on_demand",
    paid_until: null,
    end_reason: null,
  };
}

async function unpacked(path: string): Promise<unknown[]> {
  const source = async function* (): AsyncGenerator<Buffer> {
    yield await readFile(path);
  };
  const found: unknown[] = [];
  for await (const { entry, content } of readTar(source())) {
    const parts: Buffer[] = [];
    for await (const part of content) parts.push(part);
    found.push([entry.path, entry.mode.toString(8), Buffer.concat(parts).toString()]);
  }
  return found;
}

test("an attempt is handed its script and its inputs; made again, they are the same bytes", async () => {
  const inputs = [await upload("data.csv", "1,2\n"), await upload("model.bin", "x".repeat(2000))];
  const job = request({ inputs, environment: { A: "b" } });
  const instanceId = uuid();
  const spec = present(await prepare(job, instanceId), "a workload");
  if (spec === "later") throw new Error("nobody is waited for");
  expect(spec).toMatchObject({
    command: ["./script"],
    environment: { A: "b", MILLRACE_JOB_ID: job.id, MILLRACE_ATTEMPT: "2" },
    timeLimitSeconds: 60,
  });
  const path = present(spec.inputsPath, "the inputs");
  expect(path.startsWith(attemptAt(root, instanceId))).toBe(true);
  expect(await unpacked(path)).toEqual([
    ["script", "755", "#!/bin/sh\necho hello"],
    ["data.csv", "644", "1,2\n"],
    ["model.bin", "644", "x".repeat(2000)],
  ]);
  const first = await readFile(path);
  await rm(path);
  expect(await prepare(job, instanceId)).toEqual(spec);
  expect(await readFile(path)).toEqual(first);
  // What is there is whole, and is not made again.
  await appendFile(path, "kept");
  await prepare(job, instanceId);
  expect((await readFile(path, "latin1")).endsWith("kept")).toBe(true);
});

test("a command without inputs needs no archive, and a lease no workload", async () => {
  const spec = await prepare(request({ script: null, command: ["train", "x"] }), uuid());
  expect(spec).toMatchObject({ command: ["train", "x"] });
  expect(spec).not.toHaveProperty("inputsPath");
  expect(await prepare(request(null), uuid())).toBeUndefined();
});

test("an input that was changed on the disk, or is another tenant's, is not handed out", async () => {
  const input = await upload("data.csv", "1,2\n");
  const path = fileAt(root, { tenantId, id: input });
  await rm(path);
  await appendFile(path, "9,2\n");
  await expect(prepare(request({ inputs: [input] }), uuid())).rejects.toMatchObject({
    code: "not_found",
  });
  const { tenantId: other } = await addTenant(db, `other-${uuid()}`);
  const theirs = { ...request({ inputs: [await upload("mine", "x")] }), tenant_id: other };
  await expect(prepare(theirs, uuid())).rejects.toMatchObject({ code: "not_found" });
});

test("a platform with a queue of its own is told what ours goes by, and who belongs together", async () => {
  const gangId = uuid();
  const gang = { gang_id: gangId, gang_size: 4, gang_how: "spread", gang_rank: 0 } as const;
  const spec = await prepare(
    { ...request({ framework: "pytorch", preemptible: true }), ...gang, priority: 10 },
    uuid(),
  );
  expect(spec).toMatchObject({
    framework: "pytorch",
    tier: "diamond",
    preemptible: true,
    gang: { id: `${gangId}-2`, size: 4, rank: 0, how: "spread" },
  });
});

test("a script without an interpreter is one of /bin/sh", () => {
  expect(executable("echo hi")).toBe("#!/bin/sh\necho hi");
  expect(executable("#!/usr/bin/perl\nprint 1")).toBe("#!/usr/bin/perl\nprint 1");
});
