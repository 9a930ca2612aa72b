/** What agents of jobs are answered, by the server as it is: with the words of a token, and without. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { v7 as uuid } from "uuid";
import { afterAll, expect, test } from "vitest";

import { jobAgentRoutes, logPostBytesMax } from "#providers/kubevirt/exchange/agent.ts";
import { openExchange } from "#providers/kubevirt/exchange/exchange.ts";
import { type InboxLimits, usualInboxLimits } from "#providers/kubevirt/exchange/inbox.ts";
import { testApi } from "#test/api-server.ts";

const folder = mkdtempSync(join(tmpdir(), "millrace-job-agent-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const exchange = await openExchange(join(folder, "exchange"));
const limits: { -readonly [Name in keyof InboxLimits]: InboxLimits[Name] } = {
  ...usualInboxLimits,
  freeBytesMin: 0,
};
const {
  url: serverUrl,
  customer,
  logged,
} = await testApi({
  jobAgent: jobAgentRoutes(exchange, limits),
});

const token = "an-attempts-t0ken";

async function attempt(over: { readonly inputsPath?: string } = {}) {
  const attemptId = uuid();
  const machineId = uuid();
  await exchange.open({
    attemptId,
    tokenSha256: createHash("sha256").update(token).digest("hex"),
    logBytesMax: 100_000,
    resultsBytesMax: 200_000,
    members: [
      { name: "0", machineId, ...over },
      { name: `j-${attemptId}-worker-0`, machineId: uuid() },
    ],
  });
  const url = `${serverUrl}/job-agent/attempts/${attemptId}/0`;
  return { attemptId, machineId, url };
}

interface Ask {
  readonly bearer?: string | null;
  readonly body?: Uint8Array<ArrayBuffer> | string | ReadableStream<Uint8Array>;
}

async function ask(method: string, url: string, { bearer = token, body }: Ask = {}) {
  const answer = await fetch(url, {
    method,
    headers: bearer === null ? {} : { authorization: `Bearer ${bearer}` },
    ...(body === undefined ? {} : { body, duplex: "half" }),
  });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

const archive = (() => {
  mkdirSync(join(folder, "results"));
  writeFileSync(join(folder, "results", "model"), "weights".repeat(10_000));
  execFileSync("tar", ["-c", "-C", join(folder, "results"), "-f", join(folder, "tar"), "."]);
  return readFileSync(join(folder, "tar"));
})();

test("who is no agent gets nothing: no token, another's, a customer's key, an attempt there is not", async () => {
  const { url, attemptId } = await attempt();
  const key = customer.administrator.secret;
  for (const bearer of [null, "", "wrong", key, `${token}x`, "x".repeat(600)]) {
    const { status, headers } = await ask("GET", `${url}/inputs`, { bearer });
    expect(status).toBe(401);
    expect(headers.get("www-authenticate")).toBe("Bearer");
  }
  expect((await ask("POST", `${url}/log?offset=0`, { bearer: "wrong", body: "x" })).status).toBe(
    401,
  );
  expect((await ask("PUT", `${url}/results?log=0`, { bearer: "x", body: archive })).status).toBe(
    401,
  );
  const elsewhere = url.replace(attemptId, uuid());
  expect((await ask("GET", `${elsewhere}/inputs`)).status).toBe(404);
  expect((await ask("GET", `${url.replace(/0$/, "7")}/inputs`)).status).toBe(404);
  expect(await readdir(exchange.places.attempt(attemptId))).toEqual(["attempt.json"]);
});

test("an agent's token opens none of the API; other paths and methods are told", async () => {
  const { url } = await attempt();
  expect((await ask("GET", `${serverUrl}/v1/whoami`)).status).toBe(401);
  for (const path of ["", "/", "/attempts", "/attempts/x/0/log", "/attempts/..%2f..%2fx/0/log"]) {
    expect((await ask("GET", `${serverUrl}/job-agent${path}`)).status).toBe(404);
  }
  expect((await ask("GET", `${url}/..%2f0/inputs`)).status).toBe(404);
  expect((await ask("PUT", `${url}/log?offset=0`)).status).toBe(405);
  expect((await ask("GET", `${url}/log?offset=0`)).status).toBe(405);
  expect((await ask("POST", `${url}/log`)).status).toBe(400);
  expect((await ask("POST", `${url}/log?offset=-1`)).status).toBe(400);
});

test("inputs are the file that is there, none if there are none, and refused once it is over", async () => {
  const inputsPath = join(folder, "tar");
  const { url, attemptId } = await attempt({ inputsPath });
  const answer = await ask("GET", `${url}/inputs`);
  expect([answer.status, answer.headers.get("content-length")]).toEqual([200, `${archive.length}`]);
  const none = url.replace(/0$/, `j-${attemptId}-worker-0`);
  expect((await ask("GET", `${none}/inputs`)).status).toBe(204);
  await exchange.over(attemptId);
  for (const each of [url, none]) expect((await ask("GET", `${each}/inputs`)).status).toBe(410);
  const lost = await attempt({ inputsPath: join(folder, "nowhere") });
  expect((await ask("GET", `${lost.url}/inputs`)).status).toBe(503);
});

test("a log is taken once, in order; each answer tells the order and where to go on", async () => {
  const { url, attemptId } = await attempt();
  const log = (offset: number, body = "") => ask("POST", `${url}/log?offset=${offset}`, { body });
  expect(await log(0)).toMatchObject({ status: 200, text: "run\noffset 0\n" });
  expect(await log(0, "hello ")).toMatchObject({ status: 200, text: "run\noffset 6\n" });
  expect(await log(0, "hello ")).toMatchObject({ status: 200, text: "run\noffset 6\n" });
  await exchange.order(attemptId, { to: "interrupt", graceSeconds: 40 });
  expect(await log(9, "d!")).toMatchObject({ status: 409, text: "interrupt 40\noffset 6\n" });
  await exchange.order(attemptId, { to: "run" });
  await Promise.all([log(6, "world"), log(6, "world"), log(3, "lo world")]);
  await exchange.over(attemptId);
  expect(await log(11, "!")).toMatchObject({ status: 200, text: "run\noffset 12\n" });
  const all = await exchange.readLog(attemptId, "0", { offset: 0, bytesMax: 100 });
  expect(all.toString()).toBe("hello world!");
  // The other member's is its own.
  expect(await exchange.logBytes(attemptId, `j-${attemptId}-worker-0`)).toBe(0);
});

test("a log has a limit, and so has each message about it", async () => {
  const { url, attemptId } = await attempt();
  const tooMuch = Buffer.alloc(logPostBytesMax + 1, "x");
  expect((await ask("POST", `${url}/log?offset=0`, { body: tooMuch })).status).toBe(413);
  const chunked = new Blob([tooMuch]).stream();
  expect((await ask("POST", `${url}/log?offset=0`, { body: chunked })).status).toBe(413);
  expect(await exchange.logBytes(attemptId, "0")).toBe(0);
  const most = Buffer.alloc(logPostBytesMax, "x");
  expect(await ask("POST", `${url}/log?offset=0`, { body: most })).toMatchObject({
    status: 200,
    text: `run\noffset ${logPostBytesMax}\n`,
  });
  expect(await exchange.logBytes(attemptId, "0")).toBe(100_000);
});

test("results are kept when they are whole, after the whole log; also twice, and at once", async () => {
  const { url, attemptId } = await attempt();
  expect(await ask("PUT", `${url}/results?log=5`, { body: archive })).toMatchObject({
    status: 409,
    text: "run\noffset 0\n",
  });
  await ask("POST", `${url}/log?offset=0`, { body: "12345" });
  expect((await ask("PUT", `${url}/results`, { body: archive })).status).toBe(400);
  const half = archive.subarray(0, 1024 * 9);
  expect((await ask("PUT", `${url}/results?log=5`, { body: half })).status).toBe(422);
  expect(await exchange.results(attemptId, "0")).toBeUndefined();
  expect(await exchange.report(attemptId, "0")).toBeUndefined();
  const put = () => ask("PUT", `${url}/results?log=5`, { body: new Blob([archive]).stream() });
  expect((await Promise.all([put(), put(), put()])).map(({ status }) => status)).toEqual([
    200, 200, 200,
  ]);
  const stream = await exchange.results(attemptId, "0");
  expect(Buffer.concat((await stream?.toArray()) ?? []).equals(archive)).toBe(true);
  expect(await exchange.report(attemptId, "0")).toEqual({ logBytes: 5, results: "whole" });
  expect(await readdir(exchange.places.incoming)).toEqual([]);
});

test("too large an archive is refused while it comes, and leaves nothing but the word", async () => {
  const { url, attemptId, machineId } = await attempt();
  const large = new Blob([Buffer.alloc(40_000_000)]).stream();
  expect(await ask("PUT", `${url}/results?log=0`, { body: large })).toMatchObject({
    status: 413,
    text: "too_large 200000\n",
  });
  expect(await exchange.report(attemptId, "0")).toEqual({ logBytes: 0, results: "too_large" });
  await expect(exchange.results(attemptId, "0")).rejects.toMatchObject({ code: "refused" });
  expect(await readdir(exchange.places.incoming)).toEqual([]);
  expect((await readdir(exchange.places.attempt(attemptId))).toSorted()).toEqual(
    ["attempt.json", `${machineId}.json`].toSorted(),
  );
});

test("an upload that breaks off leaves nothing, and its place to the next", async () => {
  const { url, attemptId } = await attempt();
  for (let count = 0; count < 6; count += 1) {
    const put = beginUpload(url);
    await expect
      .poll(async () => (await readdir(exchange.places.incoming)).length, { timeout: 30_000 })
      .toBe(1);
    put.destroy();
    await expect
      .poll(async () => (await readdir(exchange.places.incoming)).length, { timeout: 30_000 })
      .toBe(0);
  }
  expect((await ask("PUT", `${url}/results?log=0`, { body: archive })).status).toBe(200);
  expect(await exchange.report(attemptId, "0")).toMatchObject({ results: "whole" });
}, 120_000);

/** Begins to send, and does not end. */
function beginUpload(url: string) {
  const upload = request(`${url}/results?log=0`, {
    method: "PUT",
    headers: { authorization: `Bearer ${token}` },
  });
  upload.on("error", () => undefined);
  upload.write("x");
  return upload;
}

