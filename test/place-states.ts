/**
 * Shapes, hosts, devices and pools for tests, each with plain defaults: a test names what it is
 * about, and a field that is added later does not touch them all.
 */
import type { DeviceState, HostState, PoolState } from "#flow/place/host-state.ts";
import type { Shape } from "#kernel/shape.ts";

const gib = 2 ** 30;

export function aHost(change: Partial<HostState> = {}): HostState {
  return {
    id: "h1",
    name: "h1",
    up: true,
    awaySince: null,
    schedulable: true,
    pool: null,
    milliCpus: 8_000,
    memoryBytes: 16 * gib,
    diskBytes: 100 * gib,
    milliCpusUsed: 0,
    memoryBytesUsed: 0,
    diskBytesUsed: 0,
    hugePagesMiB: { "2Mi": 0, "1Gi": 0 },
    hugePagesMiBUsed: { "2Mi": 0, "1Gi": 0 },
    numaNodes: [],
    machineCosts: null,
    refuses: {},
    labels: {},
    devices: [],
    antiAffineTenants: [],
    ...change,
  };
}

/** A free T4 that can be cut in four. */
export function aDevice(change: Partial<DeviceState> = {}): DeviceState {
  return {
    id: "g0",
    model: "T4",
    memoryBytes: 16 * gib,
    mode: "vgpu",
    isolation: "hard",
    slicesMax: 4,
    numaNode: null,
    nvlinkGroup: null,
    healthy: true,
    slice: 0,
    claims: 0,
    tenants: [],
    ...change,
  };
}

/** Open to all, shared 1:8, without a reserve. */
export function aPool(change: Partial<PoolState> = {}): PoolState {
  return {
    id: "p1",
    name: "general",
    policy: "shared",
    serviceClass: "any",
    slicesMax: 8,
    reservePercent: 0,
    spread: false,
    tenantIds: null,
    ...change,
  };
}

export function aShape(change: Partial<Shape> = {}): Shape {
  return {
    flavor: "test",
    vcpus: 2,
    cpu: { sockets: 1, cores: 2, threads: 1 },
    memoryMiB: 4096,
    diskGiB: 10,
    gpu: null,
    serviceClass: "standard",
    overcommitPercent: 100,
    hugePages: "none",
    hostLabels: {},
    antiAffinity: false,
    tolerations: [],
    pool: null,
    numa: false,
    ...change,
  };
}

export function gpus(
  model: string,
  change: { readonly count?: number; readonly slice?: number; readonly nvlink?: boolean } = {},
): NonNullable<Shape["gpu"]> {
  return { model, count: 1, slice: 1, nvlink: false, ...change };
}
