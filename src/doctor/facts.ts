/** What `doctor` found on this machine; how it is judged is in judge.ts. */
import type { SiteFacts } from "./sites.ts";

export interface Facts {
  readonly node: string;
  /** What QEMU says of itself; `undefined` if it is not there. */
  readonly qemu: string | undefined;
  /** Packages whose program is not there, with what they are for. */
  readonly missing: readonly { readonly package: string; readonly reason: string }[];
  readonly kvmDevice: "absent" | "closed" | "open";
  /** What the probe VM showed. */
  readonly execution: Execution;
  readonly cgroup: 1 | 2 | undefined;
  readonly cgroupWritable: boolean;
  readonly cpus: number;
  readonly memoryBytes: { readonly total: number; readonly available: number };
  readonly port: { readonly number: number; readonly takenBy: "nobody" | "millrace" | "another" };
  readonly data: DataFacts;
  readonly database: DatabaseFacts;
}

export type Execution =
  | { readonly kind: "kvm" | "emulated"; readonly reason: string }
  | { readonly kind: "unknown"; readonly reason: string };

export interface DataFacts {
  readonly path: string;
  readonly isThere: boolean;
  readonly writable: boolean;
  /** A directory above it that the accounts of QEMU and PostgreSQL may not pass through. */
  readonly closedAt: string | undefined;
  /** Parts that others may read although only the program should. */
  readonly openParts: readonly string[];
  readonly freeBytes: number;
  /** The process that runs on it. */
  readonly lockedBy: number | undefined;
}

export type DatabaseFacts =
  | { readonly kind: "none" }
  | { readonly kind: "unreachable"; readonly where: string; readonly reason: string }
  | {
      readonly kind: "answers";
      readonly where: "embedded" | "external";
      /** `server_version_num`, e.g. 180004. */
      readonly version: number;
      readonly checksums: boolean;
      readonly durable: boolean;
      /** Machines at platforms that no row of it ever named; they wait for the operator. */
      readonly keptMachines: number;
      readonly sites: readonly SiteFacts[];
    }
  | { readonly kind: "stopped" };

/** Pages that do not match their checksum; `undefined` if they were not read. */
export type PageFacts =
  | { readonly pages: number; readonly damaged: readonly string[] }
  | { readonly because: string };
