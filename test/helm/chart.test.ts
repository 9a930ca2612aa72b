/** What `helm lint` and `helm template` would look at, and what the API server would say to it. */
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { describe, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { z } from "zod";

import { factsHere, factsNote } from "#test/kube/facts.ts";
import { readSchemas } from "#test/kube/schema.ts";

import { chartFolder, map, merged, readValues, type Values } from "./chart.ts";
import {
  deployment,
  meta,
  objects,
  ofKind,
  podSpec,
  rendered,
  selects,
  service,
  valueFiles,
  valuesWith,
} from "./objects.ts";

const root = resolve(import.meta.dirname, "../..");
const readChart = (file: string): string => readFileSync(join(chartFolder, file), "utf8");

describe("the chart as a whole", () => {
  test("Chart.yaml has what Helm asks for, and the version of the program", () => {
    const chart = z
      .strictObject({
        apiVersion: z.literal("v2"),
        name: z.literal("millrace"),
        description: z.string(),
        type: z.literal("application"),
        version: z.string().regex(/^\d+\.\d+\.\d+$/),
        appVersion: z.string(),
        kubeVersion: z.string(),
        keywords: z.array(z.string()),
      })
      .parse(parseYaml(readChart("Chart.yaml")));
    const program = map(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
    expect(chart.appVersion).toBe(program["version"]);
  });

  test("each value that a template asks for is in values.yaml, and each there is asked for", () => {
    const asked = new Set<string>();
    for (const path of globSync("templates/**/*.{yaml,tpl,txt}", { cwd: chartFolder })) {
      for (const [, name = ""] of readChart(path).matchAll(/\.Values\.([A-Za-z.]+)/g)) {
        asked.add(name.replace(/\.$/, ""));
      }
    }
    const values = readValues("values.yaml");
    const unknown = [...asked].filter((path) => {
      let at: unknown = values;
      for (const name of path.split(".")) {
        const inside = new Map(Object.entries(map(at)));
        if (!inside.has(name)) return true;
        at = inside.get(name);
      }
      return false;
    });
    expect(unknown).toEqual([]);
    const tops = new Set([...asked].map((path) => path.split(".")[0]));
    expect(Object.keys(values).filter((name) => !tops.has(name))).toEqual([]);
  });
});

describe("values.schema.json", () => {
  const text: unknown = JSON.parse(readChart("values.schema.json"));
  const schema = z.fromJSONSchema(z.record(z.string(), z.json()).parse(text));

  test.each(valueFiles)("takes the values of %s", (file) => {
    expect(schema.safeParse(valuesWith(file)).error?.issues).toBeUndefined();
  });

  const wrong: readonly [string, Values][] = [
    ["an option that there is not", { replicas: 3 }],
    ["a Secret without a name", { database: { existingSecret: "" } }],
    ["no replica", { api: { replicas: 0 } }],
    ["a word for a number", { service: { port: "http" } }],
    ["an address with a path", { publicUrl: "https://example.org/cloud" }],
    ["a bare on, which is true in YAML", { trustProxy: true }],
    ["an image's name in capitals", { image: { repository: "Millrace" } }],
    ["a size without a unit's name", { storage: { size: "100 GB" } }],
    ["files that nobody else could mount", { storage: { accessMode: "ReadOnlyMany" } }],
    ["GPUs in other words", { simulateGpus: "8 A100" }],
  ];
  test.each(wrong)("refuses %s", (_, over) => {
    expect(schema.safeParse(valuesWith(over)).success).toBe(false);
  });

  test("names every value, so that one that is misspelled is refused", () => {
    const named = (value: unknown, at: unknown, path: string): string[] =>
      Object.entries(map(value)).flatMap(([name, inside]) => {
        const found = map(map(at)["properties"] ?? {})[name];
        if (found === undefined) return [`${path}${name}`];
        const isPlain = typeof inside !== "object" || inside === null || Array.isArray(inside);
        const described = map(found);
        if (isPlain || described["properties"] === undefined) return [];
        expect(described["additionalProperties"], `${path}${name}`).toBe(false);
        return named(inside, described, `${path}${name}.`);
      });
    expect(named(readValues("values.yaml"), text, "")).toEqual([]);
  });
});

describe.each(valueFiles)("with %s", (file) => {
  const all = objects(file);
  const described = all.map((object) => meta.parse(object));

  test("every object has a name of its own, and labels", () => {
    const names = described.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
    for (const { metadata } of described) {
      expect(metadata.name).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
      expect(metadata.labels).toMatchObject({
        "app.kubernetes.io/instance": "cloud",
        "app.kubernetes.io/managed-by": "Helm",
      });
      for (const value of Object.values(metadata.labels)) {
        expect(value).toMatch(/^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/);
      }
    }
  });

  test.skipIf(!factsHere)(`the API server would take every object${factsNote}`, () => {
    const schemas = readSchemas();
    // Not in the folder of schemas: Deployment, whose pod is looked at instead, and Prometheus' own.
    const elsewhere = new Set(["ServiceMonitor", "PrometheusRule"]);
    const looked = all
      .filter(({ kind }) => !elsewhere.has(String(kind)))
      .map((object) => {
        if (object["kind"] !== "Deployment") return object;
        const { template } = map(object["spec"]);
        return { apiVersion: "v1", kind: "Pod", ...map(template) };
      });
    const problems = looked.flatMap((object) =>
      schemas
        .problems(object)
        .map(({ path, message }) => `${String(object["kind"])} ${path}: ${message}`),
    );
    expect(problems).toEqual([]);
  });

  test("no pod is root, writes into its image, or takes all there is", () => {
    const pods = [
      ...ofKind(all, "Deployment", deployment).map(({ spec }) => spec.template.spec),
      ...all.filter(({ kind }) => kind === "Pod").map(({ spec }) => podSpec.parse(spec)),
    ];
    expect(pods).toHaveLength(3);
    for (const pod of pods) {
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 10_001,
        seccompProfile: { type: "RuntimeDefault" },
      });
      for (const { securityContext, resources, volumeMounts } of pod.containers) {
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          capabilities: { drop: ["ALL"] },
          privileged: false,
          readOnlyRootFilesystem: true,
        });
        expect(Object.keys(resources.requests)).toEqual(expect.arrayContaining(["cpu", "memory"]));
        expect(Object.keys(resources.limits)).toContain("memory");
        const volumes = pod.volumes.map(({ name }) => name);
        expect(volumeMounts.map(({ name }) => name).toSorted()).toEqual(volumes.toSorted());
      }
    }
  });

  test("Deployments select their own pods; Services reach one of them by a port that it has", () => {
    const deployments = ofKind(all, "Deployment", deployment);
    for (const { spec } of deployments) {
      expect(
        deployments.filter((other) =>
          selects(spec.selector.matchLabels, other.spec.template.metadata.labels),
        ),
      ).toHaveLength(1);
    }
    for (const { spec } of ofKind(all, "Service", service)) {
      const [reached, ...more] = deployments.filter(({ spec: { template } }) =>
        selects(spec.selector, template.metadata.labels),
      );
      expect(more).toEqual([]);
      const ports = reached?.spec.template.spec.containers[0]?.ports.map(({ name }) => name);
      for (const { targetPort } of spec.ports) expect(ports).toContain(targetPort);
    }
  });
});

