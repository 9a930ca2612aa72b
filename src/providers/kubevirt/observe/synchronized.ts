/**
 * Why KubeVirt cannot do what a machine's spec asks (`Synchronized=False`, `Failure=True`): its
 * controllers' errors, which it repeats for ever while the machine shows "Starting" or "Stopped".
 */
import type { Explanation } from "./explanation.ts";

interface Rule {
  readonly pattern: RegExp;
  readonly explain: (match: RegExpExecArray) => Omit<Explanation, "details">;
}

const rules: readonly Rule[] = [
  {
    pattern: /(?:GPU|HostDevice|host device) (\S+) is not permitted in permittedHostDevices/u,
    explain: ([, name = ""]) => ({
      code: "gpu_not_permitted",
      for: "operator",
      message: `GPU ${name} is not among permittedHostDevices of KubeVirt's configuration.`,
      action:
        "Permit it there, or correct the resource name in the site's configuration; the machine then starts by itself.",
    }),
  },
  {
    pattern:
      /persistentvolumeclaims "[^"]+" is forbidden: exceeded quota: ([^,]+), requested: (\S+?), used: (\S+?), limited: (\S+)/u,
    explain: ([, quota = "", requested = "", used = "", limited = ""]) => ({
      code: "over_namespace_quota",
      for: "operator",
      message: `The namespace's quota ${quota} has no room for the machine's disk: it asks for ${amounts(requested)}; ${amounts(used)} are used of ${amounts(limited)}.`,
      action:
        "Raise that quota, or release something in the project; the disk is then made by itself.",
    }),
  },
  {
    pattern:
      /exceeded quota: ([^,]+), requested: (\S+?),?(?:\s+used: (\S+?), limited: (\S+))?(?:\s|$)/u,
    explain: ([, quota = "", requested = "", used, limited]) => ({
      code: "over_namespace_quota",
      for: "operator",
      message: `The namespace's quota ${quota} has no room for the machine's pod: it asks for ${amounts(requested)}${used === undefined || limited === undefined ? "" : `; ${amounts(used)} are used of ${amounts(limited)}`}.`,
      action:
        "Raise that quota, or release something in the project; the machine then starts by itself.",
    }),
  },
  {
    pattern: /ValidatingAdmissionPolicy '([^']+)' (?:with binding '[^']+' )?denied request: (.+)/su,
    explain: ([, policy = "", said = ""]) => ({
      code: "denied_by_policy",
      for: "operator",
      message: `The cluster's admission policy ${policy} denies the machine: ${said.trim()}`,
      action: "Change the machine's flavor, or the policy.",
    }),
  },
  {
    pattern: /no PriorityClass with name (\S+) was found/u,
    explain: ([, name = ""]) => ({
      code: "priority_class_missing",
      for: "operator",
      message: `There is no PriorityClass ${name} in the cluster.`,
      action: "Make it, or change the flavor's priority class.",
    }),
  },
  {
    pattern:
      /not authorized to create DataVolume|is insufficient permissions in clone source namespace (\S+)|insufficient permissions in clone source namespace (\S+)/iu,
    explain: ([, one, other = one]) => ({
      code: "clone_not_authorized",
      for: "operator",
      message:
        other === undefined
          ? "The project may not copy the image."
          : `The project may not copy the image of namespace ${other}.`,
      action:
        'Let the service account "default" of its namespace create datavolumes/source where the image is.',
    }),
  },
  {
    pattern:
      /(?:DataSource|PersistentVolumeClaim|VolumeSnapshot|PVC) "?([^\s"]+)"? not found|datasources\.cdi\.kubevirt\.io "([^"]+)" not found|Source PVC (\S+) not found|The source (?:pvc|snapshot) (\S+) doesn't exist/u,
    explain: ([, ...found]) => ({
      code: "image_missing",
      for: "operator",
      message: `The image ${found.find((name) => name !== undefined) ?? ""} that the machine's disk is to be copied from is not in the cluster.`,
      action: "Import it, or correct the site's table of images.",
    }),
  },
  {
    pattern: /VFIO_MAP_DMA.*Cannot allocate memory|unable to lock.*memory/su,
    explain: () => ({
      code: "memory_for_gpu",
      for: "operator",
      message: "The GPU could not be given the guest's memory: the pod may lock too little of it.",
      action:
        "Raise additionalGuestMemoryOverheadRatio in KubeVirt's configuration and start the machine again.",
    }),
  },
  {
    pattern: /unable to map backing store/u,
    explain: () => ({
      code: "pages_not_together",
      for: "operator",
      message:
        "The node has enough huge pages, but not on the NUMA nodes where the guest needs them.",
      action: "Reserve pages on each NUMA node alike, or start the machine on another node.",
    }),
  },
  {
    pattern: /SMT ?Alignment ?Error/iu,
    explain: () => ({
      code: "cpus_not_in_pairs",
      for: "operator",
      message:
        "The node gives out whole cores only, and the machine's CPUs with the emulator's are an odd number.",
      action: "Turn on KubeVirt's AlignCPUs with its annotation, or do not isolate the emulator.",
    }),
  },
  {
    pattern: /failed to (?:create|render) (?:virtual machine pod|launch manifest)[^:]*: (.+)/su,
    explain: ([, said = ""]) => ({
      code: "pod_not_made",
      for: "operator",
      message: `The machine's pod cannot be made: ${said.trim()}`,
      action: "Mend what it says; the machine then starts by itself.",
    }),
  },
];

/** Only what it means; nothing for a sentence that nobody has seen. */
export function knownFailure(said: string): Explanation | undefined {
  for (const { pattern, explain } of rules) {
    const match = pattern.exec(said);
    if (match !== null) return { ...explain(match), details: { said } };
  }
  return undefined;
}

export function explainFailure(said: string): Explanation {
  const known = knownFailure(said);
  if (known !== undefined) return known;
  return {
    code: "not_synchronized",
    for: "operator",
    message: `KubeVirt cannot make the machine as asked: ${said}`,
    action: "Mend what it says; KubeVirt tries again by itself.",
    details: { said },
  };
}

/** `requests.cpu=4,requests.memory=8Gi` for people. */
function amounts(list: string): string {
  return list
    .replace(/,$/u, "")
    .split(",")
    .map((each) => each.replace("=", " "))
    .join(", ");
}
