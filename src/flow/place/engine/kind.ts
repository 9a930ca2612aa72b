/**
 * Requests that need the same are of one kind, and a decision is about a kind: scores are kept per
 * kind and host. A request that is nonsense is refused here, in words, before anything is decided.
 */
import { gpusPerHostMax, resources, wholeGpu, type Amounts, type Resource } from "./amounts.ts";
import type { Fleet } from "./fleet.ts";

export interface PlacementRequest {
  readonly amounts: Amounts;
  /**
   * `count` different devices with so many `milli` of each; 1000 is the whole device. Without
   * `models` any will do.
   */
  readonly gpu?: {
    readonly count: number;
    readonly milli: number;
    readonly models?: readonly string[];
  };
  readonly requires?: readonly string[];
  readonly tolerates?: readonly string[];
}

export interface Kind {
  readonly request: PlacementRequest;
  /** What is not zero of it. */
  readonly needs: readonly { readonly resource: Resource; readonly amount: number }[];
  readonly cpuMilli: number;
  readonly memoryMiB: number;
  readonly gpuCount: number;
  /** Of each device; 0 without GPU. */
  readonly gpuMilli: number;
  readonly models: number;
  readonly requires: number;
  readonly tolerates: number;
  /** Something is required that no host has so far. */
  readonly unknown: boolean;
}

export type Compiled = { readonly kind: Kind } | { readonly problem: string };

/** Distinct kinds kept; more than that and all are forgotten, which costs time and nothing else. */
const kindsMax = 4096;

export class Kinds {
  readonly #fleet: Fleet;
  readonly #kinds = new Map<string, Kind>();
  #namesSeen = 0;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  of(request: PlacementRequest): Compiled {
    const names = this.#fleet.models.count + this.#fleet.traits.count;
    if (names !== this.#namesSeen || this.#kinds.size >= kindsMax) {
      this.#kinds.clear();
      this.#namesSeen = names;
    }
    const key = keyOf(request);
    const known = this.#kinds.get(key);
    if (known !== undefined) return { kind: known };
    const problem = problemOf(request);
    if (problem !== undefined) return { problem };
    const kind = compile(this.#fleet, request);
    this.#kinds.set(key, kind);
    return { kind };
  }
}

/** A slice 1/n in milli, rounded down so that n of them fit on a device. */
export function sliceMilli(slices: number): number {
  return Math.floor(wholeGpu / slices);
}

function keyOf({ amounts, gpu, requires = [], tolerates = [] }: PlacementRequest): string {
  return JSON.stringify([
    resources.map((resource) => amounts[resource] ?? 0),
    gpu === undefined ? 0 : [gpu.count, gpu.milli, gpu.models?.toSorted() ?? 0],
    requires.toSorted(),
    tolerates.toSorted(),
  ]);
}

function problemOf({ amounts, gpu }: PlacementRequest): string | undefined {
  for (const resource of resources) {
    const amount = amounts[resource] ?? 0;
    if (!Number.isSafeInteger(amount) || amount < 0) {
      return `${resource} is a whole number from 0 on, not ${amount}.`;
    }
  }
  if (!((amounts.cpuMilli ?? 0) > 0)) return "A request needs some CPU.";
  if (gpu === undefined) return undefined;
  if (!Number.isSafeInteger(gpu.count) || gpu.count < 1 || gpu.count > gpusPerHostMax) {
    return `GPUs are counted in whole numbers from 1 to ${gpusPerHostMax}, not ${gpu.count}.`;
  }
  if (!Number.isSafeInteger(gpu.milli) || gpu.milli < 1 || gpu.milli > wholeGpu) {
    return `Of a GPU one takes 1 to ${wholeGpu} thousandths, not ${gpu.milli}.`;
  }
  if (gpu.models?.length === 0) return "A list of GPU models that will do has at least one.";
  return undefined;
}

function compile(fleet: Fleet, request: PlacementRequest): Kind {
  const { amounts, gpu } = request;
  const requires = fleet.traits.known(request.requires ?? []);
  const models = gpu?.models === undefined ? undefined : fleet.models.known(gpu.models);
  return {
    request,
    needs: resources
      .map((resource) => ({ resource, amount: amounts[resource] ?? 0 }))
      .filter(({ amount }) => amount > 0),
    cpuMilli: amounts.cpuMilli ?? 0,
    memoryMiB: amounts.memoryMiB ?? 0,
    gpuCount: gpu?.count ?? 0,
    gpuMilli: gpu?.milli ?? 0,
    models: models?.bits ?? -1,
    requires: requires.bits,
    tolerates: fleet.traits.known(request.tolerates ?? []).bits,
    unknown: requires.unknown.length > 0,
  };
}
