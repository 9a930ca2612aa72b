import { z } from "zod";

import { dnsName, displayName, id, money, reason, timestamp } from "./common.ts";

export const gpuAsk = z.strictObject({
  model: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,31}$/),
  count: z.number().int().min(1).max(16),
  /** 1 is a whole device; n is one n-th of one (then `count` is 1). */
  slice: z.number().int().min(1).max(64).default(1),
});
export type GpuAsk = z.output<typeof gpuAsk>;

export const cpuTopology = z.strictObject({
  sockets: z.number().int().min(1).max(8),
  cores: z.number().int().min(1).max(256),
  threads: z.number().int().min(1).max(2),
});

export const cpuModel = z.enum(["host-passthrough", "host-model", "custom"]);
export const serviceClass = z.enum(["core", "standard"]);
export const hugePages = z.enum(["none", "2Mi", "1Gi"]);
const mebibytes = z.number().int().min(1).max(16_777_216);
const gibibytes = z.number().int().min(1).max(65_536);

export const poolName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "lower-case letters, digits and '-'");

/** A flavor: what one machine is made of. The rules that bind the fields: catalog/flavor.ts. */
export const flavorFields = z.strictObject({
  vcpus: z.number().int().min(1).max(1024),
  cpu: cpuTopology,
  cpuModel: cpuModel.default("host-model"),
  memoryMiB: mebibytes,
  /** Guaranteed memory; equal to `memoryMiB` for `core`. */
  memoryRequestMiB: mebibytes.optional(),
  diskGiB: gibibytes,
  gpu: gpuAsk.nullable().default(null),
  /** All its GPUs in one NVLink group. */
  nvlink: z.boolean().default(false),
  /** CPUs, memory and GPUs on one NUMA node. */
  numa: z.boolean().default(false),
  /** The pool that it is sold from; `null` for any that is open to it. */
  pool: poolName.nullable().default(null),
  serviceClass: serviceClass.default("standard"),
  /** vCPUs sold per physical CPU, in hundredths: 100 is none, 150 the most. */
  overcommitPercent: z.number().int().min(100).max(1000).default(100),
  hugePages: hugePages.default("none"),
  balloon: z.boolean().default(false),
  pageSharing: z.boolean().default(false),
  nicQueues: z.number().int().min(1).max(256).default(1),
  extraDisks: z
    .array(z.strictObject({ name: dnsName, sizeGiB: gibibytes }))
    .max(8)
    .default([]),
  placement: z
    .strictObject({
      hostLabels: z.record(z.string(), z.string()).default({}),
      antiAffinity: z.boolean().default(false),
      tolerations: z.array(z.string().max(63)).max(16).default([]),
    })
    .default({ hostLabels: {}, antiAffinity: false, tolerations: [] }),
  /** What it is on the price list of dedicated machines; null where it is rented by the hour only. */
  subscriptionSku: z
    .string()
    .regex(/^vm(?:\.[A-Za-z0-9_-]{1,40}){1,2}$/, "a SKU such as vm.a100x1")
    .nullable()
    .default(null),
});

export const flavorName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{0,62}$/, "lower-case letters, digits, '.' and '-'");

export const createFlavorBody = flavorFields.extend({
  name: flavorName,
  description: z.string().max(500).default(""),
});

export const flavor = createFlavorBody.extend({
  id,
  state: z.enum(["offered", "retired"]),
  createdAt: timestamp,
});
export type Flavor = z.output<typeof flavor>;

export const price = z.object({
  /** `on_request`: named in the price list, but without a price; cannot be ordered. */
  status: z.enum(["priced", "on_request"]),
  hourly: money.nullable(),
  daily: money.nullable(),
  /** 30 days. */
  monthly: money.nullable(),
  lines: z.array(
    z.object({
      sku: z.string(),
      units: z.string(),
      unit: z.string(),
      unitPrice: z.string().nullable(),
      hourly: money.nullable(),
    }),
  ),
  profile: z.string(),
});

export const offer = z.object({
  flavor,
  price,
  /** How many more of it would fit at this moment; an estimate, never a promise. */
  freeNow: z.number().int(),
  /** Why none is free although there is room for it: its site is away. It may be ordered and waits. */
  reason: reason.nullable(),
  execution: z.enum(["kvm", "emulated", "simulated", "none"]),
  isolation: z.enum(["hard", "soft", "none"]),
});

const imageFramework = z.enum(["pytorch", "tensorflow"]);

export const image = z.object({
  id,
  name: z.string(),
  description: z.string(),
  defaultUser: z.string(),
  minMemoryMiB: z.number().int(),
  minDiskGiB: z.number().int(),
  /** Whether cloud-init user data may be given with a machine of it. */
  takesUserData: z.boolean(),
  /** Version of the GPU driver in it; a part of a GPU is cut for it on hosts of the same branch only. */
  gpuDriver: z.string().nullable(),
  /** What is packed into it for jobs; `null` where nobody said. */
  frameworks: z.array(imageFramework).nullable(),
  state: z.enum(["ready", "building", "failed", "retired"]),
});

/** The operator's word about an image. What is not said stays. */
export const updateImageBody = z.strictObject({
  gpuDriver: z
    .string()
    .regex(/^[0-9]{1,4}(?:\.[0-9]{1,4}){0,3}$/, "a version such as 550.54.15")
    .nullable()
    .optional(),
  frameworks: z.array(imageFramework).max(2).nullable().optional(),
});

/** As its site said when it was seen last. */
export const hostState = z.enum(["up", "down", "maintenance"]);

