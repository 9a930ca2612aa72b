/**
 * A machine's spec to the objects that make it: the VirtualMachine, the Secret for its first boot, the
 * Service by which SSH reaches it, the claim of its GPUs. Either all of them, or the reasons why it
 * would be refused, or accepted and then never run.
 */
import type { Secret, Service } from "#providers/kubevirt/objects/core.ts";
import type { ResourceClaimTemplate } from "#providers/kubevirt/objects/claim.ts";
import type { Devices, InstanceBody, VirtualMachine } from "#providers/kubevirt/objects/machine.ts";

import { claimTemplate } from "./claim.ts";
import { cloudInitSecret } from "./cloud-init.ts";
import { type MachineDisks, machineDisks } from "./disks.ts";
import { claimName, domainShape, gpusOf } from "./domain.ts";
import type { MachineAsk } from "./facts.ts";
import { labelKeys, machineLabels } from "./labels.ts";
import { machineName, partName } from "./names.ts";
import { podSize, type PodSize } from "./pod-size.ts";
import type { Refusal } from "./refusal.ts";
import { askRefusals } from "./refuse-ask.ts";
import { machineRefusals } from "./refuse.ts";
import { scheduling } from "./scheduling.ts";
import { sshService } from "./service.ts";

export interface CompiledMachine {
  readonly machine: VirtualMachine;
  readonly secret: Secret;
  readonly service: Service;
  readonly claim?: ResourceClaimTemplate;
  /** What its pod will ask of a node. */
  readonly size: PodSize;
}

export type Compiled = CompiledMachine | { readonly refusals: readonly Refusal[] };

export function compileMachine(ask: MachineAsk): Compiled {
  const asked = askRefusals(ask);
  if (asked.length > 0) return { refusals: asked };
  const machine = virtualMachine(ask);
  const { site, namespace } = ask;
  const size = podSize(
    { spec: machine.spec.template.spec },
    { ...site.rules, quotaOnLimits: namespace.quotaOnLimits },
  );
  const refusals = machineRefusals(machine, { site, namespace, size });
  if (refusals.length > 0) return { refusals };
  const claim = claimTemplate(ask);
  return {
    machine,
    secret: cloudInitSecret(ask),
    service: sshService(ask),
    ...(claim === undefined ? {} : { claim }),
    size,
  };
}

/** Without a look at whether it will run. */
export function virtualMachine(ask: MachineAsk): VirtualMachine {
  const { spec, site, namespace, policy } = ask;
  const labels = machineLabels(site.controlPlaneId, spec);
  const disks = machineDisks(ask);
  return {
    apiVersion: "kubevirt.io/v1",
    kind: "VirtualMachine",
    metadata: { name: machineName(spec.id), namespace: namespace.name, labels },
    spec: {
      // A guest that shuts itself down stays down, and is not billed; one that crashed comes back.
      runStrategy: ask.power === "on" ? "RerunOnFailure" : "Halted",
      dataVolumeTemplates: disks.templates,
      template: {
        metadata: {
          labels: {
            ...labels,
            [labelKeys.network]: spec.network,
            ...(policy.antiAffinity ? { [labelKeys.apart]: "true" } : {}),
          },
        },
        spec: instanceBody(ask, disks),
      },
    },
  };
}

/** Seconds that a guest has to shut down before it is cut off. */
const graceSeconds = 120;

function instanceBody(ask: MachineAsk, { disks, volumes }: MachineDisks): InstanceBody {
  const { spec, policy } = ask;
  const name = machineName(spec.id);
  const gpus = gpusOf(ask);
  const second = policy.secondNetwork;
  return {
    architecture: "amd64",
    hostname: spec.name,
    domain: {
      ...domainShape(ask),
      ...ioThreads(ask),
      machine: { type: "q35" },
      // The control plane's id is the machine's own.
      firmware: { uuid: spec.id },
      devices: devices(ask, { disks, gpus }),
    },
    networks: [
      { name: "default", pod: {} },
      ...(second === undefined ? [] : [{ name: "second", multus: { networkName: second } }]),
    ],
    volumes: [
      ...volumes,
      { name: "init", cloudInitNoCloud: { secretRef: { name: partName(name, "init") } } },
    ],
    ...(gpus.some((gpu) => gpu.claimName !== undefined)
      ? {
          resourceClaims: [
            { name: claimName, resourceClaimTemplateName: partName(name, claimName) },
          ],
        }
      : {}),
    terminationGracePeriodSeconds: graceSeconds,
    ...scheduling(ask),
  };
}

export function ioThreads({
  policy,
}: Pick<MachineAsk, "policy">): Pick<InstanceBody["domain"], "ioThreads" | "ioThreadsPolicy"> {
  if (policy.ioThreads === "auto") return { ioThreadsPolicy: "auto" };
  const { pool } = policy.ioThreads;
  return {
    ioThreadsPolicy: "supplementalPool",
    ioThreads: { supplementalPoolThreadCount: pool },
  };
}

function devices(
  { spec, policy }: MachineAsk,
  { disks, gpus }: Required<Pick<Devices, "disks" | "gpus">>,
): Devices {
  const several = spec.cpu.sockets * spec.cpu.cores * spec.cpu.threads > 1;
  return {
    disks: [...disks, { name: "init", disk: { bus: "virtio" } }],
    interfaces: [
      { name: "default", model: "virtio", masquerade: {} },
      ...(policy.secondNetwork === undefined
        ? []
        : [{ name: "second", model: "virtio", bridge: {} }]),
    ],
    ...(gpus.length > 0 ? { gpus } : {}),
    // One queue for each CPU; how many cannot be said.
    networkInterfaceMultiqueue: several,
    blockMultiQueue: several,
    rng: {},
  };
}
