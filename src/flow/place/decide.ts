/**
 * Where? Pure: a snapshot of the hosts and one request to a placement, or to the reasons for none
 * with a count per reason. The commit checks again under lock (store.ts, and the triggers in the
 * schema), so a stale snapshot costs a retry and never an oversold host.
 */
import type { Reason } from "#kernel/reason.ts";
import { gibibyte, mebibyte, milliCpusOf, type Shape } from "#kernel/shape.ts";

import type { PlaceAnswer, PlaceAsk } from "./ask.ts";
import type { DeviceState, HostState } from "./host-state.ts";

type Obstacle =
  | "host is down"
  | "host takes no new work"
  | "not the host of its disk"
  | "labels do not match"
  | "taint is not tolerated"
  | "not enough CPU"
  | "not enough memory"
  | "not enough disk"
  | "not enough huge pages"
  | "no such GPU"
  | "GPUs are taken"
  | "another of the tenant's instances is here";

export function place(hosts: readonly HostState[], ask: PlaceAsk): PlaceAnswer {
  const counts = new Map<Obstacle, number>();
  let best: { host: HostState; deviceIds: readonly string[]; score: number } | undefined;
  for (const host of hosts) {
    const fit = fitOn(host, ask);
    if (typeof fit === "string") {
      counts.set(fit, (counts.get(fit) ?? 0) + 1);
    } else {
      const score = leftoverScore(host, ask.shape);
      if (best === undefined || score < best.score) best = { host, deviceIds: fit, score };
    }
  }
  if (best !== undefined) {
    return { placed: true, hostId: best.host.id, deviceIds: best.deviceIds, numaNode: null };
  }
  return { placed: false, reason: refusal(hosts.length, counts, ask.shape) };
}

/** Would it fit if nothing else ran? If not, waiting is pointless and admission says so. */
export function couldEverFit(hosts: readonly HostState[], ask: PlaceAsk): PlaceAnswer {
  return place(
    hosts.map((host) => ({
      ...host,
      up: true,
      schedulable: true,
      milliCpusUsed: 0,
      memoryBytesUsed: 0,
      diskBytesUsed: 0,
      hugePagesMiBUsed: { "2Mi": 0, "1Gi": 0 },
      devices: host.devices.map((device) => ({ ...device, slice: 0, claims: 0, tenants: [] })),
      antiAffineTenants: [],
    })),
    ask,
  );
}

/** Device ids if it fits, else the first obstacle. */
function fitOn(host: HostState, ask: PlaceAsk): readonly string[] | Obstacle {
  const { shape } = ask;
  if (!host.up) return "host is down";
  if (ask.pinned !== undefined && ask.pinned.hostId !== host.id) return "not the host of its disk";
  if (!host.schedulable && ask.pinned === undefined) return "host takes no new work";
  for (const [label, value] of Object.entries(shape.hostLabels)) {
    if (host.labels[label] !== value) return "labels do not match";
  }
  for (const label of Object.keys(host.labels)) {
    const taint = label.startsWith(taintPrefix) ? label.slice(taintPrefix.length) : undefined;
    if (taint !== undefined && !shape.tolerations.includes(taint)) return "taint is not tolerated";
  }
  if (shape.antiAffinity && host.antiAffineTenants.includes(ask.tenantId)) {
    return "another of the tenant's instances is here";
  }
  const gpus = devicesFor(host, ask);
  if (typeof gpus === "string") return gpus;
  if (host.milliCpusUsed + milliCpusOf(shape) > host.milliCpus) return "not enough CPU";
  if (host.memoryBytesUsed + shape.memoryMiB * mebibyte > host.memoryBytes) {
    return "not enough memory";
  }
  const disk = ask.pinned === undefined ? shape.diskGiB * gibibyte : 0;
  if (host.diskBytesUsed + disk > host.diskBytes) return "not enough disk";
  if (lacksHugePages(host, shape)) return "not enough huge pages";
  return gpus;
}

function lacksHugePages(host: HostState, { hugePages, memoryMiB }: Shape): boolean {
  if (hugePages === "none") return false;
  return host.hugePagesMiBUsed[hugePages] + memoryMiB > host.hugePagesMiB[hugePages];
}

/** A host label `taint/NAME` keeps away whoever does not tolerate NAME. */
const taintPrefix = "taint/";

function devicesFor(
  host: HostState,
  { shape, tenantId, pinned }: PlaceAsk,
): readonly string[] | Obstacle {
  if (shape.gpu === null) return [];
  const { model, count, slice } = shape.gpu;
  const ofModel = host.devices.filter(
    (device) =>
      device.model === model &&
      device.slicesMax >= slice &&
      (pinned === undefined || pinned.deviceIds.includes(device.id)),
  );
  if (ofModel.length < count) return "no such GPU";
  const usable = ofModel.filter((device) =>
    slice === 1 ? device.claims === 0 : takesSlice(device, slice, tenantId),
  );
  if (usable.length < count) return "GPUs are taken";
  // Fullest first, so that slices fill a device before they open the next.
  return usable
    .toSorted((a, b) => b.claims - a.claims)
    .slice(0, count)
    .map((device) => device.id);
}

function takesSlice(device: DeviceState, slice: number, tenantId: string): boolean {
  if (device.claims === 0) return true;
  if (device.slice !== slice || device.claims >= slice) return false;
  return device.isolation === "hard" || device.tenants.every((tenant) => tenant === tenantId);
}

/** Best fit: the least CPU, memory and GPU left over, each as a share of the host. */
function leftoverScore(host: HostState, shape: Shape): number {
  const cpu = (host.milliCpus - host.milliCpusUsed - milliCpusOf(shape)) / host.milliCpus;
  const memory =
    (host.memoryBytes - host.memoryBytesUsed - shape.memoryMiB * mebibyte) / host.memoryBytes;
  const idleGpus = host.devices.filter((device) => device.claims === 0).length;
  // A request without GPU keeps away from GPU hosts as long as others have room.
  return cpu + memory + (shape.gpu === null ? idleGpus * 4 : idleGpus * 0.1);
}

function refusal(hostCount: number, counts: ReadonlyMap<Obstacle, number>, shape: Shape): Reason {
  const words = [...counts]
    .toSorted((a, b) => b[1] - a[1])
    .map(([obstacle, count]) => `${obstacle} on ${count}`);
  const asked = [
    `${shape.vcpus} vCPU`,
    `${shape.memoryMiB} MiB`,
    `${shape.diskGiB} GiB disk`,
    ...(shape.gpu === null
      ? []
      : [
          `${shape.gpu.count} x ${shape.gpu.model}${shape.gpu.slice === 1 ? "" : ` 1/${shape.gpu.slice}`}`,
        ]),
  ].join(", ");
  return {
    code: "no_host_fits",
    message:
      hostCount === 0
        ? "There is no host yet; the operator has to connect one."
        : `No host fits ${asked}: of ${hostCount} ${hostCount === 1 ? "host" : "hosts"}, ${words.join(", ")}.`,
    details: { hosts: hostCount, obstacles: Object.fromEntries(counts) },
  };
}
