/** A price profile as text to edit, and back; where in the text a field stands. */
import { LineCounter, parseDocument, stringify } from "yaml";
import { profileFromText } from "#client/profile-text.ts";

export function yamlOf(profile: Readonly<Record<string, unknown>>): string {
  return stringify(profile, { lineWidth: 0 });
}

export type ReadText =
  | { readonly profile: Readonly<Record<string, unknown>> }
  | { readonly problem: string };

export function readText(text: string, name: string): ReadText {
  try {
    return { profile: profileFromText(text, name) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * The line of a field, from 1; `undefined` where it is not there. A problem names it with dots, and names
 * may have dots themselves: so the path is followed by the longest name that fits.
 */
export function lineOf(text: string, path: string): number | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, { schema: "core", lineCounter: lines });
  let at: unknown = document.contents;
  let rest = path;
  let offset: number | undefined;
  while (rest !== "") {
    const next = childOf(at, rest);
    if (next === undefined) break;
    at = next.value;
    offset = next.offset ?? offset;
    rest = rest.slice(next.name.length + 1);
  }
  return offset === undefined ? undefined : lines.linePos(offset).line;
}

interface Child {
  readonly name: string;
  readonly value: unknown;
  readonly offset: number | undefined;
}

function childOf(node: unknown, path: string): Child | undefined {
  const items = isRecord(node) && Array.isArray(node["items"]) ? node["items"] : [];
  const children = items.map((item: unknown, index): Child => {
    const isPair = isRecord(item) && "key" in item;
    const key = isPair ? item["key"] : item;
    const value = isPair ? item["value"] : item;
    const name = isPair && isRecord(key) ? String(key["value"]) : String(index);
    return { name, value, offset: offsetOf(key) };
  });
  return children
    .filter(({ name }) => path === name || path.startsWith(`${name}.`))
    .toSorted((a, b) => b.name.length - a.name.length)[0];
}

function offsetOf(node: unknown): number | undefined {
  const range = isRecord(node) ? node["range"] : undefined;
  const first: unknown = Array.isArray(range) ? range[0] : undefined;
  return typeof first === "number" ? first : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
