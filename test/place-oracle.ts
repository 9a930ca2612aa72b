/**
 * Placement as simply as it can be said: hosts without what is on them, a list of what was placed, and
 * every question answered by looking at everything. Slow and plain, to compare the planner with.
 */
import type { PlaceAsk, Placed } from "#flow/place/ask.ts";
import type { DeviceState, HostState } from "#flow/place/host-state.ts";
import { ordinaryRoom, unitsOfDevice } from "#flow/place/reserve.ts";
import { takenBy, type Taken } from "#kernel/machine-cost.ts";
import { gibibyte, mebibyte, milliCpusOf } from "#kernel/shape.ts";

export interface Standing {
  readonly ask: PlaceAsk;
  readonly placed: Placed;
}

/** The hosts with what stands on them. */
export function statesOf(hosts: readonly HostState[], standing: readonly Standing[]): HostState[] {
  return hosts.map((host) => {
    const here = standing.filter(({ placed }) => placed.hostId === host.id);
    const sum = (of: (each: Standing) => number): number =>
      here.reduce((total, each) => total + of(each), 0);
    const taken = ({ ask }: Standing): Taken => takenBy(ask.shape, host.machineCosts);
    const pages = (size: "2Mi" | "1Gi"): number =>
      sum((each) => (taken(each).hugePages === size ? taken(each).hugePagesMiB : 0));
    return {
      ...host,
      milliCpusUsed: sum((each) => taken(each).milliCpus),
      memoryBytesUsed: sum((each) => taken(each).memoryMiB * mebibyte),
      diskBytesUsed: sum(({ ask }) => ask.shape.diskGiB * gibibyte),
      hugePagesMiBUsed: { "2Mi": pages("2Mi"), "1Gi": pages("1Gi") },
      numaNodes: host.numaNodes.map((node, number) => ({
        ...node,
        milliCpusUsed: sum((each) => (each.placed.numaNode === number ? taken(each).milliCpus : 0)),
        memoryBytesUsed: sum((each) =>
          each.placed.numaNode === number ? taken(each).memoryMiB * mebibyte : 0,
        ),
      })),
      devices: host.devices.map((device) => {
        const on = here.filter(({ placed }) => placed.deviceIds.includes(device.id));
        return {
          ...device,
          slice: on[0]?.ask.shape.gpu?.slice ?? 0,
          claims: on.length,
          tenants: [...new Set(on.map(({ ask }) => ask.tenantId))],
        };
      }),
      antiAffineTenants: [
        ...new Set(here.filter(({ ask }) => ask.shape.antiAffinity).map(({ ask }) => ask.tenantId)),
      ],
    };
  });
}

/** May it lie there, on some devices and some node? All hosts, because a reserve is a matter of all. */
export function fits(all: readonly HostState[], host: HostState, ask: PlaceAsk): boolean {
  return (
    mayGo(host, ask) && leavesReserve(all, host, ask) && hasAmounts(host, ask) && hasPart(host, ask)
  );
}

/** Is this answer one of those that are right? */
export function isRight(all: readonly HostState[], ask: PlaceAsk, placed: Placed): boolean {
  const host = all.find(({ id }) => id === placed.hostId);
  if (host === undefined || !fits(all, host, ask)) return false;
  const { gpu, numa } = ask.shape;
  const ids = new Set(placed.deviceIds);
  const taken = host.devices.filter(({ id }) => ids.has(id));
  if (taken.length !== (gpu?.count ?? 0) || taken.length !== placed.deviceIds.length) return false;
  if (!taken.every((device) => takes(host, device, ask))) return false;
  if (gpu?.nvlink === true && gpu.count > 1 && !inOneGroup(taken)) return false;
  const known = host.numaNodes.length > 0;
  if (!numa || !known) return placed.numaNode === null;
  return placed.numaNode !== null && nodeTakes(host, placed.numaNode, ask, taken);
}

function mayGo(host: HostState, { tenantId, shape, pinned, only, not }: PlaceAsk): boolean {
  const { pool, labels } = host;
  if (
    !host.up ||
    host.awaySince !== null ||
    (pinned === undefined ? !host.schedulable : pinned.hostId !== host.id)
  ) {
    return false;
  }
  if (only?.includes(host.id) === false || not?.includes(host.id) === true) return false;
  if (shape.pool !== null && pool?.name !== shape.pool) return false;
  if (pool !== null) {
    if (pool.policy === "edge" && shape.pool === null) return false;
    if (pool.tenantIds !== null && !pool.tenantIds.includes(tenantId)) return false;
    if (pool.serviceClass !== "any" && pool.serviceClass !== shape.serviceClass) return false;
    const slice = shape.gpu?.slice ?? 1;
    if (slice > pool.slicesMax || (slice > 1 && pool.policy === "exclusive")) return false;
  }
  for (const [name, value] of Object.entries(shape.hostLabels)) {
    if (labels[name] !== value) return false;
  }
  for (const name of Object.keys(labels)) {
    if (name.startsWith("taint/") && !shape.tolerations.includes(name.slice(6))) return false;
  }
  return !(shape.antiAffinity && host.antiAffineTenants.includes(tenantId));
}

