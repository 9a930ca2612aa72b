/** What the parts of the driver share: the site, the programs, the images and the limits. */
import type { Boots } from "./boots.ts";
import type { ImageFiles } from "./disk.ts";
import type { Limits } from "./limits.ts";
import type { MachineSpec } from "#providers/provider.ts";
import type { Qemu } from "./qemu.ts";
import type { ImageRecord, State } from "./records.ts";
import type { Site } from "./site.ts";

export interface Image extends ImageRecord, ImageFiles {
  readonly minDiskBytes: number;
  readonly minMemoryBytes: number;
  readonly takesUserData: boolean;
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

/** Machines that need no boot. Both give one that stands still, not yet wired to its tenant. */
export interface Warm {
  /** Turns a member of the pool into `instances/<id>` with this spec. */
  readonly takeMember: (spec: MachineSpec, image: Image) => Promise<State | undefined>;
  /** Clones one into `instances/<id>`, which has its spec already. */
  readonly cloneNow: (spec: MachineSpec, image: Image) => Promise<State | undefined>;
}

export interface Driver {
  readonly site: Site;
  readonly offered: Offered;
  readonly qemu: () => Promise<Qemu>;
  readonly accelerator: () => Promise<Accelerator>;
  readonly boots: () => Promise<Boots>;
  readonly limits: () => Promise<Limits>;
  /** Refuses an unknown name; `unavailable` while the image is being built. */
  readonly image: (name: string) => Promise<Image>;
  readonly warm: Warm;
  /** Looks after a running machine from now on; see keeper.ts. */
  readonly keep: (machineId: string) => void;
}
