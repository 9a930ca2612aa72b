/**
 * What a cluster lacks for machines: groups of its API that are not there, or only in another version
 * than the one that we speak. Told before anything is sold there, not at the first machine.
 */
import type { Explanation } from "./explanation.ts";

/** Versions by group, as `GET /apis` lists them. */
export type ApiGroups = ReadonlyMap<string, readonly string[]>;

interface Need {
  readonly group: string;
  readonly version: string;
  /** Who brings it. */
  readonly from: string;
  /** What does not work then. */
  readonly without: string;
}

const needs: readonly Need[] = [
  { group: "kubevirt.io", version: "v1", from: "KubeVirt", without: "no machine can run here" },
  {
    group: "subresources.kubevirt.io",
    version: "v1",
    from: "KubeVirt",
    without: "no machine can run here",
  },
  { group: "cdi.kubevirt.io", version: "v1beta1", from: "CDI", without: "no machine can run here" },
  {
    group: "snapshot.kubevirt.io",
    version: "v1beta1",
    from: "KubeVirt",
    without: "snapshots cannot be taken",
  },
  {
    group: "snapshot.storage.k8s.io",
    version: "v1",
    from: "the CSI snapshot controller",
    without: "a snapshot would hold no disk, so none is taken",
  },
  {
    group: "clone.kubevirt.io",
    version: "v1beta1",
    from: "KubeVirt",
    without: "machines cannot be cloned",
  },
  {
    group: "pool.kubevirt.io",
    version: "v1beta1",
    from: "KubeVirt",
    without: "pools of machines cannot be made",
  },
  {
    group: "instancetype.kubevirt.io",
    version: "v1beta1",
    from: "KubeVirt",
    without: "flavors are not published as instance types",
  },
  {
    group: "admissionregistration.k8s.io",
    version: "v1",
    from: "Kubernetes",
    without: "machines made past us are not denied",
  },
];

const claims: Need = {
  group: "resource.k8s.io",
  version: "v1",
  from: "Kubernetes 1.34 or later",
  without: "GPUs cannot be claimed (DRA)",
};

/** `claimsGpus`: the site names a device class for one of its GPUs. */
export function platformProblems(
  groups: ApiGroups,
  { claimsGpus }: { readonly claimsGpus: boolean },
): readonly Explanation[] {
  return [...needs, ...(claimsGpus ? [claims] : [])].flatMap((need) => {
    const versions = groups.get(need.group);
    return versions?.includes(need.version) === true ? [] : [lack(need, versions)];
  });
}

function lack(
  { group, version, from, without }: Need,
  versions: readonly string[] = [],
): Explanation {
  const details = { group, version, versions };
  if (versions.length === 0) {
    return {
      code: "api_missing",
      for: "operator",
      message: `The cluster has no ${group}: ${without}.`,
      action: `Install ${from}.`,
      details,
    };
  }
  return {
    code: "api_other_version",
    for: "operator",
    message: `The cluster speaks ${group} in ${versions.join(", ")}, and ${version} is needed: ${without}.`,
    action: `Bring ${from} to a version that serves ${group}/${version}.`,
    details,
  };
}
