/**
 * What KubeVirt's agents and its controller tell Prometheus, through the proxy of their pods: counters that
 * follow from how long a machine has run, and when machines began and ended to run.
 */
import { z } from "zod";

import { parseUnits } from "#providers/kubevirt/compile/quantity.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import type { Document } from "./document.ts";
import { listAt, textAt } from "./json.ts";
import type { Objects } from "./objects.ts";
import type { Route } from "./route.ts";

const byKubelet = { manager: "kubelet", validation: "Ignore" } as const;
const proxied = /^https:(.+):8443$/;

/** `undefined`: nothing of the kind was asked for. */
export function metricsAt(objects: Objects, route: Route | undefined): string | undefined {
  const { plural, namespace, name = "", below } = route ?? {};
  if (plural !== "pods" || below !== "proxy/metrics" || namespace === undefined) return undefined;
  const [, podName = ""] = proxied.exec(decodeURIComponent(name)) ?? [];
  const pod = objects.store.get(kinds.pod, { namespace, name: podName });
  const role = pod?.metadata.labels?.["kubevirt.io"];
  if (pod === undefined || role === undefined) return undefined;
  const lines = role === "virt-handler" ? used(objects, pod) : turned(objects, pod);
  return `# HELP kubevirt_test Not of interest.\n${lines.join("\n")}\n`;
}

/** How busy a machine is since an instant, and what it had used by then. */
const busyRow = z.object({ from: z.number(), cpuSeconds: z.number(), share: z.number() });
const busyKey = "test.millrace.dev/busy";

/** From now on so much of one CPU is used. */
export function isBusy(objects: Objects, instance: Document, share: number): void {
  const busy = { from: objects.epoch(), cpuSeconds: cpuSecondsOf(objects, instance), share };
  const annotations = { [busyKey]: JSON.stringify(busy) };
  objects.patch(kinds.machineInstance, instance.metadata, { metadata: { annotations } }, byKubelet);
}

/** As if every machine were half busy that nothing else is said of. */
function cpuSecondsOf(objects: Objects, instance: Document): number {
  const since = enteredAt(instance, "Running");
  if (since === undefined) return 0;
  const said = instance.metadata.annotations?.[busyKey];
  const half = { from: since, cpuSeconds: 0, share: 0.5 };
  const busy = said === undefined ? half : busyRow.parse(JSON.parse(said));
  return busy.cpuSeconds + (busy.share * Math.max(0, objects.epoch() - busy.from)) / 1000;
}

function used(objects: Objects, pod: Document): readonly string[] {
  const node = textAt(pod, "spec", "nodeName");
  return objects.store.all(kinds.machineInstance).flatMap((instance) => {
    const isHere = textAt(instance, "status", "nodeName") === node;
    const since = enteredAt(instance, "Running");
    if (!isHere || since === undefined) return [];
    const seconds = Math.max(0, objects.epoch() - since) / 1000;
    const memory = Number(parseUnits(textAt(instance, "spec", "domain", "memory", "guest")) ?? 0n);
    const of = `{namespace="${instance.metadata.namespace}",name="${instance.metadata.name}",node="${node}"}`;
    const disk = of.replace("}", ',drive="root"}');
    const card = of.replace("}", ',interface="vnet0"}');
    return [
      `kubevirt_vmi_cpu_usage_seconds_total${of} ${cpuSecondsOf(objects, instance)}`,
      `kubevirt_vmi_memory_resident_bytes${of} ${memory / 2}`,
      `kubevirt_vmi_memory_available_bytes${of} ${memory}`,
      `kubevirt_vmi_memory_usable_bytes${of} ${memory / 2}`,
      `kubevirt_vmi_storage_read_traffic_bytes_total${disk} ${Math.floor(seconds) * 4096}`,
      `kubevirt_vmi_storage_write_traffic_bytes_total${disk} ${Math.floor(seconds) * 8192}`,
      `kubevirt_vmi_network_receive_bytes_total${card} ${Math.floor(seconds) * 1500}`,
      `kubevirt_vmi_network_transmit_bytes_total${card} ${Math.floor(seconds) * 1500}`,
    ];
  });
}

/** A pod may say that it is late by so many seconds. */
export const lateKey = "test.millrace.dev/late-seconds";

function turned(objects: Objects, pod: Document): readonly string[] {
  const late = Number(pod.metadata.annotations?.[lateKey] ?? 0);
  return objects.store.all(kinds.machine).flatMap((machine) => {
    const { namespace = "", name } = machine.metadata;
    const ready = listAt(machine, "status", "conditions").find(
      (each) => textAt(each, "type") === "Ready",
    );
    const at = Date.parse(textAt(ready, "lastTransitionTime"));
    if (Number.isNaN(at)) return [];
    const what = textAt(ready, "status") === "True" ? "running" : "non_running";
    const of = `{namespace="${namespace}",name="${name}"}`;
    return [
      `kubevirt_vm_${what}_status_last_transition_timestamp_seconds${of} ${at / 1000 + late}`,
    ];
  });
}

function enteredAt(instance: Document, phase: string): number | undefined {
  if (textAt(instance, "status", "phase") !== phase) return undefined;
  const told = listAt(instance, "status", "phaseTransitionTimestamps").find(
    (each) => textAt(each, "phase") === phase,
  );
  return told === undefined ? undefined : Date.parse(textAt(told, "phaseTransitionTimestamp"));
}