test("only so many uploads at a time, of one attempt and in all", async () => {
  const { url } = await attempt();
  const held = Array.from({ length: usualInboxLimits.uploadsPerAttemptMax }, () =>
    beginUpload(url),
  );
  await expect
    .poll(async () => (await readdir(exchange.places.incoming)).length, { timeout: 30_000 })
    .toBe(held.length);
  const busy = await ask("PUT", `${url}/results?log=0`, { body: archive });
  expect([busy.status, busy.headers.get("retry-after")]).toEqual([503, "5"]);
  const another = await attempt();
  expect((await ask("PUT", `${another.url}/results?log=0`, { body: archive })).status).toBe(200);
  limits.uploadsMax = held.length;
  expect((await ask("PUT", `${another.url}/results?log=0`, { body: archive })).status).toBe(503);
  limits.uploadsMax = usualInboxLimits.uploadsMax;
  for (const each of held) each.destroy();
  await expect
    .poll(async () => (await ask("PUT", `${url}/results?log=0`, { body: archive })).status, {
      timeout: 30_000,
    })
    .toBe(200);
}, 120_000);

test("who falls silent in the middle is not waited for", async () => {
  const { url } = await attempt();
  limits.silenceMs = 200;
  const put = beginUpload(url);
  await new Promise((resolve) => {
    put.once("error", resolve);
    put.once("response", resolve);
  });
  limits.silenceMs = usualInboxLimits.silenceMs;
  await expect
    .poll(async () => (await readdir(exchange.places.incoming)).length, { timeout: 30_000 })
    .toBe(0);
}, 60_000);

