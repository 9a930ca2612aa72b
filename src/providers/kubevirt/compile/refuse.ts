/**
 * What would be accepted and then break: KubeVirt's webhooks let it through, and the machine stays
 * "Starting" for ever, or is killed later. Each was seen on a real control plane. A refusal says what
 * is wrong with the numbers, and what whoever can change it has to do.
 */
import type { MachineBody, VirtualMachine } from "#providers/kubevirt/objects/machine.ts";

import { machineVerdict } from "./admission.ts";
import type { NamespaceFacts, SiteFacts } from "./facts.ts";
import { gpuRefusals } from "./refuse-gpus.ts";
import type { Refusal } from "./refusal.ts";
import type { PodSize } from "./pod-size.ts";
import { parseUnits, printBytes, printMilli } from "./quantity.ts";
import { quotaUse, shortfalls } from "./quota-use.ts";
import { vcpusOf } from "./vcpus.ts";

export type { Refusal } from "./refusal.ts";

export interface RefusalFacts {
  readonly site: Pick<
    SiteFacts,
    "gpus" | "priorityClasses" | "cpuModels" | "vcpusMax" | "storageClasses"
  >;
  readonly namespace: NamespaceFacts;
  readonly size: PodSize;
}

/** Of any VirtualMachine, ours or written by hand. */
export function machineRefusals({ spec }: VirtualMachine, facts: RefusalFacts): readonly Refusal[] {
  const { template } = spec;
  return [
    ...machineVerdict(template.spec).map(refusedByKubevirt),
    ...gpuRefusals(template.spec, facts),
    ...cpuRefusals(spec, facts),
    ...memoryRefusals(spec),
    ...priorityRefusals(spec, facts),
    ...storageRefusals(spec, facts),
    ...quotaRefusals(spec, facts),
  ];
}

function refusedByKubevirt(said: string): Refusal {
  return {
    code: "kubevirt_refuses",
    for: "operator",
    message: `KubeVirt would refuse this machine: ${said.trim()}`,
    details: { said: said.trim() },
  };
}

function cpuRefusals({ template }: MachineBody, { site }: RefusalFacts): readonly Refusal[] {
  const { domain } = template.spec;
  const found: Refusal[] = [];
  const vcpus = vcpusOf(domain);
  if (vcpus > site.vcpusMax) {
    found.push({
      code: "too_many_vcpus",
      for: "customer",
      message: `The machine asks for ${vcpus} CPUs, and no node here has more than ${site.vcpusMax}: choose a smaller flavor.`,
      details: { vcpus, vcpusMax: site.vcpusMax },
    });
  }
  const model = domain.cpu?.model;
  if (model === "custom") {
    found.push({
      code: "cpu_model_custom",
      for: "operator",
      message:
        'KubeVirt has no CPU model "custom", it would wait for a node with a CPU of that name: name the model, such as Cascadelake-Server, and its features.',
      details: { model },
    });
  } else if (
    model !== undefined &&
    model !== "host-model" &&
    model !== "host-passthrough" &&
    !site.cpuModels.has(model)
  ) {
    found.push({
      code: "cpu_model_nowhere",
      for: "operator",
      message: `No node offers the CPU model ${model}. Offered are: ${listed(site.cpuModels)}.`,
      details: { model, offered: [...site.cpuModels] },
    });
  }
  return found;
}

function memoryRefusals({ template }: MachineBody): readonly Refusal[] {
  const { memory, resources } = template.spec.domain;
  const requested = resources?.requests?.["memory"];
  const limited = resources?.limits?.["memory"];
  const guest = memory?.guest;
  if (guest === undefined && requested === undefined && limited === undefined) {
    return [
      {
        code: "no_memory",
        for: "operator",
        message:
          "The machine says nowhere how much memory it has: it would be accepted, and never start. Give it memory.guest.",
      },
    ];
  }
  if (guest === undefined || limited === undefined) return [];
  const [has, most] = [parseUnits(guest) ?? 0n, parseUnits(limited) ?? 0n];
  if (has <= most) return [];
  return [
    {
      code: "guest_over_limit",
      for: "operator",
      message: `The guest has ${guest} of memory and its pod may use ${limited}: it would run, and be killed once it uses what it was sold. Raise the limit, or leave it out.`,
      details: { guest, limit: limited },
    },
  ];
}

function priorityRefusals({ template }: MachineBody, { site }: RefusalFacts): readonly Refusal[] {
  const name = template.spec.priorityClassName;
  if (name === undefined || site.priorityClasses.has(name)) return [];
  return [
    {
      code: "priority_class_missing",
      for: "operator",
      message: `There is no PriorityClass ${name} in the cluster, so the machine's pod would never be made. Make it, or take one of: ${listed(site.priorityClasses)}.`,
      details: { priorityClass: name },
    },
  ];
}

function storageRefusals(
  { dataVolumeTemplates = [] }: MachineBody,
  { site, namespace }: RefusalFacts,
): readonly Refusal[] {
  return dataVolumeTemplates.flatMap(({ metadata, spec }): readonly Refusal[] => {
    const found: Refusal[] = [];
    const { storageClassName } = spec.storage;
    if (storageClassName !== undefined && !site.storageClasses.has(storageClassName)) {
      found.push({
        code: "storage_class_missing",
        for: "operator",
        message: `There is no StorageClass ${storageClassName} here, so disk ${metadata.name} would never be made. There are: ${listed(site.storageClasses.keys())}.`,
        details: { disk: metadata.name, storageClass: storageClassName },
      });
    }
    const from = spec.sourceRef ?? spec.source?.pvc ?? spec.source?.snapshot;
    if (
      from !== undefined &&
      from.namespace !== namespace.name &&
      !namespace.clonesFrom.has(from.namespace)
    ) {
      found.push({
        code: "clone_not_authorized",
        for: "operator",
        message: `Namespace ${namespace.name} may not clone images of ${from.namespace}, so the machine would stay stopped. Let its service account "default" create datavolumes/source there.`,
        details: { namespace: namespace.name, from: from.namespace },
      });
    }
    return found;
  });
}

function quotaRefusals(spec: MachineBody, { namespace, size }: RefusalFacts): readonly Refusal[] {
  if (namespace.quotaLeft === undefined) return [];
  const short = shortfalls(quotaUse(spec, size), namespace.quotaLeft);
  if (short.length === 0) return [];
  const words = short.map(
    ({ key, asked, left }) => `${key}: ${printed(key, asked)} asked, ${printed(key, left)} left`,
  );
  return [
    {
      code: "over_namespace_quota",
      for: "operator",
      message: `The namespace's quota has no room for the machine's pod (${words.join("; ")}): it would be accepted, and wait for ever. Raise the quota of ${namespace.name}, or release something in it.`,
      details: {
        namespace: namespace.name,
        short: short.map(({ key, asked, left }) => ({
          key,
          asked: printed(key, asked),
          left: printed(key, left),
        })),
      },
    },
  ];
}

function printed(key: string, amount: bigint): string {
  if (key.endsWith("cpu")) return printMilli(amount);
  return /memory|storage|hugepages/u.test(key) ? printBytes(amount) : String(amount);
}

function listed(names: Iterable<string>): string {
  const all = [...names];
  return all.length === 0 ? "none" : all.join(", ");
}
