import { readFile } from "node:fs/promises";
import { resolve } from "node:path";

import { expect, test } from "vitest";
import { z } from "zod";

import { operations } from "#contract/operations.ts";

import { openApiDocument } from "./openapi.ts";
import { operationIds } from "./route-table.ts";
import { openApiText } from "./write-openapi.ts";

const shape = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        operationId: z.string(),
        parameters: z.array(
          z.object({
            name: z.string().optional(),
            in: z.string().optional(),
            required: z.boolean().optional(),
          }),
        ),
        requestBody: z.object({ required: z.boolean() }).optional(),
      }),
    ),
  ),
});
const document = openApiDocument();
const { paths } = shape.parse(document);

test("openapi.json is what the contract says: run `npm run openapi`", async () => {
  const path = resolve(import.meta.dirname, "../../openapi.json");
  expect(await readFile(path, "utf8")).toBe(openApiText());
});

test("every operation is there, with its parameters", () => {
  const found = Object.values(paths).flatMap((methods) => Object.values(methods));
  expect(found.map(({ operationId }) => operationId).toSorted()).toEqual(operationIds.toSorted());
  for (const { operationId, parameters } of found) {
    const id = operationIds.find((each) => each === operationId);
    if (id === undefined) throw new Error(operationId);
    const named = (where: string): (string | undefined)[] =>
      parameters.filter((parameter) => parameter.in === where).map(({ name }) => name);
    expect(named("path")).toEqual(Object.keys(operations[id].params.shape));
    expect(named("query")).toEqual(Object.keys(operations[id].query.shape));
  }
});

test("every reference leads somewhere", () => {
  const text = JSON.stringify(document);
  const refs = new Set([...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map((match) => match[1] ?? ""));
  expect(refs.size).toBeGreaterThan(30);
  for (const ref of refs) {
    let at: unknown = document;
    for (const step of ref.split("/")) at = z.record(z.string(), z.unknown()).parse(at)[step];
    expect([ref, at]).toEqual([ref, expect.anything()]);
  }
});

test("a body is required where one of its fields is", () => {
  expect(paths["/v1/leases"]?.["post"]?.requestBody?.required).toBe(true);
  expect(paths["/v1/leases/{leaseId}/stop"]?.["post"]?.requestBody?.required).toBe(false);
  expect(paths["/v1/leases/{leaseId}/start"]?.["post"]?.requestBody).toBeUndefined();
});
