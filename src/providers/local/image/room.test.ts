import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";

import { ProviderError } from "#providers/provider.ts";

import { runProgram } from "./program.ts";
import { isDiskFull, requireRoom } from "./room.ts";

test("a build that would fill the disk does not begin, and the refusal has the numbers", async () => {
  const directory = tmpdir();
  const { bavail, bsize } = await statfs(directory);
  const ask = { image: "general", directory, buildBytes: bavail * bsize };
  const error: unknown = await requireRoom(ask).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ name: "ProviderError", code: "capacity", effect: "none" });
  expect(String(error)).toMatch(
    /image general: it takes \d+ MiB.*\d+ MiB are left at .*--image-cache/,
  );
  await requireRoom({ ...ask, buildBytes: 0 });
});

test("a full disk is known by its code and by what programs say of it", async () => {
  const signal = AbortSignal.timeout(10_000);
  const script = "echo tar: x: Cannot write: No space left on device >&2; seq 1 9 >&2; exit 2";
  const said: unknown = await runProgram("sh", ["-c", script], { signal }).catch(
    (cause: unknown) => cause,
  );
  expect(isDiskFull(said)).toBe(true);
  expect(isDiskFull(Object.assign(new Error("write"), { code: "ENOSPC" }))).toBe(true);
  const cause = Object.assign(new Error("write"), { code: "EDQUOT" });
  expect(isDiskFull(new ProviderError("unknown", "x", { effect: "none", cause }))).toBe(true);
  expect(isDiskFull(new Error("the network is down"))).toBe(false);
});

test("a program that is missing is named with the line that installs it", async () => {
  const environment = { PATH: "/nowhere" };
  const signal = AbortSignal.timeout(10_000);
  const error: unknown = await runProgram("genisoimage", [], { signal, environment }).catch(
    (cause: unknown) => cause,
  );
  expect(String(error)).toContain("apt-get install --no-install-recommends genisoimage");
});
