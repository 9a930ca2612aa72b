/** What a machine is made of, in short words: its GPU, its memory. The same everywhere. */
import type { Translate } from "#console/i18n/index.ts";

export interface Gpu {
  readonly model: string;
  readonly count: number;
  readonly slice: number;
}

/** "2 × A100", "1/4 T4". */
export function gpuText({ model, count, slice }: Gpu): string {
  return slice === 1 ? `${count} × ${model}` : `1/${slice} ${model}`;
}

/** Binary units, as machines have them: "512 MiB", "1.5 GiB", "64 GiB". */
export function memoryText(mebibytes: number): string {
  if (mebibytes < 1024) return `${mebibytes} MiB`;
  const gib = mebibytes / 1024;
  return `${Number.isInteger(gib) ? gib : gib.toFixed(1)} GiB`;
}

/** A flavor to choose from a list: "A100-1: 8 vCPUs, 64 GiB, 1 × A100". */
export function flavorChoice(
  flavor: {
    readonly name: string;
    readonly vcpus: number;
    readonly memoryMiB: number;
    readonly gpu: Gpu | null;
  },
  t: Translate,
): { readonly value: string; readonly label: string } {
  const { name, vcpus, memoryMiB, gpu } = flavor;
  const parts = [t("offers.vcpus", { count: vcpus }), memoryText(memoryMiB)];
  if (gpu !== null) parts.push(gpuText(gpu));
  return { value: name, label: `${name}: ${parts.join(", ")}` };
}

/** Of files and snapshots. */
export function bytesText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ""}`;
}