test("where too little of the disk is free nothing is taken: 507, and it may come again", async () => {
  const { url, attemptId } = await attempt();
  limits.freeBytesMin = Number.MAX_SAFE_INTEGER;
  const log = await ask("POST", `${url}/log?offset=0`, { body: "hello" });
  expect([log.status, log.headers.get("retry-after")]).toEqual([507, "5"]);
  // That it lives, and what it is told, needs no room.
  expect((await ask("POST", `${url}/log?offset=0`)).status).toBe(200);
  expect((await ask("PUT", `${url}/results?log=0`, { body: archive })).status).toBe(507);
  expect(await readdir(exchange.places.incoming)).toEqual([]);
  limits.freeBytesMin = 0;
  expect(await exchange.logBytes(attemptId, "0")).toBe(0);
  expect(await exchange.report(attemptId, "0")).toBeUndefined();
  expect((await ask("POST", `${url}/log?offset=0`, { body: "hello" })).status).toBe(200);
  expect((await ask("PUT", `${url}/results?log=5`, { body: archive })).status).toBe(200);
});

const aPage = async () => ({ status: 200, headers: {}, body: "a page" }) as const;

test("a server without clusters has nothing at that path, and no page either", async () => {
  const { url } = await testApi({ pages: { answer: aPage } });
  expect((await fetch(`${url}/somewhere`)).status).toBe(200);
  const found = await fetch(`${url}/job-agent/attempts/${uuid()}/0/inputs`);
  expect(found.status).toBe(404);
  expect(found.headers.get("content-type")).toContain("application/problem+json");
});

test("an attempt that was removed meanwhile is not there", async () => {
  const { url, attemptId } = await attempt();
  await ask("POST", `${url}/log?offset=0`, { body: "hello" });
  await exchange.remove(attemptId);
  expect((await ask("POST", `${url}/log?offset=5`, { body: "hello" })).status).toBe(404);
  expect(await readdir(exchange.places.attempts)).not.toContain(attemptId);
});

test("one program has a rate of its own, which is nobody else's", async () => {
  const { url } = await attempt();
  const { url: other } = await attempt();
  const statuses: number[] = [];
  for (let count = 0; count < 100 && !statuses.includes(429); count += 1) {
    const some = Array.from({ length: 50 }, () => ask("POST", `${url}/log?offset=0`));
    statuses.push(...(await Promise.all(some)).map(({ status }) => status));
  }
  expect(new Set(statuses)).toEqual(new Set([200, 429]));
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(64);
  expect((await ask("POST", `${other}/log?offset=0`)).status).toBe(200);
  const refused = await ask("POST", `${url}/log?offset=0`, { bearer: "wrong" });
  expect(refused.status).toBe(401);
});

test("no token is in the log, and agents are counted as themselves", async () => {
  const lines = JSON.stringify(logged);
  expect(lines).toContain("job_agent");
  expect(lines).not.toContain(token);
  const attempts = await readdir(exchange.places.attempts);
  const texts = attempts.map((id) =>
    readFile(join(exchange.places.attempt(id), "attempt.json"), "utf8"),
  );
  expect((await Promise.all(texts)).join("")).not.toContain(token);
});
