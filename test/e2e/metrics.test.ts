/** What is promised to whoever watches: each metric that the rules and the guide name is exported. */
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

import { startApp, type App } from "#app/app.ts";
import { readConfig } from "#config/config.ts";
import { operations } from "#contract/operations.ts";
import { createObserver } from "#observe/observer.ts";

const root = resolve(import.meta.dirname, "../..");
const directory = await mkdtemp(join(tmpdir(), "millrace-metrics-"));
await chmod(directory, 0o711);
let app: App;
let exported: ReadonlySet<string>;
let loops: readonly string[];

beforeAll(async () => {
  app = await startApp({
    config: readConfig(["--port", "0", "--local", "off", "--simulate-gpus", "T4=1"], {}),
    dataDirectory: join(directory, "data"),
    repositoryRoot: root,
    observer: createObserver({ level: "silent", processMetrics: true }),
  });
  const answer = await fetch(`${app.url ?? ""}/metrics`);
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  exported = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? ""));
  loops = [...text.matchAll(/^millrace_loop_failures_in_row\{loop="([^"]+)"\}/gm)].map(
    ([, name]) => name ?? "",
  );
}, 120_000);
afterAll(async () => {
  await app.close();
  await rm(directory, { recursive: true, force: true });
});

const rulesFile = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.strictObject({
          alert: z.string(),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.strictObject({ severity: z.enum(["page", "ticket"]) }),
          annotations: z.strictObject({
            summary: z.string(),
            summary_zh: z.string().regex(/\p{Script=Han}/u),
            todo: z.string(),
          }),
        }),
      ),
    }),
  ),
});

async function rules(): Promise<z.output<typeof rulesFile>["groups"][number]["rules"]> {
  const text = await readFile(join(root, "docs/operate/alerts.yml"), "utf8");
  return rulesFile.parse(parse(text)).groups.flatMap((group) => group.rules);
}

/** The names of which no metric is exported; those of a histogram's parts are of the histogram. */
function unknownIn(text: string): string[] {
  const names = [...text.matchAll(/\bmillrace_[a-z0-9_]+/g)].map(([name]) => name);
  return names.filter(
    (name) => !exported.has(name) && !exported.has(name.replace(/_(?:bucket|count|sum)$/, "")),
  );
}

test("each alert rule asks for metrics that are there, once by each name", async () => {
  const all = await rules();
  expect(all.length).toBeGreaterThan(10);
  expect(new Set(all.map(({ alert }) => alert)).size).toBe(all.length);
  for (const { alert, expr } of all) {
    expect({ alert, unknown: unknownIn(expr) }).toEqual({ alert, unknown: [] });
    expect(expr).toMatch(/millrace/);
  }
  expect(unknownIn("rate(millrace_no_such_total[5m])")).toEqual(["millrace_no_such_total"]);
});

test("the board of the operation asks for metrics that are there", async () => {
  const board = z.object({
    panels: z.array(z.object({ targets: z.array(z.object({ expr: z.string() })).min(1) })),
  });
  const text = await readFile(join(root, "docs/operate/grafana/operation.json"), "utf8");
  const { panels } = board.parse(JSON.parse(text));
  expect(panels.length).toBeGreaterThan(10);
  const asked = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  expect(asked.flatMap(unknownIn)).toEqual([]);
  expect(asked.filter((expr) => !expr.includes("millrace_"))).toEqual([]);
});

test("loops and operations that a rule names are there", async () => {
  for (const { expr } of await rules()) {
    for (const [, pattern = ""] of expr.matchAll(/loop=~"([^"]+)"/g)) {
      for (const each of pattern.split("|")) {
        expect(loops.filter((loop) => new RegExp(`^(?:${each})$`).test(loop))).not.toEqual([]);
      }
    }
    for (const [, names = ""] of expr.matchAll(/operation=~"([^"]+)"/g)) {
      expect(Object.keys(operations)).toEqual(expect.arrayContaining(names.split("|")));
    }
  }
});

test("the guide for the operator names no metric that is not there, and points to the rules", async () => {
  const guide = await readFile(join(root, "docs/operate/RUNNING.md"), "utf8");
  const rows = guide.split("\n").filter((line) => /^\| `millrace_[a-z]/.test(line));
  expect(rows.length).toBeGreaterThan(5);
  const named = rows.flatMap((row) => row.match(/`millrace_[a-z0-9_]+`/g) ?? []);
  expect(named.flatMap((name) => unknownIn(name.replaceAll("`", "")))).toEqual([]);
  expect(guide).toContain("(alerts.yml)");
});
