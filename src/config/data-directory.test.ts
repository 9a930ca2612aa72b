import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";

import {
  defaultDataDirectory,
  lockHolder,
  openDataDirectory,
  requireFreeSpace,
} from "./data-directory.ts";

const scratch = await mkdtemp(join(tmpdir(), "millrace-data-directory-"));
afterAll(() => rm(scratch, { recursive: true, force: true }));

const isRoot = process.getuid?.() === 0;

const holderProgram = `
  const { openDataDirectory } = await import(process.argv[1]);
  await openDataDirectory(process.argv[2]);
  console.log("held");
  setInterval(() => {}, 1000);
`;

describe("one program at a time", () => {
  test("a second one is refused, with the number of the first", async () => {
    const path = join(scratch, "second");
    const first = await openDataDirectory(path);
    await expect(openDataDirectory(path)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining(`process ${process.pid}`),
    });
    expect(await lockHolder(path)).toBe(process.pid);
    await first.close();
    expect(await lockHolder(path)).toBeUndefined();
    const third = await openDataDirectory(path);
    await third.close();
  });

  test("the lock of a killed program is free at once, even if its children live on", async () => {
    const path = join(scratch, "killed");
    const holder = spawn(
      process.execPath,
      [
        "--conditions=source",
        "--input-type=module",
        "--eval",
        `const { spawn } = await import("node:child_process");
         ${holderProgram}
         const child = spawn("sleep", ["30"], { detached: true, stdio: "ignore" });
         console.log(child.pid);`,
        join(import.meta.dirname, "data-directory.ts"),
        path,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    let said = "";
    for await (const chunk of holder.stdout) {
      said += String(chunk);
      if (/held\n\d+\n/.test(said)) break;
    }
    const sleeper = Number(said.trim().split("\n").at(-1));
    try {
      expect(await lockHolder(path)).toBe(holder.pid);
      holder.kill("SIGKILL");
      await once(holder, "exit");
      const mine = await openDataDirectory(path);
      await mine.close();
    } finally {
      process.kill(sleeper, "SIGKILL");
    }
  });
});

test("only the owner reads it; other accounts may at most pass through", async () => {
  const directory = await openDataDirectory(join(scratch, "modes"));
  expect(await mode(directory.path)).toBe(isRoot ? 0o711 : 0o700);
  expect(await mode(directory.postgres)).toBe(isRoot ? 0o711 : 0o700);
  expect(await mode(directory.keys)).toBe(0o700);
  expect(await mode(directory.storage)).toBe(0o700);
  await directory.close();
});

test("a file in the way is named", async () => {
  const path = join(scratch, "file");
  await writeFile(path, "");
  await expect(openDataDirectory(path)).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining(path),
  });
});

test("the default follows MILLRACE_DATA, then the clone, then /var/lib for a closed clone", async () => {
  expect(await defaultDataDirectory({ MILLRACE_DATA: "/srv/cloud" }, scratch)).toBe("/srv/cloud");
  const open = join(scratch, "open");
  await mkdir(open);
  await chmod(scratch, 0o755);
  expect(await defaultDataDirectory({}, open)).toBe(join(open, "data"));
  await chmod(open, 0o700);
  expect(await defaultDataDirectory({}, open)).toBe(
    isRoot ? "/var/lib/millrace" : join(open, "data"),
  );
});

describe("a full disk", () => {
  test("is refused with the figures", async () => {
    await expect(requireFreeSpace(scratch, Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({
      code: "capacity",
      message: expect.stringMatching(/has \d+ MiB left/),
    });
  });

  test("is seen before anything is made", async ({ skip, onTestFinished }) => {
    const path = join(scratch, "tmpfs");
    await mkdir(path);
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "none", path]);
    if (mounted.status !== 0) skip("a file system of 1 MiB cannot be mounted here");
    onTestFinished(() => void spawnSync("umount", ["--lazy", path]));
    await expect(openDataDirectory(path)).rejects.toMatchObject({ code: "capacity" });
    await expect(stat(join(path, "postgres"))).rejects.toThrow("ENOENT");
  });
});

async function mode(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}
