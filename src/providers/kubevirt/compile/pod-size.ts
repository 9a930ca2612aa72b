/**
 * What the pod of a machine (virt-launcher) asks of its node, to the unit, before KubeVirt renders it:
 * placement counts that, and so does a namespace's quota. The guest's own size is only part of it.
 *
 * The rules were found on KubeVirt 1.9 for amd64 and reproduce every pod that its controller rendered
 * in the verdicts. A cluster whose `additionalGuestMemoryOverheadRatio` or `cpuAllocationRatio` differs
 * says so in `ClusterRules`.
 */
import type { Domain, InstanceBody } from "#providers/kubevirt/objects/machine.ts";
import type { Amounts } from "#providers/kubevirt/objects/meta.ts";

import { mebi, parseMilli, parseUnits, printBytes, printMilli } from "./quantity.ts";
import { vcpusOf } from "./vcpus.ts";

/** What the operator set for the whole cluster, as far as it changes sizes. */
export interface ClusterRules {
  /** `developerConfiguration.cpuAllocationRatio`; KubeVirt's own default is 10. */
  readonly cpuAllocationRatio: number;
  /** `additionalGuestMemoryOverheadRatio` in percent; 100 if it is not set. */
  readonly overheadPercent: number;
  /** The namespace's quota limits `limits.cpu` or `limits.memory`, so KubeVirt writes limits itself. */
  readonly quotaOnLimits: boolean;
}

/** By resource: `cpu` in thousandths, all else in bytes or pieces. */
export type Sizes = ReadonlyMap<string, bigint>;

export interface PodSize {
  /** Of the container that runs the guest. */
  readonly requests: Sizes;
  readonly limits: Sizes;
  /** Of the whole pod, with the container that keeps the serial console's log: what quota counts. */
  readonly total: { readonly requests: Sizes; readonly limits: Sizes };
  readonly qos: "Guaranteed" | "Burstable";
  /** Memory that it needs besides the guest's. */
  readonly overheadBytes: bigint;
}

const devices = [
  "devices.kubevirt.io/kvm",
  "devices.kubevirt.io/tun",
  "devices.kubevirt.io/vhost-net",
];
const ephemeralBytes = 50_000_000n;
const evenParityAnnotation = "alpha.kubevirt.io/EmulatorThreadCompleteToEvenParity";

