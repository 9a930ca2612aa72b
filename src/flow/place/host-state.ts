/**
 * What placement knows of a host at one moment: what it has, what is held of it, and the pool that
 * says whom it serves. Values only; hosts-read.ts fills them.
 */
import type { Refuses } from "#kernel/host-refuses.ts";
import type { MachineCosts } from "#kernel/machine-cost.ts";

/** A label that every host has, so that work can ask for a site. */
export const siteLabel = "millrace/site";

/** A selection of hosts that is sold in one way. */
export interface PoolState {
  readonly id: string;
  readonly name: string;
  /**
   * `exclusive`: whole devices only. `shared`: slices too. `edge`: hosts far away, only for work that
   * names the pool (`Shape.pool`).
   */
  readonly policy: "exclusive" | "shared" | "edge";
  /** The class of the work that it takes; class core goes to `core` and `any` only. */
  readonly serviceClass: "core" | "standard" | "any";
  /** Most slices of one of its devices, as far as the device can: the lesser of both holds. */
  readonly slicesMax: number;
  /** Share of what its hosts have that only work after a fault may use (reserve.ts). */
  readonly reservePercent: number;
  /** Work is spread over its hosts; otherwise it is packed. */
  readonly spread: boolean;
  /** Dedicated to these tenants; null when it is open to all. */
  readonly tenantIds: readonly string[] | null;
}

export interface DeviceState {
  readonly id: string;
  readonly model: string;
  readonly memoryBytes: number;
  /** How it is cut: `whole` is never cut, whatever `slicesMax` says. */
  readonly mode: "whole" | "vgpu" | "mig" | "shared";
  readonly isolation: "hard" | "soft";
  /** What the device itself can. */
  readonly slicesMax: number;
  readonly numaNode: number | null;
  /** Devices of a host with the same group reach each other by NVLink. */
  readonly nvlinkGroup: string | null;
  /** A sick device takes nothing new. */
  readonly healthy: boolean;
  /** The slice size in use (all claims of a device have one size); 0 when free. */
  readonly slice: number;
  readonly claims: number;
  readonly tenants: readonly string[];
}

/** `…Used` is what is bound to this node; other work of the host runs on any of them. */
export interface NumaNodeState {
  readonly milliCpus: number;
  readonly memoryBytes: number;
  readonly milliCpusUsed: number;
  readonly memoryBytesUsed: number;
}

export interface HostState {
  readonly id: string;
  readonly name: string;
  readonly up: boolean;
  /**
   * Since when its site does not answer; null while it does, and for a blip (`siteAwayAfterMs`). Nothing
   * new goes there; all else is as it was seen last, and neither freed nor lost.
   */
  readonly awaySince: number | null;
  readonly schedulable: boolean;
  /** Null for a host outside every pool, which serves whoever names none. */
  readonly pool: PoolState | null;
  readonly milliCpus: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly milliCpusUsed: number;
  readonly memoryBytesUsed: number;
  readonly diskBytesUsed: number;
  /** Memory in huge pages, by page size. */
  readonly hugePagesMiB: Readonly<Record<"2Mi" | "1Gi", number>>;
  readonly hugePagesMiBUsed: Readonly<Record<"2Mi" | "1Gi", number>>;
  /** Empty when the platform does not say: then the host counts as one node. */
  readonly numaNodes: readonly NumaNodeState[];
  /** What a machine takes here beside what it was sold; null where that is nothing. */
  readonly machineCosts: MachineCosts | null;
  /** What it starts none of, whatever room it has, and why. */
  readonly refuses: Refuses;
  readonly labels: Readonly<Record<string, string>>;
  readonly devices: readonly DeviceState[];
  /** Tenants that have an instance here which asked to be kept apart from its own kind. */
  readonly antiAffineTenants: readonly string[];
}

export function siteOf({ labels }: Pick<HostState, "labels">): string {
  return labels[siteLabel] ?? "";
}
