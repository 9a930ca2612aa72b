/**
 * A price profile as text, JSON or YAML. A decimal that is written without quotes keeps its digits: it
 * becomes the text that it is there, never a floating-point number. Pure; runs in a browser.
 */
import { parseDocument, visit } from "yaml";

import { Failure } from "#kernel/failure.ts";

const aliasesMax = 100;

/** `name`: what it came from, for whoever reads the failure. Throws `invalid_request`. */
export function profileFromText(text: string, name: string): Record<string, unknown> {
  // JSON is YAML too.
  const document = parseDocument(text, { schema: "core", uniqueKeys: true });
  const [error] = document.errors;
  if (error !== undefined) {
    throw new Failure("invalid_request", `${name} is neither JSON nor YAML: ${error.message}`);
  }
  visit(document, {
    Scalar: (_key, node) => {
      if (typeof node.value === "number" && node.source?.includes(".") === true) {
        node.value = node.source;
      }
    },
  });
  const parsed: unknown = document.toJS({ maxAliasCount: aliasesMax });
  if (isObject(parsed)) return parsed;
  throw new Failure("invalid_request", `${name} is not an object with the fields of a profile.`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
