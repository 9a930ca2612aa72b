/**
 * Requests that need the same are of one kind, and a decision is about a kind: scores are kept per
 * kind and host. A request that is nonsense is refused here, in words, before anything is decided.
 */
import { gpusPerHostMax, resources, wholeGpu, type Amounts, type Resource } from "./amounts.ts";
import type { Fleet } from "./fleet.ts";
import { stranger } from "./tenants.ts";
import { Verdicts } from "./traits.ts";

export interface PlacementRequest {
  readonly amounts: Amounts;
  /**
   * `count` different devices with so many `milli` of each; 1000 is the whole device. `slices`: as
   * one of so many parts, of a device that can be cut that far. `linked`: all of one NVLink group.
   * Without `models` any will do.
   */
  readonly gpu?: {
    readonly count: number;
    readonly milli: number;
    readonly slices?: number;
    readonly models?: readonly string[];
    readonly linked?: boolean;
  };
  readonly requires?: readonly string[];
  readonly tolerates?: readonly string[];
  /** CPU, memory and GPUs of one NUMA node. */
  readonly oneNode?: boolean;
  /** On no host where the tenant has another that wants this too. */
  readonly apart?: boolean;
}

export interface Kind {
  readonly request: PlacementRequest;
  /** CPU, memory and disk, and what is not zero of the rest. */
  readonly needs: readonly { readonly resource: Resource; readonly amount: number }[];
  readonly cpuMilli: number;
  readonly memoryMiB: number;
  readonly gpuCount: number;
  /** Of each device; 0 without GPU. */
  readonly gpuMilli: number;
  readonly slices: number;
  /** Bits and numbers of the models that will do; -1 and undefined for any. */
  readonly models: number;
  readonly modelNumbers: readonly number[] | undefined;
  readonly linked: boolean;
  readonly oneNode: boolean;
  readonly apart: boolean;
  readonly verdicts: Verdicts;
  /** Who asks, where that matters; else a stranger. */
  readonly tenant: number;
  /** It comes back to where it is: a host that takes no new work takes it. */
  readonly stays: boolean;
  /** The only devices in question, by their numbers on the host. */
  readonly among: readonly number[] | undefined;
}

export type Compiled = { readonly kind: Kind } | { readonly problem: string };

/** Distinct kinds kept; more than that and all are forgotten, which costs time and nothing else. */
const kindsMax = 4096;

export class Kinds {
  readonly #fleet: Fleet;
  readonly #kinds = new Map<string, Kind>();
  #modelsSeen = 0;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  /** `key`: what the caller calls requests that are alike. */
  of(request: PlacementRequest, key = keyOf(request)): Compiled {
    const models = this.#fleet.gpus.names.count;
    if (models !== this.#modelsSeen || this.#kinds.size >= kindsMax) {
      this.#kinds.clear();
      this.#modelsSeen = models;
    }
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

function keyOf(request: PlacementRequest): string {
  const { amounts, gpu, requires = [], tolerates = [], oneNode = false, apart = false } = request;
  return JSON.stringify([
    resources.map((resource) => amounts[resource] ?? 0),
    gpu === undefined
      ? 0
      : [gpu.count, gpu.milli, gpu.slices, gpu.linked, gpu.models?.toSorted() ?? 0],
    requires.toSorted(),
    tolerates.toSorted(),
    oneNode,
    apart,
  ]);
}

/** What is wrong with it whatever the hosts are, as a sentence. */
export function problemOf({ amounts, gpu }: PlacementRequest): string | undefined {
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
  const { slices = 1 } = gpu;
  if (!Number.isSafeInteger(slices) || slices < 1 || slices > wholeGpu) {
    return `A slice is 1/n of a GPU with a whole number n from 1 on, not 1/${slices}.`;
  }
  if (!Number.isSafeInteger(gpu.milli) || gpu.milli < 1 || gpu.milli > wholeGpu) {
    return `Of a GPU one takes 1 to ${wholeGpu} thousandths, not ${gpu.milli}.`;
  }
  if (gpu.models?.length === 0) return "A list of GPU models that will do has at least one.";
  return undefined;
}

function compile(fleet: Fleet, request: PlacementRequest): Kind {
  const { amounts, gpu, requires = [], tolerates = [] } = request;
  const models = gpu?.models === undefined ? undefined : fleet.gpus.names.known(gpu.models);
  return {
    request,
    needs: resources
      .map((resource, i) => ({ resource, amount: amounts[resource] ?? 0, always: i < 3 }))
      .filter(({ amount, always }) => amount > 0 || always),
    cpuMilli: amounts.cpuMilli ?? 0,
    memoryMiB: amounts.memoryMiB ?? 0,
    gpuCount: gpu?.count ?? 0,
    gpuMilli: gpu?.milli ?? 0,
    slices: gpu?.slices ?? 1,
    models: models?.bits ?? -1,
    modelNumbers: models?.numbers,
    linked: gpu?.linked === true && gpu.count > 1,
    oneNode: request.oneNode ?? false,
    apart: request.apart ?? false,
    verdicts: new Verdicts({ requires, tolerates }),
    tenant: stranger,
    stays: false,
    among: undefined,
  };
}
