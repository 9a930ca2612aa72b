/** What a caller can get wrong about jobs and files, and what he is told. */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";

import { sql } from "#db/sql.ts";
import { defaultLimits } from "#flow/admit/decide.ts";
import { jobCloud } from "#test/sim/job-cloud.ts";

const cloud = await jobCloud();
await cloud.start();
// Hosts say no here, not the quota.
const limits = { ...defaultLimits, vcpus: 100_000, memoryMiB: 1_000_000_000, diskGiB: 1_000_000 };
await cloud.db.execute(sql`
  insert into quota_limit (tenant_id, limits) values (${cloud.tenantId}, ${JSON.stringify(limits)})`);
const work = { name: "train", flavor: "nano", script: "true" };

interface Said {
  readonly status: number;
  readonly code: unknown;
  readonly detail: string;
}

async function say(method: string, path: string, body?: string, type?: string): Promise<Said> {
  const response = await fetch(`${cloud.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${cloud.secret}`,
      "idempotency-key": randomUUID(),
      ...(type === undefined ? {} : { "content-type": type }),
    },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const problem: { code?: unknown; detail?: string } = text === "" ? {} : JSON.parse(text);
  return { status: response.status, code: problem.code, detail: problem.detail ?? "" };
}

function submit(body: unknown): Promise<Said> {
  return say("POST", "/v1/jobs", JSON.stringify(body), "application/json");
}

test.each([
  ["an empty script", { ...work, script: "" }, 400, /script/],
  ["neither script nor command", { name: "x", flavor: "nano" }, 400, /script or a command/],
  ["both", { ...work, command: ["true"] }, 400, /script or a command/],
  ["an empty command", { name: "x", flavor: "nano", command: [] }, 400, /command/],
  ["U+0000 in a script", { ...work, script: "a\u0000b" }, 400, /U\+0000/],
  ["a script too long", { ...work, script: "x".repeat(262_145) }, 400, /script/],
  ["a name with a newline", { ...work, name: "a\nb" }, 400, /name/],
  ["a name with shell characters", { ...work, name: "$(reboot)" }, 400, /name/],
  ["a variable with a bad name", { ...work, environment: { "A B": "x" } }, 400, /environment/],
  ["a variable of the platform", { ...work, environment: { MILLRACE_RESULTS: "/" } }, 422, /own/],
  ["no time", { ...work, timeLimitSeconds: 0 }, 400, /timeLimitSeconds/],
  ["more than 72 h", { ...work, timeLimitSeconds: 259_201 }, 422, /72 h/],
  ["an empty checkpoint", { ...work, checkpoint: "" }, 400, /checkpoint/],
  [
    "more time expected than allowed",
    { ...work, timeLimitSeconds: 60, expectedSeconds: 61 },
    422,
    /61 s/,
  ],
  ["a deadline that is no time", { ...work, deadline: "tomorrow" }, 400, /deadline/],
  ["too many retries", { ...work, platformRetriesMax: 11 }, 400, /platformRetriesMax/],
  ["an unknown framework", { ...work, framework: "jax" }, 400, /framework/],
  ["an unknown field", { ...work, shell: "bash" }, 400, /unknown field/],
  ["an input that is no id", { ...work, inputs: ["../../etc/passwd"] }, 400, /inputs/],
  ["no member", { ...work, members: 0 }, 400, /members/],
  ["fewer members than none", { ...work, members: -1 }, 400, /members/],
  ["one member and a half", { ...work, members: 1.5 }, 400, /members/],
  ["more members than anybody may have", { ...work, members: 1025 }, 400, /members/],
  [
    "members that are to lie anyhow",
    { ...work, members: 2, membersHow: "apart" },
    400,
    /membersHow/,
  ],
  [
    "more members than the hosts could carry",
    { ...work, members: 1000 },
    422,
    /room for \d+ of them/,
  ],
  [
    "each member on a host of its own, and fewer hosts",
    { ...work, members: 2, membersHow: "spread" },
    422,
    /each on a host of its own; .* room for 1 of them/,
  ],
  ["a rank of its own", { ...work, members: 2, environment: { RANK: "0" } }, 422, /RANK/],
  ["a group that is no name", { ...work, group: "A B" }, 400, /group/],
  ["a neighbor that is no name", { ...work, near: ["A B"] }, 400, /neither the name of a group/],
  [
    "seventeen neighbors",
    { ...work, near: Array.from({ length: 17 }, (_, n) => `g${n}`) },
    400,
    /near/,
  ],
  [
    "the same near and apart",
    { ...work, near: ["db"], apart: ["db"] },
    422,
    /near to db and apart/,
  ],
  ["nobody to be near to", { ...work, near: ["nobody"] }, 422, /group nobody/],
  ["a neighbor that is not there", { ...work, near: [randomUUID()] }, 404, /no such lease or job/],
  ["somebody not there to keep from", { ...work, apart: [randomUUID()] }, 404, /no such lease/],
  ["an unknown flavor", { ...work, flavor: "huge" }, 422, /huge/],
  ["an unknown image", { ...work, image: "plan9" }, 422, /plan9/],
  ["an unknown project", { ...work, projectId: randomUUID() }, 404, /project/],
  ["a file that is not there", { ...work, inputs: [randomUUID()] }, 404, /file/],
] as const)(
  "S-07, M-JOB-02: a job with %s is refused with the reason",
  async (_, body, status, detail) => {
    const said = await submit(body);
    expect(said.status).toBe(status);
    expect(said.detail).toMatch(detail);
  },
);

