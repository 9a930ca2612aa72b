/** The script around a customer's program, with programs as customers have them, by both shells. */
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { type PodFolders, podFolders, sh } from "#test/kube/pod-scripts.ts";

import { runScript, shellWord } from "./entry.ts";

const until = { timeout: 60_000, interval: 50 };

describe.each(["dash", "busybox"] as const)("by %s", (shell) => {
  let pod: PodFolders;
  beforeEach(async () => {
    pod = await podFolders(shell);
  });
  afterEach(() => pod.remove());

  const run = (argv: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    pod.start(runScript, argv, more);
  const end = async (): Promise<unknown> => JSON.parse(await pod.text("end"));
  const forEver = 'while [ -e "$MILLRACE_WORK" ]; do sleep 0.2; done';

  test("a program's exit code, log and environment arrive; arguments stay as they are", async () => {
    const script = 'echo "$A $NODE_RANK $1"; echo to-err >&2; exit 3';
    const { ended } = run(["/bin/sh", "-c", script, "x", "a  'b' $(c)"], { A: "b", RANK: "2" });
    expect(await ended).toBe(3);
    expect(await pod.text("agent", "log")).toBe("b 2 a  'b' $(c)\nto-err\n");
    expect(await end()).toEqual({ end: "exited", code: 3 });
  });

  test("its PATH is its image's; ours is not in it", async () => {
    const { ended } = run(sh('printf %s "$PATH"'), { PATH: "/usr/bin:/bin" });
    expect(await ended).toBe(0);
    expect(await pod.text("agent", "log")).toBe("/usr/bin:/bin");
  });

  test("what a signal ended is told as one; a program that is not there is 127", async () => {
    expect(await run(sh("kill -SEGV $$")).ended).toBe(139);
    expect(await end()).toEqual({ end: "signaled", code: 139 });
    expect(await run(["/nowhere/program"]).ended).toBe(127);
  });

  test("a log over its limit is cut to the byte, and the program goes on", async () => {
    const { ended } = run(sh("head -c 100000000 /dev/zero; echo done >results/done"));
    expect(await ended).toBe(0);
    expect((await readFile(pod.at("agent", "log"))).byteLength).toBe(100_000);
    expect(await pod.text("work", "results", "done")).toBe("done\n");
  }, 120_000);

  test("a large log is kept whole, and as it was", async () => {
    const line = "seq 1 900000; printf 'and no newline at the end'";
    const { ended } = run(sh(line), { MILLRACE_LOG_BYTES_MAX: "67108864" });
    expect(await ended).toBe(0);
    const log = await pod.text("agent", "log");
    expect(log.startsWith("1\n2\n3\n")).toBe(true);
    expect(log.endsWith("\n899999\n900000\nand no newline at the end")).toBe(true);
    expect(log.length).toBe(6_188_895 + "and no newline at the end".length);
  }, 120_000);

  test("what is printed without a newline is there at once", async () => {
    const program = run(sh(`printf 50%%; ${forEver}`));
    await vi.waitFor(async () => expect(await pod.text("agent", "log")).toBe("50%"), until);
    await pod.terminate(program);
    expect(await program.ended).toBe(143);
  }, 120_000);

  test("at the time limit the program is ended, also one that does not want to", async () => {
    const { ended } = run(sh(`trap '' TERM; ${forEver}`), { MILLRACE_TIME_LIMIT_SECONDS: "1" });
    expect(await ended).toBe(124);
    expect(await end()).toMatchObject({ end: "timed_out" });
  }, 120_000);

  test("SIGTERM runs the checkpoint beside the program, and then ends it", async () => {
    const save = sh('echo saving; echo 17 >"$MILLRACE_CHECKPOINT/step"');
    const program = run(sh(`echo up; ${forEver}`), {
      MILLRACE_SAVE: save.map(shellWord).join(" "),
    });
    await vi.waitFor(async () => expect(await pod.text("agent", "log")).toBe("up\n"), until);
    await pod.terminate(program);
    expect(await program.ended).toBe(143);
    expect(await end()).toMatchObject({ end: "interrupted" });
    expect(await pod.text("work", "results", "checkpoint", "step")).toBe("17\n");
    expect(await pod.text("agent", "log")).toBe("up\nsaving\n");
  }, 120_000);

  test("a program that has closed its output is saved and ended like any other", async () => {
    const save = sh('echo saving; echo 17 >"$MILLRACE_CHECKPOINT/step"');
    const program = run(sh(`echo up; exec >&- 2>&-; touch closed; ${forEver}`), {
      MILLRACE_SAVE: save.map(shellWord).join(" "),
    });
    await vi.waitFor(() => expect(existsSync(pod.at("work", "closed"))).toBe(true), until);
    await pod.terminate(program);
    expect(await program.ended).toBe(143);
    expect(await pod.text("work", "results", "checkpoint", "step")).toBe("17\n");
    expect(await pod.text("agent", "log")).toBe("up\nsaving\n");
  }, 120_000);

  test("an order that is taken back while the work is saved leaves the program running", async () => {
    const save = sh(`touch saving; ${forEver}`);
    const { ended } = run(
      sh('while [ -e "$MILLRACE_WORK" ] && [ ! -e stop ]; do sleep 0.1; done'),
      { MILLRACE_SAVE: save.map(shellWord).join(" ") },
    );
    await vi.waitFor(() => expect(existsSync(pod.at("agent", "output"))).toBe(true), until);
    await writeFile(pod.at("agent", "interrupt"), "600\n");
    await vi.waitFor(() => expect(existsSync(pod.at("work", "saving"))).toBe(true), until);
    await rm(pod.at("agent", "interrupt"));
    await writeFile(pod.at("work", "stop"), "");
    expect(await ended).toBe(0);
    expect(await end()).toEqual({ end: "exited", code: 0 });
  }, 120_000);

  test("a daemon that it leaves behind with its output open holds nothing up for long", async () => {
    const line = `setsid sh -c '${forEver}' & echo $! >daemon; echo done`;
    const { ended } = run(sh(line));
    expect(await ended).toBe(0);
    expect(await pod.text("agent", "log")).toBe("done\n");
    expect(await end()).toEqual({ end: "exited", code: 0 });
  }, 120_000);

  test("without results, a work directory that cannot be written, a log that was removed: it ends as it ends", async () => {
    await mkdir(pod.at("work", "results"));
    const line = 'rm -r results; chmod a-w .; rm "$MILLRACE_AGENT/log"; echo unseen; exit 4';
    const { ended } = run(sh(line), { MILLRACE_AGENT: pod.at("agent") });
    expect(await ended).toBe(4);
    expect(await end()).toEqual({ end: "exited", code: 4 });
    expect((await stat(pod.at("work"))).mode & 0o200).toBe(0);
  });

  test("a log that the disk does not take does not stop the program", async () => {
    // Writing there always fails as a full disk does.
    const line = 'rm "$LOG"; ln -s /dev/full "$LOG"; seq 1 100000; touch results/through';
    const { ended } = run(sh(line), { LOG: pod.at("agent", "log") });
    expect(await ended).toBe(0);
    expect(existsSync(pod.at("work", "results", "through"))).toBe(true);
  }, 120_000);
});
