import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

import { createObserver } from "#observe/observer.ts";

import { localImages, untilDone } from "./local-images.ts";

test("what fails is tried again after rests that grow, what is done is not", async () => {
  const tried: string[] = [];
  const rests: number[] = [];
  await untilDone({
    names: ["a", "b"],
    signal: new AbortController().signal,
    attempt: (name) => {
      tried.push(name);
      return Promise.resolve(name === "a" || rests.length === 3);
    },
    resting: (ms) => rests.push(ms),
    firstPauseMs: 1,
  });
  expect(tried).toEqual(["a", "b", "b", "b", "b"]);
  expect(rests).toEqual([1, 2, 4]);
});

test("a rest ends with the program", async () => {
  const stopping = new AbortController();
  await untilDone({
    names: ["a"],
    signal: stopping.signal,
    attempt: () => Promise.resolve(false),
    resting: () => setImmediate(() => stopping.abort()),
  });
  expect(stopping.signal.aborted).toBe(true);
});

test("an image that cannot be built is asked for with the reason, and leaves nothing", async () => {
  const cacheDirectory = await mkdtemp(join(tmpdir(), "millrace-images-"));
  onTestFinished(() => rm(cacheDirectory, { recursive: true, force: true }));
  await chmod(cacheDirectory, 0o711);
  const path = process.env["PATH"];
  onTestFinished(() => {
    process.env["PATH"] = path;
  });
  process.env["PATH"] = "/nowhere";
  const steps: string[] = [];
  const images = localImages({
    cacheDirectory,
    observer: createObserver({ level: "silent" }),
    progress: (step) => steps.push(step),
    signal: AbortSignal.timeout(20_000),
  });
  expect(() => images.find("tiny")).toThrow("The image tiny is being built.");
  expect(() => images.find("windows")).toThrow("There is no image windows here.");
  await images.build("tiny");
  expect(steps).not.toEqual([]);
  const why =
    /^The image tiny could not be built: .*Check the network and the sources in \/etc\/apt/;
  expect(images.troubles()).toEqual([expect.stringMatching(why)]);
  expect(() => images.find("tiny")).toThrow(why);
  expect(await readdir(cacheDirectory)).toEqual([]);
});
