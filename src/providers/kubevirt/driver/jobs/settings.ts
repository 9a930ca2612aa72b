/**
 * What an operator says of the jobs of a cluster: which queue carries them, which machines take them and
 * how their cards are handed out, and how the programs beside a customer's reach the control plane.
 */
import { z } from "zod";

const dnsName = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/, "a name as Kubernetes has it");
const labels = z.record(z.string(), z.string());
/** Of a container image, as a node pulls it. */
const reference = z.string().min(1).max(512);

const hami = z.strictObject({
  memoryResource: z.string().min(1),
  coresResource: z.string().min(1),
  /** Openly best effort, for whoever asks; else only on machines of the tenant alone. */
  bestEffort: z.boolean().default(false),
});

const gpu = z.strictObject({
  model: z.string().min(1).max(64),
  /** Of a whole card. */
  memoryGib: z.int().min(1).max(4096),
  /** As the nodes count it: `nvidia.com/gpu`. */
  resource: z.string().min(1),
  sharing: z.enum(["none", "mig", "hami", "time-slicing"]).default("none"),
  /** One n-th of a card; 1 is the whole. */
  slice: z.int().min(1).max(64).default(1),
  hami: hami.optional(),
});

const flavor = z.strictObject({
  name: dnsName,
  gpu: gpu.nullable().default(null),
  /** Picks its nodes; never empty, or work without GPUs would land on machines with some. */
  nodeLabels: labels.refine((all) => Object.keys(all).length > 0, "at least one label"),
  tolerations: z.array(z.string()).default([]),
  topology: dnsName.optional(),
});

const amounts = z.strictObject({
  cpus: z.int().min(0).default(0),
  memoryGib: z.int().min(0).default(0),
  diskGib: z.int().min(0).default(0),
  /** Pieces of the flavor's resource: cards, or parts of cards. */
  gpus: z.int().min(0).default(0),
});

/** By flavor. */
const share = z.strictObject({
  own: z.record(dnsName, amounts).default({}),
  /** What a preemptible job may take of what others leave over; all there is when left out. */
  borrow: z.record(dnsName, amounts).optional(),
});

const selector = z.strictObject({ matchLabels: labels.optional() });

export const jobsSettings = z.strictObject({
  batch: z.enum(["kueue", "volcano"]).default("kueue"),
  cohort: dnsName.default("millrace"),
  flavors: z.array(flavor).min(1).max(64),
  topology: z
    .strictObject({
      name: dnsName,
      levels: z.array(z.string()).min(1).max(16),
      packWithin: z.string(),
    })
    .optional(),
  /** A shell with curl, tar and busybox: deploy/container/agent.Containerfile. */
  agentImage: reference,
  /** Where pods reach the control plane. */
  agentUrl: z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/u, "")),
  /** The same to the network policies, which let nothing out to the cluster's own addresses. */
  agentPeer: z.strictObject({
    podSelector: selector.optional(),
    namespaceSelector: selector.optional(),
    ipBlock: z.strictObject({ cidr: z.string() }).optional(),
  }),
  /**
   * On which ports it listens, where that is not the port of `agentUrl`: a Service hands on to another
   * port of its pods, and network policies speak of the pods'.
   */
  agentPorts: z.array(z.int().min(1).max(65_535)).min(1).max(16).optional(),
  /** What an image of the catalog is to a node. */
  images: z.record(z.string(), reference).default({}),
  tenantNodeLabel: z.string().min(1).default("millrace.dev/tenant"),
  shares: z
    .strictObject({
      /** Of whoever is named neither himself nor by his tier; when left out all that the machines have: Millrace's own books decide. */
      others: share.optional(),
      tenants: z.record(z.uuid(), share).default({}),
      /** Of whoever is not named above, by his tier; credit of a package counts as gold. */
      tiers: z
        .strictObject({
          diamond: share.optional(),
          gold: share.optional(),
          ordinary: share.optional(),
        })
        .default({}),
    })
    .default({ tenants: {}, tiers: {} }),
});

export type JobsSettings = z.infer<typeof jobsSettings>;
export type ShareSettings = z.infer<typeof share>;