test("ST-02: another tenant's file is no input, and its ids are no jobs", async () => {
  const content = new Blob(["secret"]);
  const file = await cloud.stranger.upload("uploadFile", { query: { name: "mine" }, content });
  expect(await submit({ ...work, inputs: [file.id] })).toMatchObject({
    status: 404,
    detail: `There is no such file: ${file.id}.`,
  });
  const body = { name: "theirs", flavor: "nano", script: "true" };
  const job = await cloud.stranger.call("createJob", { body });
  for (const [method, path] of [
    ["GET", ""],
    ["POST", "/cancel"],
    ["GET", "/log"],
    ["GET", "/log/follow"],
    ["GET", "/results"],
  ] as const) {
    const said = await say(method, `/v1/jobs/${job.id}${path}`);
    expect(said).toMatchObject({ status: 404, code: "not_found" });
  }
  await cloud.stranger.call("cancelJob", { params: { jobId: job.id } }).catch(() => undefined);
});

test("names that would meet in the work directory are refused before anything runs", async () => {
  const names = ["script", "results", "twice", "twice"];
  const [script, results, ...twice] = await Promise.all(
    names.map((name) => cloud.upload(name, "")),
  );
  for (const inputs of [[script?.id], [results?.id], twice.map(({ id }) => id)]) {
    expect(await submit({ ...work, inputs })).toMatchObject({
      status: 422,
      code: "rule_violation",
    });
  }
  const asCommand = { name: "x", flavor: "nano", command: ["./script"], inputs: [script?.id] };
  expect((await submit(asCommand)).status).toBe(202);
});

test("S-15: what contradicts itself through others is refused as well, and nothing is queued", async () => {
  const submitted = async (body: object): Promise<string> => {
    const { id } = await cloud.submit({ script: "x", ...body });
    return id;
  };
  const environment = { SIMULATE_SECONDS: "1000" };
  const loner = await submitted({ group: "loner", apart: ["web"], environment });
  const near = { ...work, near: [loner] };
  expect(await submit({ ...near, group: "web" })).toMatchObject({
    status: 422,
    detail: expect.stringMatching(/also kept apart/),
  });
  expect(await submit({ ...near, apart: ["loner"] })).toMatchObject({ status: 422 });
  expect(await submit({ ...work, near: ["loner"], apart: [loner] })).toMatchObject({ status: 422 });
  const { items } = await cloud.api.call("listJobs", { query: { name: work.name } });
  expect(items.filter(({ near: of }) => of.length > 0)).toEqual([]);
  await cloud.api.call("cancelJob", { params: { jobId: loner } });
  await cloud.ended(loner);
  // Another customer's work is none that one could be near to.
  const body = { name: "theirs", flavor: "nano", script: "true", group: "theirs", environment };
  const theirs = await cloud.stranger.call("createJob", { body });
  expect(await submit({ ...work, near: [theirs.id] })).toMatchObject({ status: 404 });
  expect(await submit({ ...work, near: ["theirs"] })).toMatchObject({ status: 422 });
  await cloud.stranger.call("cancelJob", { params: { jobId: theirs.id } });
});

test("S-07: a batch's gangs have a limit together, and one price", async () => {
  const gang = { ...work, members: 60 };
  const answer = await cloud.api.call("createJobBatch", {
    body: { jobs: Array.from({ length: 18 }, () => gang) },
  });
  const details = answer.results.flatMap((each) =>
    each.outcome === "refused" ? [each.problem.detail] : [],
  );
  expect(details.at(-1)).toMatch(/1024 members at most together/);
  for (const each of answer.results) {
    if (each.outcome === "accepted") {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await cloud.api.call("cancelJob", { params: { jobId: each.id } });
    }
  }
});

test("the same file named twice is one input", async () => {
  const file = await cloud.upload("once", "x");
  expect((await submit({ ...work, inputs: [file.id, file.id] })).status).toBe(202);
});

test.each([
  ["a path", "..%2F..%2Fetc%2Fpasswd"],
  ["a dot file", ".bashrc"],
  ["an option", "-rf"],
  ["a newline", "a%0Ab"],
  ["quotes", "a%22b"],
  ["nothing", ""],
  ["too many letters", "x".repeat(201)],
])("A-05: an upload whose name is %s is refused", async (_, name) => {
  expect(await say("POST", `/v1/files?name=${name}`, "content")).toMatchObject({
    status: 400,
    code: "invalid_request",
  });
});

test("A-05: an empty file is a file; the same key twice is one upload", async () => {
  const empty = await cloud.upload("empty", "");
  expect(empty.sizeBytes).toBe(0);
  const send = async (content: string): Promise<Response> =>
    fetch(`${cloud.url}/v1/files?name=again`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${cloud.secret}`,
        "idempotency-key": "the-same-key-for-both",
      },
      body: content,
    });
  const first = await send("one");
  const second = await send("one");
  expect([first.status, second.status]).toEqual([201, 201]);
  expect(await second.json()).toEqual(await first.json());
  expect((await send("other")).status).toBe(422);
  const { items } = await cloud.api.call("listFiles", { query: { limit: 200 } });
  expect(items.filter(({ name }) => name === "again")).toHaveLength(1);
});

test("offsets and attempts that are none are refused", async () => {
  const job = await cloud.submit({ script: "true", environment: { SIMULATE_SECONDS: "0.05" } });
  for (const query of ["offset=-1", "offset=x", "attempt=0", "attempt=1.5", "unknown=1"]) {
    expect(await say("GET", `/v1/jobs/${job.id}/log?${query}`)).toMatchObject({ status: 400 });
  }
  expect(await say("GET", `/v1/jobs/${job.id}/log/follow?attempt=9`)).toMatchObject({
    status: 404,
  });
  await cloud.ended(job.id);
});
