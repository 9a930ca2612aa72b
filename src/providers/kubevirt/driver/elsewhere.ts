/** The node that a stopped machine is to start on, in place of the one it was made for. */
import { z } from "zod";

import type { ReadCall } from "#providers/provider.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import type { Hands } from "./hands.ts";
import { hostKey, type KeptMachine } from "./kept.ts";

const hostname = "kubernetes.io/hostname";

const expression = z.looseObject({ key: z.string(), operator: z.string() });
const term = z.looseObject({ matchExpressions: z.array(expression).default([]) });
const nodeAffinity = z.looseObject({
  requiredDuringSchedulingIgnoredDuringExecution: z
    .looseObject({ nodeSelectorTerms: z.array(term) })
    .exactOptional(),
  preferredDuringSchedulingIgnoredDuringExecution: z
    .array(z.looseObject({ preference: term }))
    .exactOptional(),
});
const placed = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({ affinity: z.object({ nodeAffinity: nodeAffinity.optional() }).optional() }),
    }),
  }),
});

export interface StartPlace {
  /** Of the machine's template; nothing where it is bound to no node. */
  readonly template: Readonly<Record<string, unknown>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export async function placeToStart(
  hands: Hands,
  call: ReadCall,
  machine: KeptMachine,
  hostId: string,
): Promise<StartPlace> {
  const annotations = { [hostKey]: hostId };
  const affinity = await affinityTo(hands, call, machine, hostId);
  return { template: affinity === undefined ? {} : { spec: { affinity } }, annotations };
}

/** What it asks of nodes, with that one in the place of its own; nothing where it is bound to none. */
export async function affinityTo(
  { client }: Hands,
  call: ReadCall,
  { namespace, name }: KeptMachine,
  hostId: string,
): Promise<{ readonly nodeAffinity: z.infer<typeof nodeAffinity> } | undefined> {
  const object = await client.get(call, kinds.machine, { namespace, name });
  if (object === undefined) return undefined;
  const affinity = placed.parse(object).spec.template.spec.affinity?.nodeAffinity;
  return affinity && { nodeAffinity: withHost(affinity, hostId) };
}

/** Only what names a node changes; what else it asks of nodes stays. */
export function withHost(
  affinity: z.infer<typeof nodeAffinity>,
  hostId: string,
): z.infer<typeof nodeAffinity> {
  const there = (from: z.infer<typeof term>): z.infer<typeof term> => ({
    ...from,
    matchExpressions: from.matchExpressions.map((each) =>
      each.key === hostname && each.operator === "In" ? { ...each, values: [hostId] } : each,
    ),
  });
  const {
    requiredDuringSchedulingIgnoredDuringExecution: must,
    preferredDuringSchedulingIgnoredDuringExecution: may,
  } = affinity;
  return {
    ...affinity,
    ...(must === undefined
      ? {}
      : {
          requiredDuringSchedulingIgnoredDuringExecution: {
            ...must,
            nodeSelectorTerms: must.nodeSelectorTerms.map(there),
          },
        }),
    ...(may === undefined
      ? {}
      : {
          preferredDuringSchedulingIgnoredDuringExecution: may.map((each) => ({
            ...each,
            preference: there(each.preference),
          })),
        }),
  };
}
