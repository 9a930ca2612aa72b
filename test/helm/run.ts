/** Runs what `parse.ts` read, with Go's rules of what is empty and Helm's of what is printed. */
import { functions, isEmpty, printed, type Callable } from "./functions.ts";
import type { Command, Node, Operand, Pipeline, Start } from "./parse.ts";

export interface Scope {
  /** `$`. */
  readonly root: unknown;
  readonly dot: unknown;
  readonly variables: ReadonlyMap<string, { value: unknown }>;
}

export interface Engine {
  readonly defined: ReadonlyMap<string, readonly Node[]>;
}

/** What `{{ include "name" . }}` gives; a template's own data is its `$`. */
export function runNodes(engine: Engine, nodes: readonly Node[], data: unknown): string {
  return run(engine, nodes, { root: data, dot: data, variables: new Map() });
}

function run(engine: Engine, nodes: readonly Node[], given: Scope): string {
  let scope = given;
  let text = "";
  for (const node of nodes) {
    switch (node.kind) {
      case "text":
        text += node.text;
        break;
      case "print":
        text += printed(valueOf(engine, node.value, scope));
        break;
      case "set": {
        const value = valueOf(engine, node.value, scope);
        scope = { ...scope, variables: new Map([...scope.variables, [node.name, { value }]]) };
        break;
      }
      case "branch": {
        const value = valueOf(engine, node.value, scope);
        if (isEmpty(value)) text += run(engine, node.no, scope);
        else text += run(engine, node.yes, node.word === "with" ? { ...scope, dot: value } : scope);
        break;
      }
      case "range":
        for (const value of itemsOf(valueOf(engine, node.value, scope))) {
          const variables = new Map(scope.variables);
          if (node.name !== undefined) variables.set(node.name, { value });
          text += run(engine, node.body, { ...scope, dot: value, variables });
        }
        break;
    }
  }
  return text;
}

function itemsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (isEmpty(value)) return [];
  throw new Error("range over something that is no list is not known here");
}

function valueOf(engine: Engine, pipeline: Pipeline, scope: Scope): unknown {
  let before: unknown[] = [];
  for (const command of pipeline) before = [called(engine, command, scope, before)];
  return before[0];
}

function called(engine: Engine, command: Command, scope: Scope, last: readonly unknown[]): unknown {
  const [first, ...rest] = command;
  if (first === undefined) throw new Error("an empty command");
  const values = (): unknown[] => [...rest.map((each) => operandOf(engine, each, scope)), ...last];
  if (first.kind === "function") {
    const { name } = first;
    // These two look at no more than they need.
    if (name === "and" || name === "or") return shortened(engine, name, rest, scope);
    if (name === "include") return include(engine, values());
    const known = functions[name];
    if (known === undefined) throw new Error(`the function ${name} is not known here`);
    return known(...values());
  }
  const value = operandOf(engine, first, scope);
  if (typeof value === "function") return callable(value)(...values());
  if (rest.length > 0 || last.length > 0) throw new Error("arguments for what is no function");
  return value;
}

function shortened(
  engine: Engine,
  word: "and" | "or",
  operands: readonly Operand[],
  scope: Scope,
): unknown {
  let value: unknown;
  for (const operand of operands) {
    value = operandOf(engine, operand, scope);
    if (isEmpty(value) === (word === "and")) return value;
  }
  return value;
}

function include(engine: Engine, [name, data]: readonly unknown[]): string {
  const nodes = engine.defined.get(String(name));
  if (nodes === undefined) throw new Error(`no template ${String(name)} is defined`);
  return runNodes(engine, nodes, data);
}

function operandOf(engine: Engine, operand: Operand, scope: Scope): unknown {
  if (operand.kind === "constant") return operand.value;
  if (operand.kind === "function") return called(engine, [operand], scope, []);
  let value = startOf(engine, operand.from, scope);
  for (const field of operand.fields) value = fieldOf(value, field);
  return value;
}

function startOf(engine: Engine, start: Start, scope: Scope): unknown {
  switch (start.kind) {
    case "dot":
      return scope.dot;
    case "group":
      return valueOf(engine, start.value, scope);
    case "variable": {
      if (start.name === "$") return scope.root;
      const found = scope.variables.get(start.name);
      if (found === undefined) throw new Error(`${start.name} is not set`);
      return found.value;
    }
  }
}

/** A field of nothing is an error in Go; one that a map lacks is nothing. */
function fieldOf(value: unknown, field: string): unknown {
  if (typeof value !== "object" || value === null) {
    throw new Error(`.${field} of ${value === null ? "nil" : typeof value}`);
  }
  return new Map<string, unknown>(Object.entries(value)).get(field);
}

function callable(value: object): Callable {
  return (...values) => Reflect.apply(toFunction(value), undefined, values);
}

function toFunction(value: object): (...values: unknown[]) => unknown {
  if (typeof value === "function") return (...values) => Reflect.apply(value, undefined, values);
  throw new Error("no function");
}
