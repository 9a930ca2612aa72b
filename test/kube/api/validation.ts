/** What the server checks in what is sent: its head, and every field against the schema of its kind. */
import type { Kind } from "#providers/kubevirt/client/kind.ts";
import { apiVersion } from "#providers/kubevirt/client/kind.ts";
import type { SchemaProblem, Schemas } from "#test/kube/schema.ts";
import type { JsonObject } from "#test/kube/schema-node.ts";

import { textAt, withAt } from "./json.ts";
import { badRequest, type Cause, invalid } from "./refusal.ts";

/** `none` is for those inside, who write thousands of statuses. */
export type Validation = "Strict" | "Warn" | "Ignore" | "none";

export interface Checked {
  readonly object: JsonObject;
  readonly warnings: readonly string[];
}

const causeReasons = {
  "unknown-kind": "FieldValueInvalid",
  "unknown-field": "FieldValueInvalid",
  required: "FieldValueRequired",
  type: "FieldValueTypeInvalid",
  value: "FieldValueInvalid",
} as const satisfies Record<SchemaProblem["code"], string>;

/** Throws `Refusal` 400 for fields that are unknown, 422 for values that are wrong. */
export function checked(
  schemas: Schemas,
  of: { readonly kind: Kind; readonly object: JsonObject; readonly validation: Validation },
): Checked {
  const { kind, object, validation } = of;
  const known = schemas.find(apiVersion(kind), kind.kind) !== undefined;
  if (validation === "none" || !known) return { object, warnings: [] };
  const problems = schemas.problems(withAt(object, ["metadata", "managedFields"], undefined));
  const unknown = problems.filter(({ code }) => code === "unknown-field");
  if (validation === "Strict" && unknown.length > 0) {
    const said = unknown.map(({ message }) => message).join(", ");
    throw badRequest(
      `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: strict decoding error: ${said}`,
    );
  }
  const wrong = problems.filter(({ code }) => code !== "unknown-field");
  if (wrong.length > 0) {
    const name = textAt(object, "metadata", "name");
    throw invalid(kind, name, wrong.map(toCause));
  }
  const kept = unknown.reduce((left, { path }) => withAt(left, path.split("."), undefined), object);
  const warnings = validation === "Warn" ? unknown.map(({ message }) => message) : [];
  return { object: kept, warnings };
}

function toCause({ path, code, message }: SchemaProblem): Cause {
  return { reason: causeReasons[code], message, field: path };
}

const namePattern = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** Throws `Refusal` if what is sent is not of the kind and place that its address says. */
export function checkHead(
  kind: Kind,
  input: JsonObject,
  at: { readonly namespace?: string | undefined; readonly name?: string },
): void {
  const said = textAt(input, "kind");
  const version = textAt(input, "apiVersion");
  if ((said !== "" && said !== kind.kind) || (version !== "" && version !== apiVersion(kind))) {
    throw badRequest(
      `the API version in the data (${version}, ${said}) does not match the expected API version (${apiVersion(kind)}, ${kind.kind})`,
    );
  }
  const namespace = textAt(input, "metadata", "namespace");
  if (namespace !== "" && namespace !== (at.namespace ?? "")) {
    throw badRequest("the namespace of the provided object does not match the namespace sent");
  }
  const name = textAt(input, "metadata", "name");
  if (at.name !== undefined && name !== "" && name !== at.name) {
    throw badRequest("the name of the object does not match the name on the URL");
  }
  const meant = at.name ?? name;
  const colons = kind.group === "rbac.authorization.k8s.io";
  if (meant !== "" && !colons && (meant.length > 253 || !namePattern.test(meant))) {
    const message = `Invalid value: "${meant}": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'`;
    throw invalid(kind, meant, [{ reason: "FieldValueInvalid", message, field: "metadata.name" }]);
  }
}
