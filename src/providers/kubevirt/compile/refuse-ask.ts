/** What we do not sell, or cannot say to KubeVirt, whatever it would make of it: part of `refuse.ts`. */
import type { MachineAsk } from "./facts.ts";
import { userDataBytesMax } from "./cloud-init.ts";
import { plannedDisks } from "./disks.ts";
import type { Refusal } from "./refusal.ts";
import { sizeRefusals } from "./refuse-size.ts";

/** CPUs sold for each 100 that are there. */
const overcommitPercentMax = 150;
const labelPattern = /^[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?$/u;
const diskPattern = /^[a-z](?:[a-z0-9-]{0,13}[a-z0-9])?$/u;
const loginPattern = /^[a-z_][a-z0-9_-]{0,31}$/u;
/** One line of `authorized_keys`. */
const keyPattern = /^[^\p{Cc}]{1,16384}$/u;
const hostPattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/u;

export function askRefusals(ask: MachineAsk): readonly Refusal[] {
  const sizes = sizeRefusals(ask.spec);
  // Nothing can be computed from them.
  if (sizes.length > 0) return sizes;
  return [
    ...overcommitRefusals(ask),
    ...memoryRefusals(ask),
    ...gpuRefusals(ask),
    ...diskRefusals(ask),
    ...nameRefusals(ask),
    ...guestRefusals(ask),
  ];
}

function overcommitRefusals({ spec, policy }: MachineAsk): readonly Refusal[] {
  const percent = policy.overcommitPercent;
  if (percent < 100 || percent > overcommitPercentMax || !Number.isInteger(percent)) {
    return [
      {
        code: "overcommit_too_high",
        for: "operator",
        message: `${percent} CPUs would be sold for each 100 that are there; it may be 100 to ${overcommitPercentMax}. Change the flavor.`,
        details: { overcommitPercent: percent, overcommitPercentMax },
      },
    ];
  }
  if (spec.serviceClass === "standard" || percent === 100) return [];
  return [
    {
      code: "overcommit_on_core",
      for: "operator",
      message:
        "A core machine has its CPUs for itself, so its flavor cannot sell more than there are: set its overcommit to 100 percent.",
      details: { overcommitPercent: percent },
    },
  ];
}

const pageBytes = { none: 1n, "2Mi": 2n ** 21n, "1Gi": 2n ** 30n } as const;

function memoryRefusals({ spec, policy }: MachineAsk): readonly Refusal[] {
  const found: Refusal[] = [];
  const { hugePages, numa } = policy;
  if (BigInt(spec.memoryBytes) % pageBytes[hugePages] !== 0n) {
    found.push({
      code: "memory_not_in_pages",
      for: "operator",
      message: `${spec.memoryBytes} bytes of memory are no whole number of pages of ${hugePages}: change the flavor's memory or its pages.`,
      details: { memoryBytes: spec.memoryBytes, hugePages },
    });
  }
  if (numa && (hugePages === "none" || spec.serviceClass !== "core")) {
    found.push({
      code: "numa_needs_pages",
      for: "operator",
      message:
        "NUMA nodes of the host are shown only to a core machine with huge pages: change the flavor.",
    });
  }
  return found;
}

function gpuRefusals({ spec }: MachineAsk): readonly Refusal[] {
  return spec.gpus.flatMap(({ deviceId, model, resource }): readonly Refusal[] => {
    if (resource !== undefined) return [];
    return [
      {
        code: "gpu_without_resource",
        for: "operator",
        message: `GPU ${deviceId} (${model}) has no resource name, and KubeVirt takes no PCI address: name the resource that its device plug-in advertises.`,
        details: { deviceId, model },
      },
    ];
  });
}

function diskRefusals(ask: MachineAsk): readonly Refusal[] {
  const found: Refusal[] = [];
  const [root, ...extra] = plannedDisks(ask);
  if (root?.source === undefined) {
    found.push({
      code: "image_unknown",
      for: "operator",
      message: `No image ${ask.spec.image} is set up for this cluster: name its DataSource or its address in the site's configuration.`,
      details: { image: ask.spec.image },
    });
  }
  const names = extra.map(({ name }) => name);
  const reserved = new Set(["root", "init"]);
  const wrong = names.filter(
    (name, index) => reserved.has(name) || names.indexOf(name) !== index || !diskPattern.test(name),
  );
  for (const name of wrong) {
    found.push({
      code: "disk_name",
      for: "operator",
      message: `A further disk cannot be called ${JSON.stringify(name)}: each has a name of its own of up to 15 letters, digits and dashes, and none is root or init.`,
      details: { name },
    });
  }
  return found;
}

function nameRefusals({ spec }: MachineAsk): readonly Refusal[] {
  const labels = {
    tenantId: spec.owner.tenantId,
    projectId: spec.owner.projectId,
    resourceId: spec.owner.resourceId,
    id: spec.id,
    network: spec.network,
  };
  const found = Object.entries(labels).flatMap(([field, value]): readonly Refusal[] => {
    if (labelPattern.test(value)) return [];
    return [
      {
        code: "not_a_label",
        for: "operator",
        message: `The ${field} ${JSON.stringify(value)} cannot be a label in Kubernetes: up to 63 letters, digits, dashes, underscores and dots.`,
        details: { field, value },
      },
    ];
  });
  if (hostPattern.test(spec.name)) return found;
  return [
    ...found,
    {
      code: "host_name",
      for: "customer",
      message: `${JSON.stringify(spec.name)} cannot be a host name: up to 63 small letters, digits and dashes.`,
      details: { name: spec.name },
    },
  ];
}

function guestRefusals({ spec }: MachineAsk): readonly Refusal[] {
  const found: Refusal[] = [];
  const bytes = Buffer.byteLength(spec.userData ?? "");
  if (bytes > userDataBytesMax) {
    found.push({
      code: "user_data_too_large",
      for: "customer",
      message: `The user data has ${bytes} bytes, and at most ${userDataBytesMax} fit: let it fetch the rest.`,
      details: { bytes, bytesMax: userDataBytesMax },
    });
  }
  if (!loginPattern.test(spec.loginUser)) {
    found.push({
      code: "login_user",
      for: "operator",
      message: `${JSON.stringify(spec.loginUser)} cannot be the name of a login: up to 32 small letters, digits, dashes and underscores. Change the image's.`,
      details: { loginUser: spec.loginUser },
    });
  }
  if (!spec.sshKeys.every((key) => keyPattern.test(key))) {
    found.push({
      code: "ssh_key",
      for: "customer",
      message:
        "An SSH key is one line without control characters: give the public key as it stands in its file.",
    });
  }
  if (spec.workload !== undefined) {
    found.push({
      code: "workload_in_machine",
      for: "operator",
      message:
        "On Kubernetes a job runs in a pod that its queue admits, not in a machine: offer this cluster for leases, or set up its job queue.",
    });
  }
  return found;
}
