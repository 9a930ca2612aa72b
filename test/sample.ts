/**
 * A value that a schema accepts, made from the schema alone and always the same, so that tests can
 * have an answer of every operation without writing one down.
 */
import fc from "fast-check";
import { z } from "zod";

const node = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  format: z.string().optional(),
  pattern: z.string().optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  items: z.unknown().optional(),
  additionalProperties: z.unknown().optional(),
  minimum: z.number().optional(),
});

/** `path` tells equal parts apart: two ids in one answer are two ids. */
export function sampleOf(schema: z.ZodType, path = "$"): unknown {
  if (schema instanceof z.ZodUndefined) return undefined;
  return sample(z.toJSONSchema(schema, { io: "output", unrepresentable: "any" }), path);
}

function sample(schema: unknown, path: string): unknown {
  const it = node.parse(schema);
  if (it.const !== undefined) return it.const;
  if (it.enum !== undefined) return it.enum[0];
  const choices = it.anyOf ?? it.oneOf;
  if (choices !== undefined) return sample(choices[0], path);
  switch (Array.isArray(it.type) ? it.type[0] : it.type) {
    case "string":
      return textOf(it, path);
    case "integer":
    case "number":
      return Math.max(1, it.minimum ?? 1);
    case "boolean":
      return true;
    case "null":
      return null;
    case "array":
      return [0, 1].map((index) => sample(it.items, `${path}[${index}]`));
    case "object":
      return object(it, path);
    case undefined:
    default:
      return `anything at ${path}`;
  }
}

function object(it: z.output<typeof node>, path: string): Record<string, unknown> {
  if (it.properties === undefined) {
    return { A100: sample(it.additionalProperties ?? {}, `${path}.A100`) };
  }
  const required = new Set(it.required ?? []);
  const entries = Object.entries(it.properties).filter(([name]) => required.has(name));
  return Object.fromEntries(
    entries.map(([name, property]) => [name, sample(property, `${path}.${name}`)]),
  );
}

function textOf(it: z.output<typeof node>, path: string): string {
  const seed = hash(path);
  if (it.format === "uuid") return uuidFrom(seed);
  if (it.format === "date-time") return "2026-05-04T02:03:04Z";
  if (it.format === "date") return "2026-05-04";
  if (it.pattern !== undefined) {
    const [match] = fc.sample(fc.stringMatching(new RegExp(it.pattern, "u")), { seed, numRuns: 1 });
    return match ?? "";
  }
  return path.replace(/^.*\.(?=[^.]+$)/, "");
}

/** What a path must have in its places, and a query that is no longer than it must be. */
export function addressOf(
  { params, query }: { readonly params: z.ZodType; readonly query: z.ZodType },
  path = "$",
): { readonly params: Record<string, string>; readonly query: Record<string, string> } {
  return { params: texts(sampleOf(params, path)), query: texts(sampleOf(query, path)) };
}

function texts(fields: unknown): Record<string, string> {
  const entries = Object.entries(z.record(z.string(), z.unknown()).parse(fields ?? {}));
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

export function uuidFrom(seed: number): string {
  const hex = seed.toString(16).padStart(8, "0");
  return `${hex}-0000-4000-8000-${hex}0000`;
}

function hash(path: string): number {
  let value = 2_166_136_261;
  for (const character of path) {
    value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 16_777_619) >>> 0;
  }
  return value;
}
