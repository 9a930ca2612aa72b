/**
 * Tenants cannot reach each other: nothing comes in or goes out but what is said here. Machines of one
 * network of a tenant reach each other, across his projects; the control plane reaches them for SSH;
 * they reach the world, not the cluster; and the ports that their tenant opened.
 *
 * It holds for the pod network only: second cards (Multus) are outside of Kubernetes' network policies,
 * and kept apart by what they are attached to.
 */
import { labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { namespaceName } from "#providers/kubevirt/compile/names.ts";
import type { NetworkPeer, NetworkPolicy } from "#providers/kubevirt/objects/core.ts";
import type { LabelSelector } from "#providers/kubevirt/objects/meta.ts";

import type { ProjectAsk } from "./facts.ts";
import { projectLabels } from "./namespace.ts";

/** A metadata service of a cloud below us would tell a guest its node's credentials. */
const linkLocal = "169.254.0.0/16";

export function projectNetwork(ask: ProjectAsk): readonly NetworkPolicy[] {
  return [
    policy(ask, "default-deny", { podSelector: {}, policyTypes: ["Ingress", "Egress"] }),
    ...ask.networks.map((network) => sameNetwork(ask, network)),
    // A rule from nowhere would be one from everywhere.
    ...(ask.site.gateways.length > 0 ? [fromGateways(ask)] : []),
    names(ask),
    ...(ask.outbound ? [outbound(ask)] : []),
    disksIn(ask),
    ...openingsOf(ask),
  ];
}

function policy(ask: ProjectAsk, name: string, spec: NetworkPolicy["spec"]): NetworkPolicy {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace: namespaceName(ask.projectId), labels: projectLabels(ask) },
    spec,
  };
}

export function networkPolicyName(network: string): string {
  return `network-${network.toLowerCase().replace(/[^a-z0-9-]/gu, "-")}`;
}

function sameNetwork(ask: ProjectAsk, network: string): NetworkPolicy {
  const podSelector = { matchLabels: { [labelKeys.network]: network } };
  const peer: NetworkPeer = {
    // Both: a network's name alone could be another tenant's too.
    namespaceSelector: {
      matchLabels: {
        [labelKeys.controlPlane]: ask.site.controlPlaneId,
        [labelKeys.tenant]: ask.tenantId,
      },
    },
    podSelector,
  };
  return policy(ask, networkPolicyName(network), {
    podSelector,
    policyTypes: ["Ingress", "Egress"],
    ingress: [{ from: [peer] }],
    egress: [{ to: [peer] }],
  });
}

function fromGateways(ask: ProjectAsk): NetworkPolicy {
  return policy(ask, "from-gateways", {
    podSelector: { matchExpressions: [{ key: labelKeys.machine, operator: "Exists" }] },
    policyTypes: ["Ingress"],
    ingress: [{ from: ask.site.gateways.map(inNamespace) }],
  });
}

function names(ask: ProjectAsk): NetworkPolicy {
  return policy(ask, "names", {
    podSelector: {},
    policyTypes: ["Egress"],
    egress: [
      {
        to: [
          inNamespace(ask.site.dnsNamespace),
          ...ask.site.dnsAddresses.map((cidr) => block(cidr, [])),
        ],
        ports: [
          { protocol: "UDP", port: 53 },
          { protocol: "TCP", port: 53 },
        ],
      },
    ],
  });
}

function outbound(ask: ProjectAsk): NetworkPolicy {
  const kept = [...ask.site.clusterCidrs, linkLocal];
  const v4 = kept.filter((cidr) => !cidr.includes(":"));
  const v6 = kept.filter((cidr) => cidr.includes(":"));
  return policy(ask, "outbound", {
    podSelector: {},
    policyTypes: ["Egress"],
    egress: [{ to: [block("0.0.0.0/0", v4), block("::/0", [...v6, "fe80::/10"])] }],
  });
}

/** CDI makes disks with pods in this namespace: they are filled from images' namespaces and registries. */
function disksIn(ask: ProjectAsk): NetworkPolicy {
  const { imageNamespaces, storageNamespace } = ask.site;
  const sources = [...new Set([storageNamespace, ...imageNamespaces])];
  return policy(ask, "disks-in", {
    podSelector: { matchExpressions: [{ key: "cdi.kubevirt.io", operator: "Exists" }] },
    policyTypes: ["Ingress", "Egress"],
    ingress: [{ from: sources.map(inNamespace) }],
    // An image may be anywhere that the operator says.
    egress: [{}],
  });
}

/** Those of one port together: two rules of one name would undo each other. */
function openingsOf(ask: ProjectAsk): readonly NetworkPolicy[] {
  const byName = Map.groupBy(
    ask.openings,
    ({ resourceId, protocol, port }) =>
      `open-${protocol.toLowerCase()}-${port}-${resourceId ?? "all"}`,
  );
  return [...byName].flatMap(([name, all]) => {
    const from = [...new Set(all.flatMap((opening) => opening.from))];
    const [first] = all;
    // A rule from nowhere would be one from everywhere.
    if (first === undefined || from.length === 0) return [];
    const { resourceId, protocol, port } = first;
    // Of machines alone: the pods of jobs are on the same network.
    const podSelector: LabelSelector = {
      ...(resourceId === undefined ? {} : { matchLabels: { [labelKeys.resource]: resourceId } }),
      matchExpressions: [{ key: labelKeys.machine, operator: "Exists" }],
    };
    const peers = from.map((cidr) => ({ ipBlock: { cidr } }));
    return [
      policy(ask, name, {
        podSelector,
        policyTypes: ["Ingress"],
        ingress: [{ from: peers, ports: [{ protocol, port }] }],
      }),
    ];
  });
}

function block(cidr: string, except: readonly string[]): NetworkPeer {
  return { ipBlock: except.length === 0 ? { cidr } : { cidr, except } };
}

function inNamespace(name: string): NetworkPeer {
  return { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } } };
}
