/** The contract's paths in the forms that the router needs. */
import { operations, type OperationId } from "#contract/operations.ts";

function isOperationId(text: string): text is OperationId {
  return Object.hasOwn(operations, text);
}

export const operationIds: readonly OperationId[] = Object.keys(operations).filter(isOperationId);

/** `/v1/leases/{leaseId}` as the router writes it: `/v1/leases/:leaseId`. */
export function routePath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1").replace(/\{\+\w+\}$/, "*");
}

/** The router calls the rest of a path `*`. */
export function namedParams(path: string, params: unknown): unknown {
  const [, name] = /\{\+(\w+)\}$/.exec(path) ?? [];
  if (name === undefined || typeof params !== "object" || params === null) return params;
  const { "*": rest, ...others }: Record<string, unknown> = { ...params };
  return { ...others, [name]: rest };
}

const patterns = operationIds.map((id) => {
  const { method, path } = operations[id];
  const source = path
    .replaceAll(".", "\\.")
    .replaceAll(/\{\w+\}/g, "[^/]+")
    .replace(/\{\+\w+\}$/, ".+");
  return { method, pattern: new RegExp(`^${source}$`), hasHead: answersHead(id) };
});

/** GET without the body; not for streams, whose work is the body. */
export function answersHead(id: OperationId): boolean {
  const { method, transport } = operations[id];
  return method === "GET" && (transport === "json" || transport === "text");
}

/** The methods that a path has; empty for an unknown path. */
export function methodsOf(path: string): string[] {
  const methods = new Set<string>();
  for (const { method, pattern, hasHead } of patterns) {
    if (!pattern.test(path)) continue;
    methods.add(method);
    if (hasHead) methods.add("HEAD");
  }
  return [...methods].toSorted();
}
