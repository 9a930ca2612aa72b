/**
 * Helm's own word on the chart, where `helm` (4, or 3.8 and newer) is on the PATH. The registries that CI
 * may use do not have it: there, `chart.test.ts` holds the chart against the schemas, and what renders it
 * for that is held against Helm's engine here.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";

import { chartFolder, map, type Values } from "./chart.ts";
import { objects, release, valueFiles } from "./objects.ts";

const helmHere = spawnSync("helm", ["version"]).error === undefined;
const helmNote = helmHere ? "" : " (skipped: there is no helm on the PATH)";

const folder = mkdtempSync(join(tmpdir(), "millrace-helm-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function helm(...given: readonly string[]): string {
  // What it says beside its answer is that rules and boards are links.
  return execFileSync("helm", given, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

const nameOf = (object: unknown): string => {
  const { kind, metadata } = map(object);
  return `${String(kind)} ${String(map(metadata)["name"])}`;
};
const byName = (all: readonly unknown[]): [string, unknown][] =>
  all
    .map((each): [string, unknown] => [nameOf(each), each])
    .toSorted(([a], [b]) => a.localeCompare(b));

describe.skipIf(!helmHere)(`Helm itself${helmNote}`, () => {
  test.each(valueFiles)("lints the chart with %s: no error, no warning", (file) => {
    const said = helm("lint", "--strict", "-f", join(chartFolder, file), chartFolder);
    expect(said).toContain("0 chart(s) failed");
    expect(said).not.toMatch(/\[(WARNING|ERROR)\]/);
  });

  test.each(valueFiles)("renders with %s the objects that the other tests look at", (file) => {
    const { name, namespace } = release;
    const path = join(chartFolder, file);
    const text = helm("template", name, chartFolder, "-n", namespace, "-f", path);
    const all = parseAllDocuments(text, { version: "1.1" }).map((each): unknown => each.toJS());
    expect(byName(all.filter((each) => each !== null))).toEqual(byName(objects(file)));
  });

  test("refuses values that the schema refuses, naming the one", () => {
    const wrong: Values = { api: { replicas: 0 } };
    const path = join(folder, "wrong.yaml");
    writeFileSync(path, JSON.stringify(wrong));
    expect(() => helm("template", release.name, chartFolder, "-f", path)).toThrow(/api.*replicas/);
  });
});
