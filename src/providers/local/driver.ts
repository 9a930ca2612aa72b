/** What the parts of the driver share: the site, the programs, the images and the limits. */
import type { ImageFiles } from "./disk.ts";
import type { Qemu } from "./qemu.ts";
import type { ImageRecord } from "./records.ts";
import type { Site } from "./site.ts";

export interface Image extends ImageRecord, ImageFiles {
  readonly minDiskBytes: number;
  readonly minMemoryBytes: number;
}

export interface Accelerator {
  readonly kind: "kvm" | "tcg";
  readonly cpuModel: string;
  /** What the probe VM showed, for a person. */
  readonly reason: string;
}

export interface Offered {
  readonly cpus: number;
  readonly memoryBytes: number;
}

export interface Driver {
  readonly site: Site;
  readonly offered: Offered;
  readonly qemu: () => Promise<Qemu>;
  readonly accelerator: () => Promise<Accelerator>;
  /** Refuses an unknown name; `unavailable` while the image is being built. */
  readonly image: (name: string) => Promise<Image>;
  /** Looks after a running machine from now on; see keeper.ts. */
  readonly keep: (machineId: string) => void;
}
