/**
 * What machines use, from the metrics that KubeVirt's agent on each node tells Prometheus: one request a
 * node, through the API server, whatever runs there.
 */
import { text } from "node:stream/consumers";

import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { Activity, ReadCall, Sample } from "#providers/provider.ts";

import type { Hands } from "./hands.ts";
import type { KeptMachine } from "./kept.ts";
import { parseMetrics, type MetricLine } from "./metrics-text.ts";

const agentSelector = "kubevirt.io=virt-handler";
const agentPort = 8443;
/** So many nodes are asked at once. */
const atOnceMax = 8;

interface Used {
  cpuSeconds: number;
  residentBytes: number;
  usableBytes: number | undefined;
  availableBytes: number | undefined;
  readBytes: number;
  writtenBytes: number;
  networkBytes: number;
}

export async function samples(
  hands: Hands,
  call: ReadCall,
  machineIds: readonly string[],
): Promise<readonly Sample[]> {
  const { used, at } = await usedBy(hands, call, running(hands, machineIds));
  return [...used].map(([machineId, figures]) => ({
    machineId,
    at,
    cpuSeconds: figures.cpuSeconds,
    residentBytes: figures.residentBytes,
    diskReadBytes: figures.readBytes,
    diskWrittenBytes: figures.writtenBytes,
  }));
}

export async function activity(
  hands: Hands,
  call: ReadCall,
  machineIds: readonly string[],
): Promise<readonly Activity[]> {
  const machines = running(hands, machineIds);
  const { used, at } = await usedBy(hands, call, machines);
  const people = await loggedIn(hands, call, machines);
  return [...used].map(([machineId, figures]) => {
    const { availableBytes, usableBytes } = figures;
    const inUse =
      availableBytes === undefined || usableBytes === undefined
        ? null
        : Math.max(0, availableBytes - usableBytes);
    const sessions = people.get(machineId) ?? null;
    return {
      machineId,
      at,
      cpuSeconds: figures.cpuSeconds,
      networkBytes: figures.networkBytes,
      memoryBytes: inUse,
      gpuShare: null,
      sessions,
      seenBy: {
        cpu: "KubeVirt's agent on the node",
        network: "KubeVirt's agent on the node",
        memory: inUse === null ? "the guest has no balloon that tells" : "the guest's balloon",
        gpu: "nobody: a passed-through GPU is not seen from outside",
        sessions: sessions === null ? "the guest's agent does not answer" : "the guest's agent",
      },
    };
  });
}

function running(hands: Hands, machineIds: readonly string[]): readonly KeptMachine[] {
  return machineIds.flatMap((id) => {
    const isOn = hands.view.instances.get(id)?.seen.status?.phase === "Running";
    return isOn ? (hands.view.machines.get(id) ?? []) : [];
  });
}

async function usedBy(
  hands: Hands,
  call: ReadCall,
  machines: readonly KeptMachine[],
): Promise<{ readonly used: ReadonlyMap<string, Used>; readonly at: number }> {
  const used = new Map<string, Used>();
  const idOf = new Map(machines.map((each) => [`${each.namespace}/${each.name}`, each.machineId]));
  const nodes = new Set(
    machines.flatMap(
      ({ machineId }) => hands.view.instances.get(machineId)?.seen.status?.nodeName ?? [],
    ),
  );
  if (nodes.size > 0) {
    const { items } = await hands.client.list(call, kinds.pod, {
      labels: agentSelector,
      namespace: hands.settings.kubevirtNamespace,
    });
    const agents = items.flatMap(({ metadata, spec }) =>
      nodes.has(nodeNameOf(spec)) ? metadata.name : [],
    );
    for (let at = 0; at < agents.length; at += atOnceMax) {
      const batch = agents.slice(at, at + atOnceMax);
      // oxlint-disable-next-line no-await-in-loop -- so many at once
      const lines = await Promise.all(batch.map((agent) => metricsOf(hands, call, agent)));
      for (const line of lines.flat()) add(used, idOf, line);
    }
  }
  return { used, at: hands.now() };
}

function nodeNameOf(spec: unknown): string {
  return typeof spec === "object" && spec !== null && "nodeName" in spec
    ? String(spec.nodeName)
    : "";
}

async function metricsOf(
  hands: Hands,
  call: ReadCall,
  agent: string,
): Promise<readonly MetricLine[]> {
  const name = {
    namespace: hands.settings.kubevirtNamespace,
    name: `https:${agent}:${agentPort}`,
  };
  const body = await hands.client.bytes(call, kinds.pod, { name, what: "proxy/metrics" });
  return parseMetrics(await text(body), "kubevirt_vmi_");
}

const fields: Readonly<Record<string, keyof Used>> = {
  kubevirt_vmi_cpu_usage_seconds_total: "cpuSeconds",
  kubevirt_vmi_memory_resident_bytes: "residentBytes",
  kubevirt_vmi_memory_usable_bytes: "usableBytes",
  kubevirt_vmi_memory_available_bytes: "availableBytes",
  kubevirt_vmi_storage_read_traffic_bytes_total: "readBytes",
  kubevirt_vmi_storage_write_traffic_bytes_total: "writtenBytes",
  kubevirt_vmi_network_receive_bytes_total: "networkBytes",
  kubevirt_vmi_network_transmit_bytes_total: "networkBytes",
};

/** Disks and cards are lines of their own: their figures are summed. */
function add(
  used: Map<string, Used>,
  idOf: ReadonlyMap<string, string>,
  { name, labels, value }: MetricLine,
): void {
  const field = fields[name];
  const machineId = idOf.get(`${labels["namespace"] ?? ""}/${labels["name"] ?? ""}`);
  if (field === undefined || machineId === undefined) return;
  const figures = used.get(machineId) ?? {
    cpuSeconds: 0,
    residentBytes: 0,
    usableBytes: undefined,
    availableBytes: undefined,
    readBytes: 0,
    writtenBytes: 0,
    networkBytes: 0,
  };
  figures[field] = (figures[field] ?? 0) + value;
  used.set(machineId, figures);
}

/** Of those whose agent answers. */
async function loggedIn(
  hands: Hands,
  call: ReadCall,
  machines: readonly KeptMachine[],
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (let at = 0; at < machines.length; at += atOnceMax) {
    const batch = machines.slice(at, at + atOnceMax);
    // oxlint-disable-next-line no-await-in-loop -- so many at once
    await Promise.all(
      batch.map(async ({ machineId, namespace, name }) => {
        try {
          const kind = kinds.machineInstanceAction;
          const answer = await hands.client.ask(call, kind, { namespace, name }, "userlist");
          counts.set(machineId, itemsIn(answer));
        } catch {
          // No agent, or it is busy: nobody knows, which is not nobody.
        }
      }),
    );
  }
  return counts;
}

function itemsIn(answer: unknown): number {
  if (typeof answer !== "object" || answer === null || !("items" in answer)) return 0;
  return Array.isArray(answer.items) ? answer.items.length : 0;
}
