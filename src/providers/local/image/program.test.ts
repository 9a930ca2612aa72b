import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, onTestFinished, test, vi } from "vitest";

import { runProgram } from "./program.ts";

const { signal } = new AbortController();

test("its output comes back; its last words are in the failure", async () => {
  expect(await runProgram("sh", ["-c", "echo out; echo beside >&2"], { signal })).toBe("out\n");
  await expect(runProgram("sh", ["-c", "echo why >&2; exit 3"], { signal })).rejects.toMatchObject({
    code: "unavailable",
    message: "sh failed: why",
    cause: { message: "sh ended with 3: why\n" },
  });
});

test("a program that hangs up on its whole group does not take us with it", async () => {
  let hangUps = 0;
  const count = (): void => {
    hangUps += 1;
  };
  process.on("SIGHUP", count);
  onTestFinished(() => void process.off("SIGHUP", count));
  const program = runProgram("perl", ["-e", "kill HUP => -getpgrp(); sleep 9"], { signal });
  await expect(program).rejects.toMatchObject({ cause: { message: "perl ended with SIGHUP: " } });
  expect(hangUps).toBe(0);
});

test("the signal ends all that it has started", async () => {
  const folder = await mkdtemp(join(tmpdir(), "millrace-program-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "pid");
  const stop = new AbortController();
  const program = runProgram("sh", ["-c", `sleep 600 & echo $! > ${file}; wait`], {
    signal: stop.signal,
  });
  await vi.waitFor(async () => expect(await readFile(file, "utf8")).toMatch(/\n$/), 30_000);
  const pid = Number(await readFile(file, "utf8"));
  stop.abort(new Error("stopped"));
  await expect(program).rejects.toThrow("stopped");
  await vi.waitFor(async () => {
    const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ") Z");
    expect(state).toContain(") Z");
  }, 30_000);
  await expect(runProgram("true", [], { signal: stop.signal })).rejects.toThrow("stopped");
});

test("more output than anybody wants ends the program", async () => {
  await expect(runProgram("yes", [], { signal })).rejects.toMatchObject({ code: "unavailable" });
});
