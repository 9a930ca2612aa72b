/** The functions of Go templates, Sprig and Helm that the chart uses, each with their own rules. */
import { createHash } from "node:crypto";

import { parse as parseYaml, stringify } from "yaml";

export type Callable = (...values: readonly unknown[]) => unknown;

/** Helm's YAML is 1.1, where a bare `on` is true. */
const yamlOptions = {
  version: "1.1",
  sortMapEntries: true,
  indentSeq: false,
  lineWidth: 0,
} as const;

export const functions: Readonly<Record<string, Callable>> = {
  not: (value) => isEmpty(value),
  eq: (value, ...others) => others.some((other) => other === value),
  ne: (value, other) => value !== other,
  default: (fallback, value) => (isEmpty(value) ? fallback : value),
  list: (...values) => values,
  dict: (...pairs) => {
    const made: Record<string, unknown> = {};
    for (let at = 0; at < pairs.length; at += 2) made[text(pairs[at])] = pairs[at + 1];
    return made;
  },
  has: (needle, list) => Array.isArray(list) && list.includes(needle),
  index: (from, ...keys) => keys.reduce((value, key) => entryOf(value, key), from),
  contains: (needle, value) => text(value).includes(text(needle)),
  trunc: (length, value) => text(value).slice(0, Number(length)),
  trimSuffix: (suffix, value) => {
    const whole = text(value);
    return whole.endsWith(text(suffix)) ? whole.slice(0, -text(suffix).length) : whole;
  },
  printf: (format, ...values) => {
    let at = 0;
    return text(format).replaceAll(/%[sdv]/g, () => printed(values[at++]));
  },
  quote: (value) => (value === null || value === undefined ? "" : JSON.stringify(printed(value))),
  indent: (spaces, value) => indented(Number(spaces), text(value)),
  nindent: (spaces, value) => `\n${indented(Number(spaces), text(value))}`,
  toYaml: (value) => stringify(value, yamlOptions).replace(/\n$/, ""),
  fromYaml: (value): unknown => parseYaml(text(value), { version: "1.1" }),
  toJson: (value) => JSON.stringify(value),
  sha256sum: (value) => createHash("sha256").update(text(value)).digest("hex"),
  fail: (message) => {
    throw new Error(text(message));
  },
};

/** What `if` takes for no. */
export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return true;
  if (value === "" || value === 0) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** Helm prints nothing for what is not there. */
export function printed(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return String(value);
  }
  throw new Error("a list or a map would be printed in Go's own notation");
}

function indented(spaces: number, value: string): string {
  const pad = " ".repeat(spaces);
  return pad + value.replaceAll("\n", `\n${pad}`);
}

function entryOf(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) return value[Number(key)];
  if (typeof value === "object" && value !== null) {
    return new Map<string, unknown>(Object.entries(value)).get(text(key));
  }
  throw new Error("index of something that has no entries");
}

function text(value: unknown): string {
  if (typeof value === "string") return value;
  throw new Error(`a string is wanted, not ${typeof value}`);
}
