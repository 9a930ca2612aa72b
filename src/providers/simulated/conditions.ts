/**
 * What ails hosts and devices that do not exist, as a test or a demonstration says: a device that is
 * sick or throttled, a host whose CPUs are wanted by too many. Not part of the world: who starts anew
 * finds everything well.
 */
import type { GpuDevice, Host } from "#providers/provider.ts";

export interface Condition {
  readonly sickGpus: readonly string[];
  readonly throttledGpus: readonly string[];
  readonly cpuPressurePercent: number;
}

const well: Condition = { sickGpus: [], throttledGpus: [], cpuPressurePercent: 0 };

export class Conditions {
  readonly #of = new Map<string, Condition>();

  set(hostId: string, change: Partial<Condition>): void {
    this.#of.set(hostId, { ...(this.#of.get(hostId) ?? well), ...change });
  }

  /** What a look at the host shows of it. */
  shown(hostId: string, gpus: readonly GpuDevice[]): Pick<Host, "gpus" | "cpuPressurePercent"> {
    const { sickGpus, throttledGpus, cpuPressurePercent } = this.#of.get(hostId) ?? well;
    return {
      cpuPressurePercent,
      gpus: gpus.map((gpu) => ({
        ...gpu,
        ...(sickGpus.includes(gpu.id) ? { healthy: false } : {}),
        ...(throttledGpus.includes(gpu.id) ? { throttled: true } : {}),
      })),
    };
  }
}
