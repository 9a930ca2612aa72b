/**
 * Who may speak to whom, by all NetworkPolicies of a cluster together, as Kubernetes reads them: a pod that
 * no policy of a direction selects is open in it; else one rule must let it pass; and both ends decide.
 */
import { BlockList, isIPv6 } from "node:net";

import { z } from "zod";

const selector = z.object({
  matchLabels: z.record(z.string(), z.string()).default({}),
  matchExpressions: z
    .array(z.object({ key: z.string(), operator: z.enum(["Exists", "DoesNotExist"]) }))
    .default([]),
});
const peer = z.object({
  podSelector: selector.optional(),
  namespaceSelector: selector.optional(),
  ipBlock: z.object({ cidr: z.string(), except: z.array(z.string()).default([]) }).optional(),
});
const ports = z
  .array(z.object({ protocol: z.string().default("TCP"), port: z.union([z.int(), z.string()]) }))
  .optional();
const networkPolicy = z.object({
  kind: z.literal("NetworkPolicy"),
  metadata: z.object({ name: z.string(), namespace: z.string().optional() }),
  spec: z.object({
    podSelector: selector,
    policyTypes: z.array(z.enum(["Ingress", "Egress"])),
    ingress: z.array(z.object({ from: z.array(peer).optional(), ports })).default([]),
    egress: z.array(z.object({ to: z.array(peer).optional(), ports })).default([]),
  }),
});
type Parsed = z.output<typeof networkPolicy>;
export interface Policy extends Parsed {
  readonly namespace: string;
}
type Peer = z.output<typeof peer>;
type Selector = z.output<typeof selector>;
type Labels = Readonly<Record<string, string>>;

/** `namespace`: of a chart's release, whose objects do not name theirs. */
export function policyOf(object: unknown, namespace: string): Policy {
  const parsed = networkPolicy.parse(object);
  return { ...parsed, namespace: parsed.metadata.namespace ?? namespace };
}

/** A pod, or an address outside, which no policy selects. */
export interface End {
  readonly namespace: string | undefined;
  readonly namespaceLabels: Labels;
  readonly labels: Labels;
  readonly ip: string;
  /** By name. */
  readonly ports: Readonly<Record<string, number>>;
}

export interface Way {
  readonly from: End;
  readonly to: End;
  readonly port: number;
  readonly protocol?: "TCP" | "UDP";
}

export function mayReach(policies: readonly Policy[], way: Way): boolean {
  const { from, to } = way;
  const out = policies.filter((policy) => isFor(policy, "Egress", from));
  const into = policies.filter((policy) => isFor(policy, "Ingress", to));
  const leaves =
    out.length === 0 ||
    out.some(({ namespace, spec }) =>
      spec.egress.some((rule) => isPort(rule.ports, way) && isPeer(rule.to, to, namespace)),
    );
  const enters =
    into.length === 0 ||
    into.some(({ namespace, spec }) =>
      spec.ingress.some((rule) => isPort(rule.ports, way) && isPeer(rule.from, from, namespace)),
    );
  return leaves && enters;
}

function isFor({ namespace, spec }: Policy, type: "Ingress" | "Egress", end: End): boolean {
  const isThere = end.namespace === namespace && spec.policyTypes.includes(type);
  return isThere && selects(spec.podSelector, end.labels);
}

function selects({ matchLabels, matchExpressions }: Selector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator }) => (operator === "Exists") === key in labels)
  );
}

/** No ports are all of them. */
function isPort(some: z.output<typeof ports>, { to, port, protocol = "TCP" }: Way): boolean {
  return (
    some === undefined ||
    some.some((rule) => {
      const said = typeof rule.port === "string" ? to.ports[rule.port] : rule.port;
      return rule.protocol === protocol && said === port;
    })
  );
}

/** No peers are everybody; without a namespace selector only pods beside the policy are meant. */
function isPeer(some: readonly Peer[] | undefined, end: End, beside: string): boolean {
  if (some === undefined || some.length === 0) return true;
  return some.some(({ ipBlock, podSelector, namespaceSelector }) => {
    if (ipBlock !== undefined) {
      return isIn(ipBlock.cidr, end.ip) && !ipBlock.except.some((cidr) => isIn(cidr, end.ip));
    }
    if (end.namespace === undefined) return false;
    const isThere =
      namespaceSelector === undefined
        ? end.namespace === beside
        : selects(namespaceSelector, end.namespaceLabels);
    return isThere && (podSelector === undefined || selects(podSelector, end.labels));
  });
}

function isIn(cidr: string, ip: string): boolean {
  const [address = "", bits] = cidr.split("/");
  const family = isIPv6(address) ? "ipv6" : "ipv4";
  const list = new BlockList();
  list.addSubnet(address, Number(bits), family);
  return (isIPv6(ip) ? "ipv6" : "ipv4") === family && list.check(ip, family);
}
