/**
 * The chart as `helm template` would render it. Helm itself cannot be had where these tests run: it is
 * in neither of the registries that they may use. Its own engine gave the same bytes.
 */
import { globSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";

import { parse as parseYaml, parseAllDocuments } from "yaml";

import { parse, type Node } from "./parse.ts";
import { runNodes } from "./run.ts";

export const chartFolder = resolve(import.meta.dirname, "../../deploy/helm/millrace");

/** As Kubernetes reads it. */
const yaml = { version: "1.1" } as const;

export interface Release {
  readonly name: string;
  readonly namespace: string;
}
export type Values = Readonly<Record<string, unknown>>;
export interface Rendered {
  readonly file: string;
  readonly text: string;
}

export function readValues(file: string): Values {
  return map(parseYaml(readFileSync(join(chartFolder, file), "utf8"), yaml));
}

/** As Helm lays one file over another: maps are merged, all else is replaced. */
export function merged(under: Values, over: Values): Values {
  const made: Record<string, unknown> = { ...under };
  for (const [name, value] of Object.entries(over)) {
    const there = made[name];
    made[name] = isMap(there) && isMap(value) ? merged(there, value) : value;
  }
  return made;
}

export function render(values: Values, release: Release): Rendered[] {
  const sources = globSync("templates/**/*", { cwd: chartFolder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
  const defined = new Map<string, readonly Node[]>();
  const files = sources.map((path) => {
    const parsed = parse(readFileSync(path, "utf8"));
    for (const [name, nodes] of parsed.defined) {
      if (defined.has(name)) throw new Error(`${name} is defined twice`);
      defined.set(name, nodes);
    }
    return { path, nodes: parsed.nodes };
  });
  const chart = map(parseYaml(readFileSync(join(chartFolder, "Chart.yaml"), "utf8"), yaml));
  const data = {
    Values: values,
    Release: {
      Name: release.name,
      Namespace: release.namespace,
      Service: "Helm",
      IsInstall: true,
      IsUpgrade: false,
      Revision: 1,
    },
    // Helm gives a chart's fields with a capital letter.
    Chart: Object.fromEntries(
      Object.entries(chart).map(([name, value]) => [name[0]?.toUpperCase() + name.slice(1), value]),
    ),
    Files: { Get: (name: string) => readFileSync(join(chartFolder, name), "utf8") },
  };
  return files
    .filter(({ path }) => !basename(path).startsWith("_"))
    .map(({ path, nodes }) => {
      const file = path.slice(chartFolder.length + 1);
      try {
        return { file, text: runNodes({ defined }, nodes, data) };
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new Error(`${file}: ${why}`, { cause });
      }
    });
}

/** All objects of what was rendered; NOTES.txt is for a person. */
export function objectsOf(rendered: readonly Rendered[]): Record<string, unknown>[] {
  return rendered
    .filter(({ file }) => file.endsWith(".yaml"))
    .flatMap(({ file, text }) =>
      parseAllDocuments(text, yaml).flatMap((document) => {
        if (document.errors.length > 0) throw new Error(`${file}: ${document.errors.join("; ")}`);
        const value: unknown = document.toJS();
        return value === null ? [] : [map(value)];
      }),
    );
}

export function map(value: unknown): Record<string, unknown> {
  if (!isMap(value)) throw new Error("a map is wanted");
  return value;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