function leavesReserve(
  all: readonly HostState[],
  host: HostState,
  { shape, afterFault }: PlaceAsk,
): boolean {
  if (host.pool === null || afterFault === true || !host.schedulable) return true;
  const room = ordinaryRoom(all).get(host.pool.id);
  if (room === undefined) return true;
  const { gpu } = shape;
  const taken = takenBy(shape, host.machineCosts);
  const units = gpu === null ? 0 : gpu.count * Math.floor(unitsOfDevice / gpu.slice);
  return (
    taken.milliCpus <= room.milliCpus &&
    taken.memoryMiB <= room.memoryMiB &&
    (gpu === null || units <= (room.gpuUnits.get(gpu.model) ?? 0))
  );
}

function hasAmounts(host: HostState, { shape, pinned }: PlaceAsk): boolean {
  const { milliCpus, memoryMiB, hugePages, hugePagesMiB } = takenBy(shape, host.machineCosts);
  const disk = pinned === undefined ? shape.diskGiB * gibibyte : 0;
  return (
    host.milliCpusUsed + milliCpus <= host.milliCpus &&
    host.memoryBytesUsed + memoryMiB * mebibyte <= host.memoryBytes &&
    host.diskBytesUsed + disk <= host.diskBytes &&
    (hugePages === "none" ||
      host.hugePagesMiBUsed[hugePages] + hugePagesMiB <= host.hugePagesMiB[hugePages])
  );
}

/** Some node and some NVLink group, of those that matter to it, with enough devices in both. */
function hasPart(host: HostState, ask: PlaceAsk): boolean {
  const { gpu, numa } = ask.shape;
  const usable = host.devices.filter((device) => takes(host, device, ask));
  const linked = usable.filter(({ nvlinkGroup }) => nvlinkGroup !== null);
  const groups =
    gpu?.nvlink === true && gpu.count > 1
      ? [...Map.groupBy(linked, ({ nvlinkGroup }) => nvlinkGroup).values()]
      : [usable];
  const nodes = numa && host.numaNodes.length > 0 ? [...host.numaNodes.keys()] : [undefined];
  return nodes.some((node) =>
    groups.some((group) => {
      const there = node === undefined ? group : group.filter((device) => isOn(host, device, node));
      if (there.length < (gpu?.count ?? 0)) return false;
      return node === undefined || nodeTakes(host, node, ask, there);
    }),
  );
}

function isOn(host: HostState, device: DeviceState, node: number): boolean {
  return host.numaNodes.length === 1 || device.numaNode === node;
}

function nodeTakes(
  host: HostState,
  number: number,
  { shape }: PlaceAsk,
  devices: readonly DeviceState[],
): boolean {
  const node = host.numaNodes[number];
  const { milliCpus, memoryMiB } = takenBy(shape, host.machineCosts);
  return (
    node !== undefined &&
    node.milliCpusUsed + milliCpus <= node.milliCpus &&
    node.memoryBytesUsed + memoryMiB * mebibyte <= node.memoryBytes &&
    devices.every((device) => isOn(host, device, number))
  );
}

function takes(
  host: HostState,
  device: DeviceState,
  { shape, tenantId, pinned }: PlaceAsk,
): boolean {
  const { gpu } = shape;
  if (gpu === null || device.model !== gpu.model || !device.healthy) return false;
  if (pinned !== undefined && !pinned.deviceIds.includes(device.id)) return false;
  const slicesMax =
    device.mode === "whole" ? 1 : Math.min(device.slicesMax, host.pool?.slicesMax ?? Infinity);
  if (gpu.slice > slicesMax) return false;
  if (device.claims === 0) return true;
  if (device.slice !== gpu.slice || device.claims >= gpu.slice) return false;
  return device.isolation === "hard" || device.tenants.join() === tenantId;
}

function inOneGroup(devices: readonly DeviceState[]): boolean {
  const [first] = devices;
  return devices.every(
    ({ nvlinkGroup }) => nvlinkGroup !== null && nvlinkGroup === first?.nvlinkGroup,
  );
}

/** Invariant 4, counted anew: sentences about what is oversold. */
export function oversold(states: readonly HostState[], standing: readonly Standing[]): string[] {
  const wrong: string[] = [];
  for (const host of states) {
    const over =
      host.milliCpusUsed > host.milliCpus ||
      host.memoryBytesUsed > host.memoryBytes ||
      host.diskBytesUsed > host.diskBytes ||
      host.hugePagesMiBUsed["2Mi"] > host.hugePagesMiB["2Mi"] ||
      host.hugePagesMiBUsed["1Gi"] > host.hugePagesMiB["1Gi"] ||
      host.numaNodes.some(
        (node) => node.milliCpusUsed > node.milliCpus || node.memoryBytesUsed > node.memoryBytes,
      );
    if (over) wrong.push(`host ${host.id}`);
    for (const device of host.devices) {
      const on = standing.filter(
        ({ placed }) => placed.hostId === host.id && placed.deviceIds.includes(device.id),
      );
      const parts = on.reduce((sum, { ask }) => sum + 1 / (ask.shape.gpu?.slice ?? 1), 0);
      const sizes = new Set(on.map(({ ask }) => ask.shape.gpu?.slice)).size;
      const mixed = device.isolation === "soft" && device.tenants.length > 1;
      if (parts > 1 + 1e-9 || sizes > 1 || mixed) wrong.push(`device ${device.id} of ${host.id}`);
    }
  }
  for (const { ask } of standing) {
    const { shape } = ask;
    if (shape.serviceClass === "core" && milliCpusOf(shape) < shape.vcpus * 1000) {
      wrong.push("class core");
    }
  }
  return wrong;
}
