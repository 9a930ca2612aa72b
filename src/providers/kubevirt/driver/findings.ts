/**
 * What a cluster lacks for what is sold on it, told to the operator with what to do: before the first
 * machine is refused or waits for ever. Pure.
 */
import { judgeJobs } from "#providers/kubevirt/jobs/doctor.ts";
import type { ApiGroups } from "#providers/kubevirt/observe/platform.ts";
import { platformProblems } from "#providers/kubevirt/observe/platform.ts";
import type { SiteFinding } from "#providers/provider.ts";

import type { SeenNode } from "./inventory.ts";
import { refusesOf } from "./refuses.ts";
import type { ClusterSettings } from "./settings.ts";
import type { Site } from "./site.ts";

/** With which our objects and their sizes were compared. */
const kubevirtMin = { major: 1, minor: 9 } as const;

export function siteFindings(
  site: Pick<Site, "facts" | "kubevirt" | "unpermitted" | "groups">,
  settings: ClusterSettings,
  nodes: Iterable<SeenNode>,
): readonly SiteFinding[] {
  const all = [...nodes];
  return [
    ...lacks(site.groups, settings),
    ...version(site.kubevirt.version),
    ...gates(site.kubevirt.disabledGates, settings),
    ...storage(site, settings),
    ...site.unpermitted.map(unpermitted),
    ...unoffered(settings, all),
    ...claimed(settings),
    ...images(settings),
    ...hosts(all),
    ...unsold(site, settings, all),
    ...jobs(site.groups, settings),
  ];
}

function lacks(groups: ApiGroups, settings: ClusterSettings): readonly SiteFinding[] {
  const claimsGpus = Object.values(settings.gpus).some(({ deviceClass }) => deviceClass);
  return platformProblems(groups, { claimsGpus }).map(({ message, action }) => ({
    severity: message.includes("no machine can run") ? "problem" : "warning",
    message,
    advice: action,
  }));
}

function version(said: string): readonly SiteFinding[] {
  const [, major = "", minor = ""] = /^v?([0-9]+)\.([0-9]+)/u.exec(said) ?? [];
  const isOlder =
    Number(major) < kubevirtMin.major ||
    (Number(major) === kubevirtMin.major && Number(minor) < kubevirtMin.minor);
  if (major === "" || !isOlder) return [];
  return [
    {
      severity: "warning",
      message: `KubeVirt ${said} is older than 1.9, with which what is written there was compared: sizes and rules may differ.`,
      advice: "Bring KubeVirt to 1.9 or later.",
    },
  ];
}

/** On by default; each is named only where somebody turned it off and something rests on it. */
function gates(disabled: ReadonlySet<string>, settings: ClusterSettings): readonly SiteFinding[] {
  const claimsGpus = Object.values(settings.gpus).some(({ deviceClass }) => deviceClass);
  const needed = [
    ["Snapshot", "snapshots cannot be taken"],
    ...(claimsGpus ? ([["GPUsWithDRA", "GPUs cannot be claimed (DRA)"]] as const) : []),
  ] as const;
  return needed
    .filter(([gate]) => disabled.has(gate))
    .map(([gate, without]) => ({
      severity: "warning",
      message: `KubeVirt's feature gate ${gate} is off: ${without}.`,
      advice: "Take it out of disabledFeatureGates in KubeVirt's configuration.",
    }));
}

function storage(
  { facts }: Pick<Site, "facts">,
  { classes }: ClusterSettings,
): readonly SiteFinding[] {
  const named = [classes.core, classes.standard].map(
    ({ storageClass = facts.defaultStorageClass }) => storageClass,
  );
  return [...new Set(named)].flatMap((name): readonly SiteFinding[] => {
    const found = facts.storageClasses.get(name);
    if (found === undefined) {
      return [
        {
          severity: "problem",
          message: `Storage class ${name} of the site's settings is not in the cluster: no disk can be made on it.`,
          advice: "Make it, or correct the site's settings.",
        },
      ];
    }
    return [
      ...(found.snapshots
        ? []
        : [
            {
              severity: "warning" as const,
              message: `Storage class ${name} has no VolumeSnapshotClass: snapshots of machines on it are refused.`,
              advice: "Make a VolumeSnapshotClass for its provisioner.",
            },
          ]),
      ...(found.grows
        ? []
        : [
            {
              severity: "warning" as const,
              message: `Storage class ${name} lets no disk grow: larger disks of leases on it are refused.`,
              advice:
                "If its driver can, set allowVolumeExpansion: true on it; disks that are there grow then too.",
            },
          ]),
      ...(found.accessMode === "ReadWriteMany"
        ? []
        : [
            {
              severity: "warning" as const,
              message: `Only one node may open a disk of storage class ${name} at a time: machines on it cannot move while they run.`,
              advice: "For machines that move, use storage with ReadWriteMany in Block mode.",
            },
          ]),
    ];
  });
}

