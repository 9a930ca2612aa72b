/**
 * Admission policies (ValidatingAdmissionPolicy) as the server enforces them: which of those that are
 * stored bind a write, and what their rules in CEL say of it. The rules are evaluated by a library that
 * implements the language; what is Kubernetes' own in them (`quantity`) is here.
 */
import { Environment } from "@marcbachmann/cel-js";
import { z } from "zod";

import type { Kind } from "#providers/kubevirt/client/kind.ts";
import { parseMilli } from "#providers/kubevirt/compile/quantity.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import type { Document } from "./document.ts";
import type { Admission, Objects } from "./objects.ts";
import { badRequest, forbidden } from "./refusal.ts";

const expression = z.object({ name: z.string().default(""), expression: z.string() });
const policyShape = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    matchConstraints: z.object({
      resourceRules: z.array(
        z.object({
          apiGroups: z.array(z.string()),
          apiVersions: z.array(z.string()),
          operations: z.array(z.string()),
          resources: z.array(z.string()),
        }),
      ),
    }),
    matchConditions: z.array(expression).default([]),
    variables: z.array(expression).default([]),
    validations: z.array(expression.extend({ message: z.string(), reason: z.string() })),
  }),
});
const bindingShape = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    policyName: z.string(),
    validationActions: z.array(z.string()),
    matchResources: z.object({
      namespaceSelector: z.object({
        matchLabels: z.record(z.string(), z.string()).default({}),
        matchExpressions: z
          .array(z.object({ key: z.string(), operator: z.literal("Exists") }))
          .default([]),
      }),
    }),
  }),
});
type Policy = z.output<typeof policyShape>;
type Binding = z.output<typeof bindingShape>;

/** `quantity("1500m")`, in thousandths. */
class Quantity {
  readonly milli: bigint;

  constructor(text: string) {
    const milli = parseMilli(text);
    if (milli === undefined) throw new Error(`no quantity: ${text}`);
    this.milli = milli;
  }
}

const language = new Environment({ unlistedVariablesAreDyn: true })
  .registerType("Quantity", Quantity)
  .registerFunction("quantity(string): Quantity", (text: string) => new Quantity(text))
  .registerFunction("Quantity.compareTo(Quantity): int", (one: Quantity, other: Quantity) =>
    one.milli < other.milli ? -1n : one.milli > other.milli ? 1n : 0n,
  );

export interface Verdict {
  /** Of the rules that say no; empty if all agree, or the policy is not about it. */
  readonly violations: readonly { readonly message: string; readonly reason: string }[];
}

/** What one policy says of an object in a namespace. Throws if a rule cannot be evaluated. */
export function judged(
  policy: unknown,
  { object, namespace }: { readonly object: unknown; readonly namespace: unknown },
): Verdict {
  const { spec } = policyShape.parse(policy);
  const variables: Record<string, unknown> = {};
  const facts = { object, namespaceObject: namespace, variables };
  const evaluated = (text: string): unknown => language.evaluate(text, facts);
  const isTrue = (text: string): boolean => {
    const value = evaluated(text);
    if (typeof value !== "boolean") throw new Error(`not a yes or no: ${text}`);
    return value;
  };
  if (!spec.matchConditions.every((each) => isTrue(each.expression))) return { violations: [] };
  for (const { name, expression: text } of spec.variables) variables[name] = evaluated(text);
  return { violations: spec.validations.filter((each) => !isTrue(each.expression)) };
}

/** Add it to `objects.admissions`; `told` gets what is only warned of. */
export function policyAdmission(
  objects: Objects,
  told: (message: string) => void = () => undefined,
): Admission {
  return (kind, { before, after }) => {
    const { namespace } = after.metadata;
    if (namespace === undefined) return;
    const around = objects.store.get(kinds.namespace, { name: namespace });
    if (around === undefined) return;
    for (const each of objects.store.all(kinds.admissionPolicyBinding)) {
      const binding = bindingShape.parse(each);
      const policy = objects.store.get(kinds.admissionPolicy, { name: binding.spec.policyName });
      if (policy === undefined || !binds(binding, around)) continue;
      const parsed = policyShape.parse(policy);
      const operation = before === undefined ? "CREATE" : "UPDATE";
      if (!isAbout(parsed, kind, operation)) continue;
      for (const { message, reason } of judged(policy, { object: after, namespace: around })
        .violations) {
        const why = `ValidatingAdmissionPolicy '${parsed.metadata.name}' with binding '${binding.metadata.name}' denied request: ${message}`;
        if (!binding.spec.validationActions.includes("Deny")) told(message);
        else if (reason === "Forbidden") throw forbidden(kind, after.metadata.name, why);
        else throw badRequest(why);
      }
    }
  };
}

function binds({ spec }: Binding, { metadata }: Document): boolean {
  const { matchLabels, matchExpressions } = spec.matchResources.namespaceSelector;
  const { labels = {} } = metadata;
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key }) => labels[key] !== undefined)
  );
}

function has(list: readonly string[], one: string): boolean {
  return list.includes(one) || list.includes("*");
}

function isAbout({ spec }: Policy, kind: Kind, operation: string): boolean {
  return spec.matchConstraints.resourceRules.some(
    (rule) =>
      has(rule.apiGroups, kind.group) &&
      has(rule.apiVersions, kind.version) &&
      has(rule.operations, operation) &&
      has(rule.resources, kind.plural),
  );
}
