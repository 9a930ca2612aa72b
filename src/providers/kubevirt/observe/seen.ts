/**
 * Objects as the cluster tells them, as far as anybody here reads them. A field that is missing is
 * missing: what KubeVirt has not said yet is not guessed.
 */
import { z } from "zod";

/** RFC 3339 to epoch milliseconds; Kubernetes tells whole seconds. */
const instant = z.string().transform((text) => Date.parse(text));
const names = z.record(z.string(), z.string());

const condition = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().optional(),
  message: z.string().optional(),
  lastTransitionTime: instant.nullish(),
  /** KubeVirt has no other time for some, such as `AgentConnected`: when it was first so. */
  lastProbeTime: instant.nullish(),
});

export type Condition = z.infer<typeof condition>;

const conditions = z.array(condition).default([]);

const metadata = z.object({
  name: z.string(),
  namespace: z.string().default(""),
  uid: z.string().default(""),
  resourceVersion: z.string().default(""),
  generation: z.number().optional(),
  creationTimestamp: instant.optional(),
  deletionTimestamp: instant.optional(),
  labels: names.default({}),
  annotations: names.default({}),
});

const gpus = z.array(z.object({ name: z.string() })).default([]);

const domain = z.object({
  cpu: z
    .object({ sockets: z.number(), cores: z.number(), threads: z.number() })
    .partial()
    .default({}),
  memory: z.object({ guest: z.string().optional() }).default({}),
  devices: z.object({ gpus }).default({ gpus: [] }),
});

const machine = z.object({
  metadata,
  spec: z.object({
    runStrategy: z.string().optional(),
    template: z.object({ spec: z.object({ domain }) }),
  }),
  status: z
    .object({
      printableStatus: z.string().default(""),
      /** Which strategy the controller has seen last. */
      runStrategy: z.string().optional(),
      /** What it was told and has not come true yet. */
      stateChangeRequests: z
        .array(z.object({ action: z.string() }))
        .nullish()
        .transform((all) => all ?? []),
      conditions,
      created: z.boolean().default(false),
      ready: z.boolean().default(false),
      snapshotInProgress: z.string().optional(),
      restoreInProgress: z.string().optional(),
      startFailure: z
        .object({
          consecutiveFailCount: z.number().default(0),
          retryAfterTimestamp: instant.nullish(),
        })
        .nullish(),
      volumeSnapshotStatuses: z
        .array(
          z.object({
            name: z.string(),
            enabled: z.boolean().default(false),
            reason: z.string().optional(),
          }),
        )
        .default([]),
    })
    .optional(),
});

const instance = z.object({
  metadata,
  spec: z.object({ domain }),
  status: z
    .object({
      phase: z.string().default(""),
      conditions,
      nodeName: z.string().optional(),
      evacuationNodeName: z.string().optional(),
      reason: z.string().optional(),
      interfaces: z
        .array(z.object({ name: z.string().optional(), ipAddress: z.string().optional() }))
        .default([]),
      phaseTransitionTimestamps: z
        .array(z.object({ phase: z.string(), phaseTransitionTimestamp: instant }))
        .default([]),
      migrationState: z
        .object({
          completed: z.boolean().default(false),
          failed: z.boolean().default(false),
          failureReason: z.string().optional(),
          sourceNode: z.string().optional(),
          targetNode: z.string().optional(),
          startTimestamp: instant.nullish(),
          endTimestamp: instant.nullish(),
        })
        .nullish(),
    })
    .optional(),
});

const containerState = z.object({
  waiting: z.object({ reason: z.string().default(""), message: z.string().optional() }).optional(),
  terminated: z
    .object({
      reason: z.string().default(""),
      exitCode: z.number(),
      message: z.string().optional(),
    })
    .optional(),
});

const containers = z
  .array(z.object({ name: z.string(), state: containerState.default({}) }))
  .default([]);

const pod = z.object({
  metadata,
  status: z
    .object({
      phase: z.string().default(""),
      conditions,
      initContainerStatuses: containers,
      containerStatuses: containers,
    })
    .optional(),
});

const dataVolume = z.object({
  metadata,
  status: z
    .object({
      phase: z.string().default(""),
      progress: z.string().optional(),
      restartCount: z.number().default(0),
      conditions,
    })
    .optional(),
});

const snapshot = z.object({
  metadata,
  status: z
    .object({
      phase: z.string().default(""),
      readyToUse: z.boolean().default(false),
      creationTime: instant.nullish(),
      error: z.object({ message: z.string().optional() }).nullish(),
      conditions,
      snapshotVolumes: z
        .object({
          includedVolumes: z.array(z.string()).default([]),
          excludedVolumes: z.array(z.string()).default([]),
        })
        .nullish(),
    })
    .optional(),
});

const restore = z.object({
  metadata,
  status: z.object({ complete: z.boolean().default(false), conditions }).optional(),
});

const migration = z.object({
  metadata,
  spec: z.object({ vmiName: z.string().default("") }),
  status: z
    .object({
      phase: z.string().default(""),
      conditions,
      migrationState: z.object({ failureReason: z.string().optional() }).nullish(),
    })
    .optional(),
});

export type SeenMachine = z.infer<typeof machine>;
export type SeenInstance = z.infer<typeof instance>;
export type SeenPod = z.infer<typeof pod>;
export type SeenDataVolume = z.infer<typeof dataVolume>;
export type SeenSnapshot = z.infer<typeof snapshot>;
export type SeenRestore = z.infer<typeof restore>;
export type SeenMigration = z.infer<typeof migration>;

/** Each throws ZodError for what is no such object at all. */
export const read = {
  machine: (object: unknown): SeenMachine => machine.parse(object),
  instance: (object: unknown): SeenInstance => instance.parse(object),
  pod: (object: unknown): SeenPod => pod.parse(object),
  dataVolume: (object: unknown): SeenDataVolume => dataVolume.parse(object),
  snapshot: (object: unknown): SeenSnapshot => snapshot.parse(object),
  restore: (object: unknown): SeenRestore => restore.parse(object),
  migration: (object: unknown): SeenMigration => migration.parse(object),
} as const;

/** Phases in which a run has ended. */
export const endPhases: ReadonlySet<string> = new Set(["Succeeded", "Failed"]);

export function conditionOf(
  object: { readonly status?: { readonly conditions: readonly Condition[] } | undefined },
  type: string,
): Condition | undefined {
  return object.status?.conditions.find((each) => each.type === type);
}

export function isTrue(
  object: { readonly status?: { readonly conditions: readonly Condition[] } | undefined },
  type: string,
): boolean {
  return conditionOf(object, type)?.status === "True";
}

/** When a run entered a phase, as KubeVirt wrote it down; epoch milliseconds. */
export function phaseSince({ status }: SeenInstance, phase: string): number | undefined {
  const told = status?.phaseTransitionTimestamps ?? [];
  return told.find((each) => each.phase === phase)?.phaseTransitionTimestamp;
}
