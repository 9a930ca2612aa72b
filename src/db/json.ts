/** jsonb columns: written as text, read back by a schema. */
export function json(value: unknown): string {
  return JSON.stringify(value);
}
