/** A job's objects as the cluster tells them, as far as anybody here reads them. */
import { z } from "zod";

const instant = z.string().transform((text) => Date.parse(text));
const words = z.record(z.string(), z.string()).default({});

const metadata = z.object({
  name: z.string(),
  namespace: z.string().default(""),
  uid: z.string(),
  resourceVersion: z.string(),
  creationTimestamp: instant.optional(),
  deletionTimestamp: instant.optional(),
  labels: words,
  annotations: words,
});

const conditions = z
  .array(
    z.object({
      type: z.string(),
      status: z.string(),
      reason: z.string().default(""),
      message: z.string().default(""),
      lastTransitionTime: instant.optional(),
    }),
  )
  .default([]);

export type SeenCondition = z.infer<typeof conditions>[number];

const job = z.object({
  metadata,
  spec: z.object({ suspend: z.boolean().default(false) }),
  status: z.object({ conditions }).default({ conditions: [] }),
});

const eviction = z.object({
  reason: z.string(),
  underlyingCause: z.string().default(""),
  count: z.number(),
});

const workload = z.object({
  metadata,
  spec: z.object({ active: z.boolean().default(true), queueName: z.string().default("") }),
  status: z
    .object({
      conditions,
      requeueState: z.object({ requeueAt: instant.optional() }).optional(),
      schedulingStats: z.object({ evictions: z.array(eviction).default([]) }).optional(),
    })
    .default({ conditions: [] }),
});

const container = z.object({
  name: z.string(),
  state: z
    .object({
      waiting: z
        .object({ reason: z.string().default(""), message: z.string().default("") })
        .optional(),
      running: z.object({ startedAt: instant }).optional(),
      terminated: z
        .object({
          exitCode: z.number(),
          reason: z.string().default(""),
          message: z.string().default(""),
          startedAt: instant.nullish(),
          finishedAt: instant.nullish(),
        })
        .optional(),
    })
    .default({}),
});

const pod = z.object({
  metadata,
  spec: z.object({ nodeName: z.string().optional() }),
  status: z
    .object({
      phase: z.string().default("Pending"),
      reason: z.string().default(""),
      message: z.string().default(""),
      conditions,
      initContainerStatuses: z.array(container).default([]),
      containerStatuses: z.array(container).default([]),
    })
    .prefault({}),
});

const volcanoJob = z.object({
  metadata,
  status: z
    .object({
      state: z
        .object({
          phase: z.string().default("Pending"),
          reason: z.string().default(""),
          message: z.string().default(""),
          lastTransitionTime: instant.optional(),
        })
        .prefault({}),
    })
    .prefault({}),
});

const podGroup = z.object({
  metadata,
  status: z.object({ phase: z.string().default("Pending"), conditions }).prefault({}),
});

export type SeenJob = z.infer<typeof job>;
export type SeenWorkload = z.infer<typeof workload>;
export type SeenPod = z.infer<typeof pod>;
export type SeenContainer = z.infer<typeof container>;
export type SeenVolcanoJob = z.infer<typeof volcanoJob>;
export type SeenPodGroup = z.infer<typeof podGroup>;

/** Each throws ZodError for what is not of its kind. */
export const read = {
  job: (value: unknown): SeenJob => job.parse(value),
  workload: (value: unknown): SeenWorkload => workload.parse(value),
  pod: (value: unknown): SeenPod => pod.parse(value),
  volcanoJob: (value: unknown): SeenVolcanoJob => volcanoJob.parse(value),
  podGroup: (value: unknown): SeenPodGroup => podGroup.parse(value),
};

export function isTrue(all: readonly SeenCondition[], type: string): SeenCondition | undefined {
  return all.find((each) => each.type === type && each.status === "True");
}

export function isFalse(all: readonly SeenCondition[], type: string): SeenCondition | undefined {
  return all.find((each) => each.type === type && each.status === "False");
}
