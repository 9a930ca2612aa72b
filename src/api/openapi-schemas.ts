/**
 * The contract's schemas as JSON Schema components. A schema that the contract exports by name
 * becomes a component of that name. Where what is sent differs from what is answered (defaults,
 * unknown fields refused), there are two, and the one to send is called `…Input`.
 */
import { z } from "zod";

import * as billing from "#contract/schemas/billing.ts";
import * as catalog from "#contract/schemas/catalog.ts";
import * as common from "#contract/schemas/common.ts";
import * as compute from "#contract/schemas/compute.ts";
import * as jobs from "#contract/schemas/jobs.ts";
import * as identity from "#contract/schemas/identity.ts";
import * as platform from "#contract/schemas/platform.ts";
import * as sessions from "#contract/schemas/sessions.ts";
import { assert } from "#kernel/assert.ts";

export type JsonSchema = Record<string, unknown>;
type Direction = "input" | "output";
const jsonObject = z.record(z.string(), z.unknown());

const named = Object.entries({
  ...common,
  ...identity,
  ...catalog,
  ...compute,
  ...jobs,
  ...billing,
  ...platform,
  ...sessions,
});

const registry = z.registry<{ id: string }>();
for (const [name, schema] of named) {
  const isWorthAName = schema instanceof z.ZodObject || schema instanceof z.ZodEnum;
  // Queries become parameters, one by one.
  if (!isWorthAName || name.endsWith("Query") || registry.has(schema)) continue;
  registry.add(schema, { id: name.charAt(0).toUpperCase() + name.slice(1) });
}

/** Sums up the modules' exports, so that no name hides another. */
const modules: readonly object[] = [
  common,
  identity,
  catalog,
  compute,
  jobs,
  billing,
  platform,
  sessions,
];
assert(
  named.length === modules.reduce((sum, module) => sum + Object.keys(module).length, 0),
  "schemas of the contract have different names",
);

const refPrefix = "#/components/schemas/";

const all = {
  output: allOf("output"),
  input: allOf("input"),
} as const;

function allOf(io: Direction): Record<string, JsonSchema> {
  const { schemas } = z.toJSONSchema(registry, {
    io,
    uri: (id) => `${refPrefix}${id}`,
    override: ({ jsonSchema }) => tidy(jsonSchema, io),
  });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, schema]) => [id, withoutHead({ ...schema })]),
  );
}

/** What zod says and a reader does not need. */
function tidy(schema: JsonSchema, io: Direction): void {
  if ("format" in schema) delete schema["pattern"];
  if (schema["maximum"] === Number.MAX_SAFE_INTEGER) delete schema["maximum"];
  if (schema["minimum"] === Number.MIN_SAFE_INTEGER) delete schema["minimum"];
  // Clients must live with fields that a newer server adds.
  if (io === "output" && schema["additionalProperties"] === false) {
    delete schema["additionalProperties"];
  }
}

function withoutHead(schema: JsonSchema): JsonSchema {
  const { $schema: _schema, $id: _id, id: _name, ...rest } = schema;
  return rest;
}

/** Names whose two directions differ, by themselves or through what they refer to. */
const differing = new Set<string>();
for (let before = -1; before < differing.size;) {
  before = differing.size;
  for (const [id, output] of Object.entries(all.output)) {
    const refers = refsOf(output).some((ref) => differing.has(ref));
    if (refers || JSON.stringify(output) !== JSON.stringify(all.input[id])) differing.add(id);
  }
}

function refsOf(value: unknown): string[] {
  return [...JSON.stringify(value).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(
    (match) => match[1] ?? "",
  );
}

function nameOf(id: string, io: Direction): string {
  const isSentOnly = id.endsWith("Body");
  return io === "input" && differing.has(id) && !isSentOnly ? `${id}Input` : id;
}

/** The same schema, its references pointing to the components of one direction. */
function directed(schema: JsonSchema, io: Direction): JsonSchema {
  const text = JSON.stringify(schema).replaceAll(
    /"#\/components\/schemas\/(\w+)"/g,
    (_, id: string) => `"${refPrefix}${nameOf(id, io)}"`,
  );
  return jsonObject.parse(JSON.parse(text));
}

/** Collects the components that are used, while the document is made. */
export interface Components {
  /** A reference to a component where the schema has a name. */
  readonly schemaOf: (schema: z.ZodType, io: Direction) => JsonSchema;
  readonly inline: (schema: z.ZodType, io: Direction) => JsonSchema;
  readonly used: Record<string, JsonSchema>;
}

export function components(): Components {
  const used: Record<string, JsonSchema> = {};
  const use = (id: string, io: Direction): JsonSchema => {
    const name = nameOf(id, io);
    if (used[name] === undefined) {
      const schema = all[io][id] ?? {};
      used[name] = directed(schema, io);
      for (const ref of refsOf(schema)) use(ref, io);
    }
    return { $ref: `${refPrefix}${name}` };
  };
  const inline = (schema: z.ZodType, io: Direction): JsonSchema => {
    const whole = z.toJSONSchema(schema, {
      io,
      metadata: registry,
      override: ({ jsonSchema }) => tidy(jsonSchema, io),
    });
    const { $defs: _defs, ...own } = withoutHead({ ...whole });
    const text = JSON.stringify(own).replaceAll('"#/$defs/', `"${refPrefix}`);
    const linked = jsonObject.parse(JSON.parse(text));
    for (const ref of refsOf(linked)) use(ref, io);
    return directed(linked, io);
  };
  return {
    used,
    inline,
    schemaOf: (schema, io) => {
      const id = registry.get(schema)?.id;
      return id === undefined ? inline(schema, io) : use(id, io);
    },
  };
}
