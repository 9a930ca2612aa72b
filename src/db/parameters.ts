/**
 * Parameters of statements in PostgreSQL's text form, for the statements that do not go through the
 * driver's own query (batch.ts). It takes the kinds that this program sends and refuses all others.
 */
import { assert } from "#kernel/assert.ts";

/** Bytes go as they are; everything else as text. */
export type Parameter = string | Buffer | null;

export function parameterOf(value: unknown): Parameter {
  if (value === null || value === undefined) return null;
  if (Buffer.isBuffer(value)) return value;
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  return Array.isArray(value) ? arrayText(value) : scalarText(value);
}

function scalarText(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") {
    return String(value);
  }
  assert(value instanceof Date, "a parameter is a scalar, an instant, bytes or a list of those");
  return value.toISOString();
}

/** Every element is quoted, so none can be taken for NULL, a brace or a comma. */
function arrayText(values: readonly unknown[]): string {
  const elements = values.map((value) => {
    if (value === null || value === undefined) return "NULL";
    if (Array.isArray(value)) return arrayText(value);
    return `"${scalarText(value).replaceAll(/["\\]/g, String.raw`\$&`)}"`;
  });
  return `{${elements.join(",")}}`;
}
