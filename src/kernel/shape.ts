/**
 * What one machine takes from a host: the form in which a flavor travels through the flow, copied
 * at admission so that a later change of the flavor changes nothing that runs.
 */
export interface Shape {
  readonly flavor: string;
  readonly vcpus: number;
  readonly cpu: { readonly sockets: number; readonly cores: number; readonly threads: number };
  readonly memoryMiB: number;
  readonly diskGiB: number;
  readonly gpu: {
    readonly model: string;
    readonly count: number;
    readonly slice: number;
    /** All of them in one NVLink group. */
    readonly nvlink: boolean;
  } | null;
  readonly serviceClass: "core" | "standard";
  readonly overcommitPercent: number;
  readonly hugePages: "none" | "2Mi" | "1Gi";
  readonly hostLabels: Readonly<Record<string, string>>;
  readonly antiAffinity: boolean;
  readonly tolerations: readonly string[];
  /** The name of the pool that it goes to; null for any that is open to it, or a host of none. */
  readonly pool: string | null;
  /** CPUs, memory and GPUs on one NUMA node. */
  readonly numa: boolean;
  /** The host's own CPU model; what the host and its like have in common if absent. */
  readonly cpuModel?: "host-passthrough";
  /** Parts of `diskGiB` that are to be disks of their own, where the platform can. */
  readonly furtherDisks?: readonly { readonly name: string; readonly sizeGiB: number }[];
}

export const mebibyte = 1_048_576;
export const gibibyte = 1_073_741_824;

/** Physical CPU that the machine takes, in thousandths of a CPU, rounded up. */
export function milliCpusOf(shape: Pick<Shape, "vcpus" | "overcommitPercent">): number {
  return Math.ceil((shape.vcpus * 1000 * 100) / shape.overcommitPercent);
}
