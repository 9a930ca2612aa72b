/** What the tests of the chart look at, with the shape that they need of it. */
import { z } from "zod";

import {
  merged,
  objectsOf,
  readValues,
  render,
  type Release,
  type Rendered,
  type Values,
} from "./chart.ts";

export const release: Release = { name: "cloud", namespace: "millrace" };

/** The sets of values that everything is tried with; the last is laid over the defaults. */
export const valueFiles = ["values.yaml", "ci/all-on.yaml", "ci/least.yaml"] as const;

export function valuesWith(over: Values | string): Values {
  return merged(readValues("values.yaml"), typeof over === "string" ? readValues(over) : over);
}

export function rendered(over: Values | string): Rendered[] {
  return render(valuesWith(over), release);
}

export function objects(over: Values | string): Record<string, unknown>[] {
  return objectsOf(rendered(over));
}

export const meta = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.object({
    name: z.string(),
    labels: z.record(z.string(), z.string()),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
});

const container = z.object({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()).optional(),
  env: z.array(z.object({ name: z.string(), value: z.string().optional() })).default([]),
  ports: z.array(z.object({ name: z.string(), containerPort: z.int() })).default([]),
  securityContext: z.unknown(),
  resources: z.object({
    requests: z.record(z.string(), z.unknown()),
    limits: z.record(z.string(), z.unknown()),
  }),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })).default([]),
});
export const podSpec = z.object({
  securityContext: z.unknown(),
  automountServiceAccountToken: z.boolean(),
  containers: z.array(container).length(1),
  volumes: z.array(z.looseObject({ name: z.string() })).default([]),
});
export const deployment = meta.extend({
  kind: z.literal("Deployment"),
  spec: z.strictObject({
    replicas: z.int().optional(),
    strategy: z.strictObject({ type: z.enum(["Recreate", "RollingUpdate"]) }),
    selector: z.strictObject({ matchLabels: z.record(z.string(), z.string()) }),
    template: z.object({
      metadata: z.object({ labels: z.record(z.string(), z.string()) }),
      spec: podSpec,
    }),
  }),
});
export const service = meta.extend({
  kind: z.literal("Service"),
  spec: z.object({
    selector: z.record(z.string(), z.string()),
    ports: z.array(z.object({ name: z.string(), port: z.int(), targetPort: z.string() })),
  }),
});
export const clusterRole = meta.extend({
  kind: z.literal("ClusterRole"),
  rules: z.array(
    z.strictObject({
      apiGroups: z.array(z.string()).length(1),
      resources: z.array(z.string()).min(1),
      verbs: z.array(z.string()).min(1),
    }),
  ),
});

/** Those of a kind, each with the shape that it must have. */
export function ofKind<T>(
  all: readonly Record<string, unknown>[],
  kind: string,
  shape: z.ZodType<T>,
): T[] {
  return all.filter((object) => object["kind"] === kind).map((object) => shape.parse(object));
}

export function selects(
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}
