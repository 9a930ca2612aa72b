/**
 * A price profile from a file, JSON or YAML. A decimal that is written without quotes keeps its
 * digits: it becomes the text that it is in the file, never a floating-point number.
 */
import { parseDocument, visit } from "yaml";
import { z } from "zod";

import { Failure } from "#kernel/failure.ts";

import { readTextFile } from "./files.ts";

const objectSchema = z.record(z.string(), z.unknown());
const aliasesMax = 100;

export async function readProfile(path: string): Promise<Record<string, unknown>> {
  return profileFromText(await readTextFile(path), path);
}

export function profileFromText(text: string, path: string): Record<string, unknown> {
  // JSON is YAML too.
  const document = parseDocument(text, { schema: "core", uniqueKeys: true });
  const [error] = document.errors;
  if (error !== undefined) {
    throw new Failure("invalid_request", `${path} is neither JSON nor YAML: ${error.message}`);
  }
  visit(document, {
    Scalar: (_key, node) => {
      if (typeof node.value === "number" && node.source?.includes(".") === true) {
        node.value = node.source;
      }
    },
  });
  const parsed = objectSchema.safeParse(document.toJS({ maxAliasCount: aliasesMax }));
  if (parsed.success) return parsed.data;
  throw new Failure("invalid_request", `${path} is not an object with the fields of a profile.`);
}