export interface Sized {
  readonly spec: Pick<InstanceBody, "domain">;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function podSize(sized: Sized, rules: ClusterRules): PodSize {
  const { domain } = sized.spec;
  const overheadBytes = overheadOf(domain, rules);
  const cpu = cpuOf(sized, rules);
  const memory = memoryOf(domain, overheadBytes, rules);
  const requests = new Map<string, bigint>([
    ...extras(domain.resources?.requests),
    ["cpu", cpu.request],
    ...memory.requests,
    ["ephemeral-storage", ephemeralBytes],
    ...pieces(domain),
  ]);
  const limits = new Map<string, bigint>([
    ...extras(domain.resources?.limits),
    ...(cpu.limit === undefined ? [] : [["cpu", cpu.limit] as const]),
    ...memory.limits,
    ...pieces(domain),
  ]);
  const total = withConsoleLog({ requests, limits }, domain);
  // Kubernetes asks it of every container of the pod.
  const guaranteed = ["cpu", "memory"].every(
    (name) => total.requests.get(name) === total.limits.get(name),
  );
  return {
    requests,
    limits,
    total,
    qos: guaranteed ? "Guaranteed" : "Burstable",
    overheadBytes,
  };
}

/** As a pod writes them. */
export function printSizes(sizes: Sizes): Amounts {
  return Object.fromEntries(
    [...sizes].map(([name, amount]) => {
      if (name === "cpu") return [name, printMilli(amount)];
      // Kubernetes keeps the way in which an amount was written, and this one is decimal.
      return [name, name === "ephemeral-storage" ? `${amount / 1_000_000n}M` : printBytes(amount)];
    }),
  );
}

/** Of the pod besides its guest: QEMU, libvirt, devices. */
export function overheadOf(
  domain: Domain,
  { overheadPercent }: Pick<ClusterRules, "overheadPercent">,
) {
  let bytes = (220n + 8n * BigInt(vcpusOf(domain)) + 8n) * mebi;
  const { autoattachGraphicsDevice, gpus = [], tpm } = domain.devices;
  if (autoattachGraphicsDevice !== false) bytes += 32n * mebi;
  // Once, however many there are.
  if (gpus.length > 0) bytes += 1024n * mebi;
  if (tpm !== undefined && tpm.enabled !== false) bytes += 53n * mebi;
  if (isDedicated(domain) || isGuaranteed(domain)) bytes += 100n * mebi;
  const requested = memoryAmount(domain.resources?.requests);
  // Page tables: only where the request is written out, and in KubeVirt's own rounding.
  if (requested !== undefined) bytes += (((requested + 999n) / 1000n) * 1000n) / 512n;
  return (bytes * BigInt(overheadPercent)) / 100n;
}

interface Asked {
  readonly request: bigint;
  readonly limit: bigint | undefined;
}

function cpuOf({ spec: { domain }, annotations }: Sized, rules: ClusterRules): Asked {
  const vcpus = BigInt(vcpusOf(domain));
  const pool = BigInt(
    domain.ioThreadsPolicy === "supplementalPool"
      ? (domain.ioThreads?.supplementalPoolThreadCount ?? 0)
      : 0,
  );
  if (isDedicated(domain)) {
    let whole = vcpus + pool;
    if (domain.cpu?.isolateEmulatorThread === true) {
      const even = annotations !== undefined && evenParityAnnotation in annotations;
      whole += even && whole % 2n === 0n ? 2n : 1n;
    }
    return { request: whole * 1000n, limit: whole * 1000n };
  }
  const { requests, limits } = domain.resources ?? {};
  const limit = milliAmount(limits);
  const shared = ((vcpus + pool) * 1000n) / BigInt(rules.cpuAllocationRatio);
  return {
    request: milliAmount(requests) ?? limit ?? shared,
    limit: limit ?? (rules.quotaOnLimits ? (vcpus + pool) * 1000n : undefined),
  };
}

interface Memory {
  readonly requests: ReadonlyMap<string, bigint>;
  readonly limits: ReadonlyMap<string, bigint>;
}

function memoryOf(domain: Domain, overhead: bigint, rules: ClusterRules): Memory {
  const { resources, memory } = domain;
  const guest = memory?.guest === undefined ? undefined : parseUnits(memory.guest);
  const requested = memoryAmount(resources?.requests);
  const limited = memoryAmount(resources?.limits);
  const page = memory?.hugepages?.pageSize;
  const base = requested ?? limited ?? guest ?? 0n;
  const added = resources?.overcommitGuestOverhead === true ? 0n : overhead;
  if (page === undefined) {
    const request = base + added;
    const limit = limitOf(domain, { request, limited: limited && limited + added }, rules);
    return of(request, limit, []);
  }
  const pages = guest ?? base;
  const beside = (amount: bigint) => added + (amount > pages ? amount - pages : 0n);
  const request = beside(requested ?? 0n);
  const limit = limitOf(domain, { request, limited: limited && beside(limited) }, rules);
  return of(request, limit, [[`hugepages-${page}`, pages]]);
}

function of(
  request: bigint,
  limit: bigint | undefined,
  pages: readonly (readonly [string, bigint])[],
): Memory {
  return {
    requests: new Map([["memory", request], ...pages]),
    limits: new Map([...(limit === undefined ? [] : [["memory", limit] as const]), ...pages]),
  };
}

function limitOf(
  domain: Domain,
  { request, limited }: { readonly request: bigint; readonly limited: bigint | undefined },
  { quotaOnLimits }: ClusterRules,
): bigint | undefined {
  if (limited !== undefined) return limited;
  if (isDedicated(domain)) return request;
  return quotaOnLimits ? request * 2n : undefined;
}

/** The container beside the guest's that keeps the log of the serial console. */
function withConsoleLog(
  { requests, limits }: Pick<PodSize, "requests" | "limits">,
  domain: Domain,
): PodSize["total"] {
  if (domain.devices.logSerialConsole === false) return { requests, limits };
  const whole = isDedicated(domain) || isGuaranteed(domain);
  const most = [
    ["cpu", 15n],
    ["memory", 60_000_000n],
  ] as const;
  const least = [
    ["cpu", 5n],
    ["memory", 35_000_000n],
  ] as const;
  return { requests: plus(requests, whole ? most : least), limits: plus(limits, most) };
}

function plus(sizes: Sizes, more: Iterable<readonly [string, bigint]>): Sizes {
  const sum = new Map(sizes);
  for (const [name, amount] of more) sum.set(name, (sum.get(name) ?? 0n) + amount);
  return sum;
}

/** What a pod takes by pieces: the devices of every machine, and its GPUs by resource name. */
function pieces({ devices: { gpus = [] } }: Domain): Map<string, bigint> {
  const units = new Map(devices.map((name) => [name, 1n]));
  for (const { deviceName } of gpus) {
    if (deviceName !== undefined) units.set(deviceName, (units.get(deviceName) ?? 0n) + 1n);
  }
  return units;
}

/** Resources besides CPU and memory are passed on to the pod as they are. */
function extras(amounts: Amounts | undefined): [string, bigint][] {
  return Object.entries(amounts ?? {}).flatMap(([name, amount]) => {
    const units = name === "cpu" || name === "memory" ? undefined : parseUnits(amount);
    return units === undefined ? [] : [[name, units]];
  });
}

export function isDedicated(domain: Domain): boolean {
  return domain.cpu?.dedicatedCpuPlacement === true;
}

/** Its resources say that it gets all that it may have. */
export function isGuaranteed({ resources }: Domain): boolean {
  const cpu = milliAmount(resources?.limits);
  const memory = memoryAmount(resources?.limits);
  if (cpu === undefined || memory === undefined) return false;
  return cpu === milliAmount(resources?.requests) && memory === memoryAmount(resources?.requests);
}

function milliAmount(amounts: Amounts | undefined): bigint | undefined {
  const said = amounts?.["cpu"];
  return said === undefined ? undefined : parseMilli(said);
}

function memoryAmount(amounts: Amounts | undefined): bigint | undefined {
  const said = amounts?.["memory"];
  return said === undefined ? undefined : parseUnits(said);
}