function kinds(over: Values): string[] {
  return objects(over).map(({ kind }) => String(kind));
}

test("only what is switched on is there", () => {
  const optional = [
    "Ingress",
    "HorizontalPodAutoscaler",
    "ClusterRole",
    "ServiceMonitor",
    "PrometheusRule",
    "ConfigMap",
  ];
  expect(kinds({}).filter((kind) => optional.includes(kind))).toEqual([]);
  expect(kinds({ networkPolicy: { enabled: false } })).not.toContain("NetworkPolicy");
  expect(
    kinds({ storage: { existingClaim: "a" }, work: { persistence: { existingClaim: "b" } } }),
  ).not.toContain("PersistentVolumeClaim");
  expect(kinds({ api: { disruptionBudget: { enabled: false } } })).not.toContain(
    "PodDisruptionBudget",
  );
});

function replicas(over: Values): number | undefined {
  const deployments = ofKind(objects(over), "Deployment", deployment);
  return deployments.find(({ metadata }) => metadata.name.endsWith("-api"))?.spec.replicas;
}

test("an autoscaler and a number of replicas are never both there", () => {
  expect(replicas({})).toBe(2);
  expect(replicas({ api: { autoscaling: { enabled: true } } })).toBeUndefined();
});

test("the key of the metering log is never left to a pod that may go", () => {
  expect(() => rendered({ work: { persistence: { enabled: false } } })).toThrow(
    "logKey.existingSecret",
  );
  expect(merged(valuesWith("ci/least.yaml"), {})).toMatchObject({
    work: { persistence: { enabled: false } },
  });
  expect(objects("ci/least.yaml").length).toBeGreaterThan(5);
});

test("what customers pay for stays when the release goes", () => {
  const claims = ofKind(objects({}), "PersistentVolumeClaim", meta);
  expect(claims).toHaveLength(2);
  for (const { metadata } of claims) {
    expect(metadata.annotations).toMatchObject({ "helm.sh/resource-policy": "keep" });
  }
});
