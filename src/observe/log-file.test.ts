import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { afterAll, expect, test } from "vitest";

import { openLogFile } from "./log-file.ts";
import { createObserver } from "./observer.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-log-"));
  folders.push(folder);
  return folder;
}

/** Oldest first. */
function linesIn(folder: string): string[] {
  return readdirSync(folder)
    .toSorted((a, b) => b.localeCompare(a))
    .flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n").slice(0, -1));
}

function bytesOf(lines: readonly string[]): number {
  return lines.join("\n").length + 1;
}

test("files are bounded in size and number, and keep the newest lines whole and in order", () => {
  const bytesMax = 1_000;
  const filesMax = 3;
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 60 }),
      fc.integer({ min: 1, max: 20 }),
      (lengths, restartEvery) => {
        const folder = newFolder();
        const path = join(folder, "millrace.log");
        let log = openLogFile({ path, bytesMax, filesMax });
        const written = lengths.map((length, index) => `${index} ${"x".repeat(length)}`);
        for (const [index, line] of written.entries()) {
          log.write(`${line}\n`);
          if (index % restartEvery === 0) {
            log.close();
            log = openLogFile({ path, bytesMax, filesMax });
          }
        }
        log.close();
        const names = readdirSync(folder);
        expect(names.length).toBeLessThanOrEqual(filesMax);
        for (const name of names) {
          expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(bytesMax);
        }
        const kept = linesIn(folder);
        expect(kept).toEqual(written.slice(written.length - kept.length));
        // All files but the one being written are full, to the length of a line.
        const full = (filesMax - 1) * (bytesMax - 304);
        expect(bytesOf(kept)).toBeGreaterThanOrEqual(Math.min(bytesOf(written), full));
      },
    ),
    { numRuns: 50 },
  );
});

test("only its owner reads the log, and a folder that is missing stops nobody", () => {
  const folder = newFolder();
  const missing = join(folder, "later");
  const lost = openLogFile({ path: join(missing, "millrace.log") });
  expect(() => lost.write("lost\n")).not.toThrow();

  const path = join(folder, "millrace.log");
  const destination = openLogFile({ path });
  createObserver({ level: "info", destination }).log.info({ loop: "meter" }, "hello");
  destination.close();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ msg: "hello", loop: "meter" });
});
