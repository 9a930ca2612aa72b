/**
 * Hosts and GPUs that do not exist, described as data: what `--simulate-gpus A100=8,T4=16` turns
 * into. Memory sizes are the vendors' own; slices are MIG's seven for A100 and H100 and the 1:8 that
 * R-POOL-03 sells of A10 and T4; as resources they are named as NVIDIA's device plugins do. All A100, or all H100, of a host are in one NVLink group. A model
 * that is not listed is made up as a 16 GiB device that cannot be sliced.
 */
import { ProviderError, type GpuDevice, type Host } from "#providers/provider.ts";

const gib = 1024 ** 3;

export interface SimulatedHost {
  readonly id: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly gpus: readonly GpuDevice[];
  readonly hugePages?: Host["hugePages"];
  readonly labels?: Readonly<Record<string, string>>;
  readonly numa?: NonNullable<Host["numa"]>;
  readonly gpuDriver?: string;
}

/** Most devices that one description may ask for. */
export const gpusMax = 4096;

interface Model extends Pick<
  GpuDevice,
  "memoryBytes" | "isolation" | "slicesMax" | "resource" | "sliceResource"
> {
  readonly mode: NonNullable<GpuDevice["mode"]>;
  readonly nvlink?: true;
}

const whole = "nvidia.com/gpu";

const models: Readonly<Record<string, Model>> = {
  T4: {
    memoryBytes: 16 * gib,
    isolation: "hard",
    slicesMax: 8,
    mode: "vgpu",
    resource: whole,
    sliceResource: "nvidia.com/GRID_T4-2Q",
  },
  A10: {
    memoryBytes: 24 * gib,
    isolation: "hard",
    slicesMax: 8,
    mode: "vgpu",
    resource: whole,
    sliceResource: "nvidia.com/NVIDIA_A10-3Q",
  },
  A100: {
    memoryBytes: 80 * gib,
    isolation: "hard",
    slicesMax: 7,
    mode: "mig",
    nvlink: true,
    resource: whole,
    sliceResource: "nvidia.com/mig-1g.10gb",
  },
  H100: {
    memoryBytes: 80 * gib,
    isolation: "hard",
    slicesMax: 7,
    mode: "mig",
    nvlink: true,
    resource: whole,
    sliceResource: "nvidia.com/mig-1g.10gb",
  },
  Jetson: {
    memoryBytes: 8 * gib,
    isolation: "soft",
    slicesMax: 1,
    mode: "whole",
    resource: whole,
  },
};

/** Made up, as the hosts are. */
const gpuDriver = "550.54.15";

const unlisted: Model = {
  memoryBytes: 16 * gib,
  isolation: "hard",
  slicesMax: 1,
  mode: "whole",
};

/** Reads `A100=8,T4=16`. Throws ProviderError `refused` with the part that is wrong. */
export function parseGpus(text: string): readonly GpuDevice[] {
  const counts = new Map<string, number>();
  for (const part of text.split(",").map((each) => each.trim())) {
    const match = /^([A-Za-z][A-Za-z0-9-]{0,31})=([1-9][0-9]{0,3})$/.exec(part);
    const [, model, count] = match ?? [];
    if (model === undefined || count === undefined) {
      throw malformed(`"${part}" is not MODEL=COUNT, for example A100=8,T4=16`);
    }
    if (counts.has(model)) throw malformed(`${model} is named twice`);
    counts.set(model, Number(count));
  }
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (total > gpusMax) throw malformed(`${total} GPUs are more than ${gpusMax}`);
  return [...counts].flatMap(([model, count]) => {
    const { nvlink, ...device } = models[model] ?? unlisted;
    return Array.from({ length: count }, (_, index) => ({
      id: `${model.toLowerCase()}-${index}`,
      model,
      ...device,
      ...(nvlink === undefined ? {} : { nvlinkGroup: model.toLowerCase() }),
    }));
  });
}

/**
 * One host that carries the GPUs, with CPU, memory and disk in the proportion of a real GPU server
 * (16 CPUs, 128 GiB and 1 TiB for each device), on two NUMA nodes with the devices half and half.
 */
export function gpuHost(id: string, gpus: string): SimulatedHost {
  const devices = parseGpus(gpus);
  const share = devices.length;
  return {
    id,
    cpus: 16 * share,
    memoryBytes: 128 * gib * share,
    diskBytes: 1024 * gib * share,
    gpus: devices.map((device, index) => ({ ...device, numaNode: index % 2 })),
    numa: Array.from({ length: 2 }, () => ({ cpus: 8 * share, memoryBytes: 64 * gib * share })),
    labels: { simulated: "true" },
    gpuDriver,
  };
}

function malformed(message: string): ProviderError {
  return new ProviderError("refused", `simulated GPUs: ${message}`, { effect: "none" });
}
