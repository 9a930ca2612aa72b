/** The agents' scripts as they run in a pod, against the exchange as the API server serves it. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { appendFile, mkdir, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { v7 as uuid } from "uuid";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";

import { fetchScript, reportScript, runScript, shellWord } from "#providers/kubevirt/jobs/entry.ts";
import { testApi } from "#test/api-server.ts";
import { type PodFolders, podFolders, sh } from "#test/kube/pod-scripts.ts";

import { jobAgentRoutes } from "./agent.ts";
import { memberFiles, openExchange } from "./exchange.ts";
import { usualInboxLimits } from "./inbox.ts";

const folder = mkdtempSync(join(tmpdir(), "millrace-agents-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const exchange = await openExchange(join(folder, "exchange"));
const limits = { ...usualInboxLimits, freeBytesMin: 0 };
const { url: serverUrl } = await testApi({ jobAgent: jobAgentRoutes(exchange, limits) });

const until = { timeout: 60_000, interval: 50 };
const token = "an-attempts-t0ken";

describe.each(["dash", "busybox"] as const)("by %s", (shell) => {
  let pod: PodFolders;
  let attemptId = "";
  let machineId = "";
  let environment: Record<string, string> = {};

  beforeEach(async () => {
    pod = await podFolders(shell, token);
    attemptId = uuid();
    machineId = uuid();
    environment = { MILLRACE_URL: `${serverUrl}/job-agent/attempts/${attemptId}/0` };
    const usual = process.env["PATH"] ?? "";
    if (shell === "busybox") environment["PATH"] = `${pod.at("tools")}:${usual}`;
  });
  afterEach(() => pod.remove());

  const openAttempt = (
    over: { readonly inputsPath?: string; readonly logBytesMax?: number } = {},
  ) =>
    exchange.open({
      attemptId,
      tokenSha256: createHash("sha256").update(token).digest("hex"),
      logBytesMax: over.logBytesMax ?? 10_000_000,
      resultsBytesMax: 5_000_000,
      members: [
        {
          name: "0",
          machineId,
          ...(over.inputsPath === undefined ? {} : { inputsPath: over.inputsPath }),
        },
      ],
    });
  const fetchInputs = () => pod.start(fetchScript, [], environment);
  const report = () => pod.start(reportScript, [], environment);
  const log = async () =>
    (await exchange.readLog(attemptId, "0", { offset: 0, bytesMax: 8_000_000 })).toString();
  const done = () => exchange.report(attemptId, "0");

  /** What its agent brought, by name; `undefined` if it brought nothing. */
  async function results(): Promise<readonly string[]> {
    const { results: path } = memberFiles(exchange.places, attemptId, machineId);
    const list = execFileSync("tar", ["-t", "-v", "-f", path], { encoding: "utf8" });
    return list.split("\n").filter((line) => line !== "");
  }

  test("a whole life: inputs, log as it is printed, an order and its end, results", async () => {
    const source = pod.at("source");
    await mkdir(source);
    await writeFile(join(source, "data.txt"), "hello");
    const inputsPath = join(folder, `${attemptId}.tar`);
    execFileSync("tar", ["-c", "-C", source, "-f", inputsPath, "data.txt"]);
    await openAttempt({ inputsPath });
    expect(await fetchInputs().ended).toBe(0);
    expect(existsSync(pod.at("work", ".inputs.tar"))).toBe(false);

    const agent = report();
    const save = sh('echo 17 >"$MILLRACE_CHECKPOINT/step"; echo saved');
    const program = pod.start(
      runScript,
      sh('cat data.txt; while [ -e "$MILLRACE_WORK" ]; do sleep 0.2; done'),
      { MILLRACE_SAVE: save.map(shellWord).join(" ") },
    );
    await expect.poll(log, until).toBe("hello");
    await exchange.order(attemptId, { to: "interrupt", graceSeconds: 60 });
    expect(await program.ended).toBe(143);
    await pod.terminate(agent);
    expect(await agent.ended).toBe(0);
    expect(await log()).toBe("hellosaved\n");
    expect(await done()).toEqual({ logBytes: 11, results: "whole" });
    expect((await results()).join("\n")).toMatch(/checkpoint\/step$/m);
  }, 180_000);

  test("an attempt that is over, or not there, starts no program; nor does a wrong token", async () => {
    expect(await fetchInputs().ended).toBe(76);
    await openAttempt();
    expect(await fetchInputs().ended).toBe(0);
    await exchange.over(attemptId);
    const refused = fetchInputs();
    expect([await refused.ended, refused.said()]).toEqual([76, "this attempt is over\n"]);
    await writeFile(pod.at("access", "authorization"), "Authorization: Bearer other\n");
    const wrong = fetchInputs();
    expect(await wrong.ended).toBe(75);
    expect(wrong.said()).toContain("status 401");
  }, 120_000);

  test("an order comes, and is taken back", async () => {
    await openAttempt();
    const agent = report();
    await exchange.order(attemptId, { to: "interrupt", graceSeconds: 40 });
    const there = () => existsSync(pod.at("agent", "interrupt"));
    await expect.poll(there, until).toBe(true);
    expect(await pod.text("agent", "interrupt")).toBe("40\n");
    await exchange.order(attemptId, { to: "run" });
    await expect.poll(there, until).toBe(false);
    await pod.terminate(agent);
    expect(await agent.ended).toBe(0);
  }, 120_000);

  test("a large log arrives whole, also when the agent was begun anew, and when some of it was lost here", async () => {
    await openAttempt();
    const first = report();
    await writeFile(pod.at("agent", "log"), "one\n");
    await expect.poll(log, until).toBe("one\n");
    first.child.kill("SIGKILL");
    await first.ended;
    const text = `one\n${"two and more\n".repeat(100_000)}`;
    await writeFile(pod.at("agent", "log"), text);
    const second = report();
    await expect.poll(async () => (await log()).length, until).toBe(text.length);
    // As if the machine with the disk had lost its power.
    const { log: path } = memberFiles(exchange.places, attemptId, machineId);
    await truncate(path, 1000);
    await appendFile(pod.at("agent", "log"), "the end");
    await pod.terminate(second);
    expect(await second.ended).toBe(0);
    expect(await log()).toBe(`${text}the end`);
    expect(await done()).toEqual({ logBytes: text.length + 7, results: "whole" });
  }, 180_000);

  test("a log beyond what is kept is cut, and the agent comes to its end", async () => {
    await openAttempt({ logBytesMax: 1000 });
    await writeFile(pod.at("agent", "log"), "x".repeat(600_000));
    const agent = report();
    await pod.terminate(agent);
    expect(await agent.ended).toBe(0);
    expect(await log()).toBe("x".repeat(1000));
    expect(await done()).toEqual({ logBytes: 1000, results: "whole" });
  }, 120_000);

  test("files as programs leave them: links stay links, what cannot be read is left out, many are many", async () => {
    await openAttempt();
    const agent = report();
    await mkdir(pod.at("work", "results", "many"), { recursive: true });
    await symlink(pod.at("access"), pod.at("work", "results", "out"));
    await symlink(pod.at("access", "authorization"), pod.at("work", "results", "token"));
    execFileSync("sh", ["-c", 'mkfifo "$1"', "make", pod.at("work", "results", "pipe")]);
    const names = Array.from({ length: 2000 }, (_, index) => `-${index} \n`);
    for (const name of names) await writeFile(pod.at("work", "results", "many", name), "");
    await pod.terminate(agent);
    expect(await agent.ended).toBe(0);
    const listed = await results();
    expect(listed.filter((line) => line.startsWith("l")).length).toBe(2);
    expect(listed.filter((line) => line.includes("many/-")).length).toBe(2000);
    const stream = await exchange.results(attemptId, "0");
    expect(Buffer.concat((await stream?.toArray()) ?? []).includes(token)).toBe(false);
  }, 180_000);

  test.each(["results", "log"])(
    "a program that lays a link for its %s to the token gets nothing of it",
    async (which) => {
      await openAttempt();
      if (which === "results") await symlink(pod.at("access"), pod.at("work", "results"));
      else {
        await rm(pod.at("agent", "log"));
        await symlink(pod.at("access", "authorization"), pod.at("agent", "log"));
      }
      const agent = report();
      // It does not even begin where its log is not the one that was laid.
      if (which === "results") await pod.terminate(agent);
      expect(await agent.ended).toBe(which === "results" ? 0 : 1);
      expect(await log()).toBe("");
      const stream = await exchange.results(attemptId, "0");
      expect(Buffer.concat((await stream?.toArray()) ?? []).includes(token)).toBe(false);
      expect(agent.said()).toBe(which === "log" ? "the log is not where it was laid\n" : "");
    },
    120_000,
  );

  test("a log whose name the program gave to something else is still the log", async () => {
    await openAttempt();
    await writeFile(pod.at("agent", "log"), "mine\n");
    const agent = report();
    await expect.poll(log, until).toBe("mine\n");
    await rm(pod.at("agent", "log"));
    await symlink(pod.at("access", "authorization"), pod.at("agent", "log"));
    await pod.terminate(agent);
    expect(await agent.ended).toBe(0);
    expect(await log()).toBe("mine\n");
  }, 120_000);

  test("results that are too large are sent once, refused, and that is the end", async () => {
    await openAttempt();
    const agent = report();
    await mkdir(pod.at("work", "results"));
    await writeFile(pod.at("work", "results", "huge"), "");
    await truncate(pod.at("work", "results", "huge"), 2 ** 40);
    await pod.terminate(agent);
    expect(await agent.ended).toBe(0);
    expect(await done()).toEqual({ logBytes: 0, results: "too_large" });
  }, 120_000);

  test("without a directory of results an empty archive says that there are none", async () => {
    await openAttempt();
    await rm(pod.at("work"), { recursive: true });
    const agent = report();
    await pod.terminate(agent);
    expect(await agent.ended).toBe(0);
    expect(await done()).toEqual({ logBytes: 0, results: "whole" });
    expect(await results()).toEqual([]);
  }, 120_000);

  test("a full disk here is waited for: then all of it arrives", async () => {
    await openAttempt();
    await writeFile(pod.at("agent", "log"), "hello");
    limits.freeBytesMin = Number.MAX_SAFE_INTEGER;
    const agent = report();
    await pod.terminate(agent);
    await expect.poll(() => existsSync(exchange.places.attempt(attemptId)), until).toBe(true);
    expect(await done()).toBeUndefined();
    limits.freeBytesMin = 0;
    expect(await agent.ended).toBe(0);
    expect(await log()).toBe("hello");
    expect(await done()).toEqual({ logBytes: 5, results: "whole" });
  }, 120_000);
});
