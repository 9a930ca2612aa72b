/** GPUs that a machine would wait for in vain, or never get: part of `refuse.ts`. */
import type { InstanceBody } from "#providers/kubevirt/objects/machine.ts";

import type { SiteFacts } from "./facts.ts";
import type { Refusal } from "./refusal.ts";

interface Facts {
  readonly site: Pick<SiteFacts, "gpus">;
}

/** Device plug-ins for containers: whole GPUs, shares and MIG slices. */
const containerResource = /^[a-z0-9.-]+\/(?:gpu|vgpu|gpumem|gpucores|mig-.+)(?:\.shared)?$/u;

export function gpuRefusals(
  { domain, evictionStrategy }: InstanceBody,
  { site }: Facts,
): readonly Refusal[] {
  const { gpus = [] } = domain.devices;
  const permitted = [...site.gpus.keys()];
  const offered = permitted.length === 0 ? "none is permitted here" : permitted.join(", ");
  const found: Refusal[] = [];
  const names = new Set<string>();
  for (const { name, deviceName } of gpus) {
    if (names.has(name)) {
      found.push({
        code: "gpu_name_twice",
        for: "operator",
        message: `Two GPUs of the machine are called ${name}: its pod would hold both and the guest see one. Give each a name of its own.`,
        details: { name },
      });
    }
    names.add(name);
    if (deviceName === undefined || permitted.includes(deviceName)) continue;
    found.push(notPermitted(deviceName, offered));
  }
  if (gpus.length > 0 && evictionStrategy === "LiveMigrate") {
    found.push({
      code: "gpu_cannot_migrate",
      for: "operator",
      message:
        "A machine with a GPU cannot move while it runs, and with eviction strategy LiveMigrate its node could never be drained. Use External, so that its customer is told and it is stopped.",
    });
  }
  const { requests, limits } = domain.resources ?? {};
  for (const name of new Set([...Object.keys(requests ?? {}), ...Object.keys(limits ?? {})])) {
    if (!containerResource.test(name) && !site.gpus.has(name)) continue;
    found.push({
      code: "gpu_in_resources",
      for: "operator",
      message: `${name} stands among the machine's resources: its pod would hold that GPU, and the guest not have it. Name it under devices.gpus.`,
      details: { resource: name },
    });
  }
  return found;
}

function notPermitted(deviceName: string, offered: string): Refusal {
  const details = { resource: deviceName };
  if (containerResource.test(deviceName)) {
    return {
      code: "gpu_for_containers",
      for: "operator",
      message: `${deviceName} is how containers ask for a GPU; a machine asks for one by the name that is permitted in KubeVirt's configuration: ${offered}.`,
      details,
    };
  }
  return {
    code: "gpu_not_permitted",
    for: "operator",
    message: `GPU ${deviceName === "" ? "without a resource name" : deviceName} is not among permittedHostDevices of KubeVirt's configuration, so the machine would stay pending. Permit it there, or use: ${offered}.`,
    details,
  };
}
