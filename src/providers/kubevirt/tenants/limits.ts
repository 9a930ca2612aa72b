/**
 * Quotas of a namespace: a backstop, loose on purpose. The control plane's own ledger decides what a
 * project may have, counted in what it was sold; Kubernetes counts pods, with overhead that nobody sees,
 * and a machine that moves counts twice. A quota as tight as the ledger would block what was paid for,
 * silently. So there is room here for overhead and for one move, and nothing is limited by `limits.*`,
 * because such a quota makes KubeVirt write limits, of twice the memory, which are charged too.
 *
 * The LimitRange gives no default limits: they would end up in the pods of machines. It only says what
 * a container of a job requests that says nothing, and how large one disk may be.
 */
import { namespaceName } from "#providers/kubevirt/compile/names.ts";
import { overheadOf } from "#providers/kubevirt/compile/pod-size.ts";
import { mebi, printBytes, printMilli } from "#providers/kubevirt/compile/quantity.ts";
import { countKey, storageClassKey } from "#providers/kubevirt/compile/quota-use.ts";
import type { LimitRange, ResourceQuota } from "#providers/kubevirt/objects/core.ts";
import type { Amounts } from "#providers/kubevirt/objects/meta.ts";

import type { ProjectAsk } from "./facts.ts";
import { projectLabels } from "./namespace.ts";

/** Of the container that keeps the serial console's log. */
const consoleMilli = 15n;
const consoleBytes = 60_000_000n;

export function projectQuota(ask: ProjectAsk): ResourceQuota {
  return {
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: {
      name: "millrace",
      namespace: namespaceName(ask.projectId),
      labels: projectLabels(ask),
    },
    spec: { hard: { ...computeQuota(ask), ...gpuQuota(ask), ...storageQuota(ask) } },
  };
}

function computeQuota({ quota, site }: ProjectAsk): Amounts {
  const { machinesMax, vcpusMax, memoryBytesMax, largest, extraCpus, hugePageBytesMax } = quota;
  const machines = BigInt(machinesMax);
  const besides = BigInt(extraCpus) * 1000n + consoleMilli;
  const overhead = overheadMost(largest.vcpus, site.gpuResources.length > 0);
  const moving = BigInt(largest.memoryBytes) + overhead + consoleBytes;
  const pages = Object.entries(hugePageBytesMax).map(([size, bytes]) => [
    `requests.hugepages-${size}`,
    printBytes(BigInt(bytes) + BigInt(largest.memoryBytes)),
  ]);
  return {
    [countKey]: String(machinesMax),
    "requests.cpu": printMilli(
      BigInt(vcpusMax) * 1000n + machines * besides + BigInt(largest.vcpus) * 1000n + besides,
    ),
    "requests.memory": printBytes(
      BigInt(memoryBytesMax) + machines * (overhead + consoleBytes) + moving,
    ),
    ...Object.fromEntries(pages),
  };
}

/** The most that a machine of that many CPUs needs besides its guest, whatever it has. */
function overheadMost(vcpus: number, gpu: boolean): bigint {
  const bytes = overheadOf(
    {
      cpu: { sockets: vcpus, dedicatedCpuPlacement: true },
      devices: { tpm: {}, ...(gpu ? { gpus: [{ name: "any" }] } : {}) },
    },
    { overheadPercent: 100 },
  );
  // Whole mebibytes read better, and this is a backstop.
  return ((bytes + mebi - 1n) / mebi) * mebi;
}

/** A GPU that the project was not given is none: nobody takes one unseen. Machines with one never move. */
function gpuQuota({ quota, site }: ProjectAsk): Amounts {
  const given = (name: string) => String(quota.gpusMax[name] ?? 0);
  return Object.fromEntries([
    ...site.gpuResources.map((name) => [`requests.${name}`, given(name)]),
    ...site.deviceClasses.map((name) => [
      `${name}.deviceclass.resource.k8s.io/devices`,
      given(name),
    ]),
  ]);
}

/**
 * Room for one more disk, since an import needs scratch space as large as what it makes, and for the file
 * system that a disk lies in, where it does: CDI makes such volumes 5.5 percent larger, unless told else.
 */
function storageQuota({ quota, site }: ProjectAsk): Amounts {
  const most = printBytes(inFileSystem(quota.storageBytesMax + quota.largest.diskBytes));
  return {
    "requests.storage": most,
    ...Object.fromEntries(
      site.storageClasses.map((name) => [
        storageClassKey(name),
        quota.storageClasses.includes(name) ? most : "0",
      ]),
    ),
  };
}

function inFileSystem(bytes: number): bigint {
  const wanted = (BigInt(bytes) * 110n) / 100n;
  return ((wanted + mebi - 1n) / mebi) * mebi;
}

export function projectLimitRange(ask: ProjectAsk): LimitRange {
  return {
    apiVersion: "v1",
    kind: "LimitRange",
    metadata: {
      name: "millrace",
      namespace: namespaceName(ask.projectId),
      labels: projectLabels(ask),
    },
    spec: {
      limits: [
        { type: "Container", defaultRequest: { cpu: "100m", memory: "128Mi" } },
        {
          type: "PersistentVolumeClaim",
          max: { storage: printBytes(inFileSystem(ask.quota.largest.diskBytes)) },
        },
      ],
    },
  };
}
