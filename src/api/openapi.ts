/** The contract as OpenAPI 3.1: `openapi.json` in the repository and at `/openapi.json`. */
import { z } from "zod";

import type { Operation, Transport } from "#contract/operation.ts";
import { operations } from "#contract/operations.ts";
import { problem } from "#contract/schemas/common.ts";
import { failureClasses, type FailureCode } from "#kernel/failure.ts";

import { isMutation } from "./authorize.ts";
import { components, type Components, type JsonSchema } from "./openapi-schemas.ts";
import { operationIds } from "./route-table.ts";

/** Of the API, as in its paths; compatible additions do not change it. */
const apiVersion = "1";

const description = `Rent virtual machines, submit jobs, read what was used and what it costs.

Amounts are decimal strings in CNY; times are RFC 3339. Lists are pages: pass \`next\` back as
\`cursor\`. Errors are problem documents (RFC 9457) with a stable \`code\` and the numbers in
\`details\`. A mutation sent again with the same \`Idempotency-Key\` within a day has no second effect
and gets the same answer.`;

const tags = [
  { name: "identity", description: "Tenants, projects, users, keys" },
  { name: "catalog", description: "What can be rented, where it runs, what it costs" },
  { name: "leases", description: "Dedicated virtual machines" },
  { name: "jobs", description: "Work that runs in a machine of its own and ends" },
  { name: "billing", description: "Balance, usage, statements, quota" },
  { name: "metering", description: "Usage events, and the log that proves them" },
  { name: "platform", description: "Audit, health, metrics, this document" },
];

export function openApiDocument(): JsonSchema {
  const parts = components();
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const id of operationIds) {
    const operation: Operation = operations[id];
    const path = (paths[operation.path.replace("{+", "{")] ??= {});
    path[operation.method.toLowerCase()] = operationObject(id, operation, parts);
  }
  const problemSchema = parts.schemaOf(problem, "output");
  return {
    openapi: "3.1.1",
    info: {
      title: "Millrace",
      version: apiVersion,
      description,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    tags,
    security: [{ apiKey: [] }],
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: "http", scheme: "bearer", description: "An API key: `mrk_…`" },
      },
      responses: {
        Problem: {
          description: "A problem document (RFC 9457)",
          content: { "application/problem+json": { schema: problemSchema } },
        },
      },
      parameters: { IdempotencyKey: idempotencyKey, MillraceTenant: millraceTenant },
      schemas: sorted(parts.used),
    },
  };
}

const idempotencyKey = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description:
    "The same key with the same request within 24 hours: no second effect, the same answer " +
    "(header `Idempotency-Replayed: true`). With another request: 422.",
  schema: { type: "string", minLength: 1, maxLength: 255 },
};

const millraceTenant = {
  name: "Millrace-Tenant",
  in: "header",
  required: false,
  description: "Id or name of the tenant to act for; for root only.",
  schema: { type: "string" },
};

function operationObject(id: string, operation: Operation, parts: Components): JsonSchema {
  const isPublic = operation.permission === "public";
  const requestBody = requestBodyOf(operation, parts);
  return {
    operationId: id,
    summary: operation.summary,
    tags: [operation.tag],
    ...(isPublic ? { security: [] } : { "x-millrace-permission": operation.permission }),
    parameters: [
      ...parametersOf(operation.params, "path", parts),
      ...parametersOf(operation.query, "query", parts),
      ...(isMutation(operation) ? [{ $ref: "#/components/parameters/IdempotencyKey" }] : []),
      ...(isPublic ? [] : [{ $ref: "#/components/parameters/MillraceTenant" }]),
    ],
    ...(requestBody === undefined ? {} : { requestBody }),
    responses: { ...answersOf(operation, parts), ...problemsOf(operation) },
  };
}

const objectSchema = z.object({
  properties: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
  required: z.array(z.string()).default([]),
});

function parametersOf(schema: z.ZodObject, where: "path" | "query", parts: Components): unknown[] {
  // Not through `schemaOf`, which would answer with a reference.
  const { properties, required } = objectSchema.parse(parts.inline(schema, "input"));
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === "path" || required.includes(name),
    schema: property,
  }));
}

function requestBodyOf(operation: Operation, parts: Components): JsonSchema | undefined {
  if (operation.requestTransport === "bytes") {
    return { required: true, content: { "application/octet-stream": {} } };
  }
  if (operation.body === undefined) return undefined;
  const schema = parts.schemaOf(operation.body, "input");
  const required = !operation.body.safeParse({}).success;
  return { required, content: { "application/json": { schema } } };
}

const mediaTypeOf: Readonly<Record<Exclude<Transport, "json">, string>> = {
  bytes: "application/octet-stream",
  events: "text/event-stream",
  text: "text/plain",
};

function answersOf(operation: Operation, parts: Components): Record<string, JsonSchema> {
  const { status, transport, summary, result } = operation;
  const answer: JsonSchema = { description: summary };
  if (status !== 204) {
    answer["content"] =
      transport === "json"
        ? { "application/json": { schema: parts.schemaOf(result, "output") } }
        : { [mediaTypeOf[transport]]: {} };
  }
  return { [String(status)]: answer };
}

function problemsOf(operation: Operation): Record<string, JsonSchema> {
  const codes = new Set<FailureCode>([...commonFailures(operation), ...operation.failures]);
  const byStatus: Record<string, FailureCode[]> = {};
  for (const code of codes) (byStatus[failureClasses[code].status] ??= []).push(code);
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, list]) => [
      status,
      {
        $ref: "#/components/responses/Problem",
        description: list.map((code) => `\`${code}\`: ${failureClasses[code].title}`).join("; "),
      },
    ]),
  );
}

function commonFailures(operation: Operation): FailureCode[] {
  const codes: FailureCode[] = ["invalid_request", "internal", "unavailable"];
  if (operation.permission === "public") return codes;
  codes.push("unauthenticated", "forbidden", "not_found", "throttled");
  if (isMutation(operation)) codes.push("idempotency_mismatch");
  if (operation.body !== undefined) codes.push("payload_too_large", "unsupported_media_type");
  return codes;
}

function sorted(schemas: Record<string, JsonSchema>): Record<string, JsonSchema> {
  return Object.fromEntries(Object.entries(schemas).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