function unpermitted(resource: string): SiteFinding {
  return {
    severity: "problem",
    message: `GPU ${resource} is in the site's settings and not among permittedHostDevices: no machine gets it.`,
    advice: "Permit it in KubeVirt's configuration, or take it out of the settings.",
  };
}

function unoffered({ gpus }: ClusterSettings, nodes: readonly SeenNode[]): readonly SiteFinding[] {
  const offered = new Set(
    nodes.flatMap(({ host }) =>
      host.gpus.flatMap(({ resource, sliceResource }) => [resource, sliceResource]),
    ),
  );
  return Object.entries(gpus)
    .filter(([resource, { deviceClass }]) => deviceClass === undefined && !offered.has(resource))
    .map(([resource]) => ({
      severity: "warning",
      message: `No node offers GPU ${resource} of the site's settings.`,
      advice: "Look at the device plug-in on the nodes, or correct the resource name.",
    }));
}

/** Hosts have devices by what the node's plug-ins count, and claimed ones are counted by none. */
function claimed({ gpus }: ClusterSettings): readonly SiteFinding[] {
  return Object.entries(gpus)
    .filter(([, { deviceClass }]) => deviceClass !== undefined)
    .map(([resource]) => ({
      severity: "warning",
      message: `GPU ${resource} of the site's settings is claimed (DRA), and hosts do not show such devices yet: no lease is placed on one.`,
      advice: "Offer it by a device plug-in, and take `deviceClass` out of the settings.",
    }));
}

function images({ images: known }: ClusterSettings): readonly SiteFinding[] {
  if (Object.keys(known).length > 0) return [];
  return [
    {
      severity: "warning",
      message: "The site's settings name no image: no machine can be made there.",
      advice: "Name at least one under `images`.",
    },
  ];
}

function hosts(nodes: readonly SeenNode[]): readonly SiteFinding[] {
  if (nodes.some(({ host }) => host.state === "up")) return [];
  return [
    {
      severity: "problem",
      message: `Of ${nodes.length} nodes of the cluster none takes machines now.`,
      advice:
        "Look whether they are ready, whether KubeVirt calls them schedulable, and at `nodes` in the site's settings.",
    },
  ];
}

/** A class that no node starts cannot be sold; a GPU whose node starts none of class core is sold to nobody. */
function unsold(
  { kubevirt }: Pick<Site, "kubevirt">,
  settings: ClusterSettings,
  nodes: readonly SeenNode[],
): readonly SiteFinding[] {
  const { emulated } = kubevirt;
  const up = nodes
    .filter(({ host }) => host.state === "up")
    .map((node) => ({ ...node, refuses: refusesOf(node, settings, { emulated, jobs: true }) }));
  const none = (["core", "standard"] as const).flatMap((name): readonly SiteFinding[] => {
    const reasons = new Set(up.map(({ refuses }) => refuses[name]));
    if (up.length === 0 || reasons.has(undefined)) return [];
    return [
      {
        severity: "warning",
        message: `No node of the cluster starts machines of class ${name}: ${[...reasons].join("; ")}.`,
        advice: `Set nodes up for it, or sell nothing of class ${name} there.`,
      },
    ];
  });
  const idle = up.filter(
    ({ host, refuses }) =>
      refuses.core !== undefined && host.gpus.some(({ id }) => isOfMachines(id, settings)),
  );
  return [
    ...none,
    ...[...Map.groupBy(idle, ({ refuses }) => refuses.core ?? "")].map(
      ([reason, of]): SiteFinding => ({
        severity: "warning",
        message: `GPUs of ${listed(of.map(({ host }) => host.id))} go to no machine of class core: ${reason}.`,
        advice:
          "Set the nodes up for it; flavors with GPUs are of class core unless you made others.",
      }),
    ),
  ];
}

const namesMax = 5;

function listed(names: readonly string[]): string {
  const more = names.length - namesMax;
  return more > 0 ? `${names.slice(0, namesMax).join(", ")} and ${more} more` : names.join(", ");
}

function isOfMachines(deviceId: string, { gpus }: ClusterSettings): boolean {
  return Object.keys(gpus).some((resource) => deviceId.startsWith(`${resource}/`));
}

function jobs(groups: ApiGroups, { jobs: settings }: ClusterSettings): readonly SiteFinding[] {
  if (settings === undefined) return [];
  const { batch, flavors } = settings;
  const sharesByHami = flavors.some(({ gpu }) => gpu?.sharing === "hami");
  return judgeJobs({ groups, batch, sharesByHami }).flatMap(({ level, message, action = "" }) =>
    level === "ok"
      ? []
      : [{ severity: level === "notice" ? "warning" : level, message, advice: action }],
  );
}