export const host = z.object({
  id,
  name: z.string(),
  zone: z.string(),
  pod: z.string(),
  cluster: z.string(),
  site: z.string(),
  execution: z.enum(["kvm", "emulated", "simulated"]),
  state: hostState,
  /** Since when its site has been away: what is said of it is as it was then, and nothing new goes there. */
  siteAwaySince: timestamp.nullable(),
  schedulable: z.boolean(),
  /** The operator takes it out of service: its jobs go on elsewhere, owners of leases are told. */
  maintenance: z.boolean(),
  /** The pool that it belongs to; `null` for a host outside every pool. */
  pool: poolName.nullable(),
  cpus: z.number().int(),
  cpusUsed: z.number(),
  memoryMiB: z.number().int(),
  memoryMiBUsed: z.number().int(),
  diskGiB: z.number().int(),
  diskGiBUsed: z.number().int(),
  /** Its NUMA nodes in order; empty when its platform does not say. */
  numa: z.array(z.object({ cpus: z.number().int(), memoryMiB: z.number().int() })),
  gpus: z.array(
    z.object({
      id: z.string(),
      model: z.string(),
      memoryMiB: z.number().int(),
      isolation: z.enum(["hard", "soft"]),
      slicesMax: z.number().int(),
      /** How it is cut: `whole` is never cut. */
      mode: z.enum(["whole", "vgpu", "mig", "shared"]),
      numaNode: z.number().int().nullable(),
      /** GPUs of the host with the same group reach each other by NVLink. */
      nvlinkGroup: z.string().nullable(),
      /** The extended resource that a Kubernetes node advertises it as, and its parts; else `null`. */
      resource: z.string().nullable(),
      sliceResource: z.string().nullable(),
      /** A sick one keeps what it has and takes nothing new. */
      healthy: z.boolean(),
      /** Who calls it sick. */
      sickBy: z.array(z.enum(["platform", "operator"])),
      note: z.string().nullable(),
      /** Share that is taken, 0 to 1. */
      used: z.number(),
    }),
  ),
  /** Version of its GPU driver, where its platform says it. */
  gpuDriver: z.string().nullable(),
  /**
   * What it starts none of as it is set up, whatever room it has: machines of a class, or hosted jobs.
   * Such work is placed on other hosts.
   */
  refuses: z.array(z.object({ work: z.enum(["core", "standard", "job"]), reason: z.string() })),
  seenAt: timestamp.nullable(),
});

/** What is not said stays. */
export const updateHostBody = z.strictObject({
  schedulable: z.boolean().optional(),
  /**
   * Begins with `true`: nothing new, jobs are told to save their work and go on elsewhere, owners of
   * leases are told. `schedulable: true` ends it.
   */
  maintenance: z.boolean().optional(),
  /** Into this pool, or out of any with `null`. */
  pool: poolName.nullable().optional(),
});

/** The operator's word; what the platform says of it stands beside. */
export const updateHostGpuBody = z.strictObject({
  healthy: z.boolean(),
  note: z.string().max(500).optional(),
});

export const placeTree = z.object({
  zones: z.array(
    z.object({
      name: z.string(),
      secondaryStorage: z.array(z.object({ name: z.string(), kind: z.string() })),
      pods: z.array(
        z.object({
          name: z.string(),
          subnet: z.string().nullable(),
          clusters: z.array(
            z.object({
              name: z.string(),
              site: z.string(),
              primaryStorage: z.array(
                z.object({ name: z.string(), kind: z.string(), sizeGiB: z.number().int() }),
              ),
              hosts: z.array(z.string()),
            }),
          ),
        }),
      ),
    }),
  ),
});

export const priceProfileVersion = z.object({
  id,
  name: displayName,
  version: z.number().int(),
  /** First local day on which it is in force; `null` while it is a draft. */
  activeFrom: z.iso.date().nullable(),
  createdAt: timestamp,
});
export const priceProfileDetail = priceProfileVersion.extend({
  profile: z.record(z.string(), z.unknown()),
  findings: z.array(z.object({ severity: z.enum(["error", "warning"]), message: z.string() })),
});
export const createPriceProfileBody = z.strictObject({
  name: displayName,
  profile: z.record(z.string(), z.unknown()),
});
/** The problems make it no profile at all; the findings are valid, and customers would be surprised. */
export const checkPriceProfileBody = z.strictObject({
  profile: z.record(z.string(), z.unknown()),
});
export const priceProfileCheck = z.object({
  /** Empty where it is valid. */
  problems: z.array(z.object({ path: z.string(), message: z.string() })),
  findings: z.array(z.object({ severity: z.enum(["warning"]), message: z.string() })),
});
export const activatePriceProfileBody = z.strictObject({ from: z.iso.date() });

/** Real history under other prices. */
export const replayPricesBody = z.strictObject({
  profile: z.record(z.string(), z.unknown()),
  month: z.string().regex(/^[0-9]{4}-(?:0[1-9]|1[0-2])$/, "a month such as 2026-05"),
});

const tierName = z.enum(["normal", "gold", "diamond"]);

export const priceReplay = z.object({
  month: z.string(),
  before: money,
  after: money,
  change: money,
  winners: z.number().int(),
  losers: z.number().int(),
  /** Who would pay the most more or less, first; at most 1000. */
  tenants: z.array(
    z.object({
      tenantId: id,
      name: z.string(),
      before: money,
      after: money,
      change: money,
      /** SKUs without a price under the profile: their usage is in `before` only. */
      unpriced: z.array(z.string()),
      tierBefore: tierName,
      tierAfter: tierName,
    }),
  ),
  tierMoves: z.number().int(),
  /** What customers would be surprised by. */
  findings: z.array(z.object({ severity: z.enum(["warning"]), message: z.string() })),
});
