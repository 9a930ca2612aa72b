import { describe, expect, test } from "vitest";

import { factsHere, factsNote } from "./facts.ts";
import { readSchemas } from "./schema.ts";
import { definitionsOf, nodeOf } from "./schema-node.ts";

const machine = (domain: unknown, rest: object = {}) => ({
  apiVersion: "kubevirt.io/v1",
  kind: "VirtualMachine",
  metadata: { name: "m", namespace: "n", labels: { a: "b" } },
  spec: { runStrategy: "Halted", template: { spec: { domain } }, ...rest },
});

const quota = (hard: unknown) => ({
  apiVersion: "v1",
  kind: "ResourceQuota",
  metadata: { name: "q" },
  spec: { hard },
});

test("how lists and maps merge is read from a schema", () => {
  const node = nodeOf(
    {
      type: "object",
      properties: {
        ports: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["port", "protocol"],
          items: { type: "object" },
        },
        selector: { type: "object", "x-kubernetes-map-type": "atomic" },
      },
    },
    definitionsOf({}),
  );
  expect(node.properties.get("ports")?.()).toMatchObject({
    listType: "map",
    listKeys: ["port", "protocol"],
  });
  expect(node.properties.get("selector")?.().mapType).toBe("atomic");
});

describe.skipIf(!factsHere)(`the schemas of the facts folder${factsNote}`, () => {
  const schemas = readSchemas();

  test("every kind has a plural and a scope", () => {
    expect(schemas.kinds.length).toBeGreaterThan(75);
    expect(schemas.find("networking.k8s.io/v1", "NetworkPolicy")).toMatchObject({
      plural: "networkpolicies",
      scope: "Namespaced",
    });
    expect(schemas.find("storage.k8s.io/v1", "StorageClass")).toMatchObject({
      plural: "storageclasses",
      scope: "Cluster",
    });
    expect(schemas.find("pool.kubevirt.io/v1beta1", "VirtualMachinePool")?.subresources).toContain(
      "scale",
    );
    expect(schemas.problems({ apiVersion: "v1", kind: "Nothing" })).toMatchObject([
      { code: "unknown-kind" },
    ]);
  });

  test("a machine as KubeVirt takes it has no problem", () => {
    const domain = { cpu: { sockets: 2 }, memory: { guest: "4Gi" }, devices: {} };
    expect(schemas.problems(machine(domain))).toEqual([]);
  });

  test("an unknown field is told with its path", () => {
    const domain = { devices: {}, overcommitAllowed: true };
    expect(schemas.problems(machine(domain))).toEqual([
      {
        path: "spec.template.spec.domain.overcommitAllowed",
        code: "unknown-field",
        message: 'unknown field "spec.template.spec.domain.overcommitAllowed"',
      },
    ]);
    const labeled = { ...machine({ devices: {} }), metadata: { name: "m", lables: {} } };
    expect(schemas.problems(labeled)).toMatchObject([{ path: "metadata.lables" }]);
  });

  test("missing, mistyped and impossible values are told", () => {
    const problems = schemas.problems(
      machine({ cpu: { cores: "2" }, memory: { guest: "4GB" }, devices: {} }, { template: {} }),
    );
    expect(problems).toEqual([]);
    expect(
      schemas.problems(machine({ cpu: { cores: "2" }, memory: { guest: "lots" } })),
    ).toMatchObject([
      { path: "spec.template.spec.domain.cpu.cores", code: "type" },
      { path: "spec.template.spec.domain.memory.guest", code: "value" },
      { path: "spec.template.spec.domain.devices", code: "required" },
    ]);
  });

  test("core kinds follow their references; a quantity may be a number", () => {
    expect(schemas.problems(quota({ "requests.cpu": "4", pods: 3 }))).toEqual([]);
    expect(schemas.problems(quota({ "requests.cpu": "four" }))).toMatchObject([
      { path: "spec.hard.requests.cpu", code: "value" },
    ]);
    const service = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "s" },
      spec: { ports: [{ port: 22, targetPort: "ssh" }, { port: "22" }] },
    };
    expect(schemas.problems(service)).toMatchObject([{ path: "spec.ports[1].port" }]);
  });

  test("defaults that a schema names are filled in", () => {
    const queue = schemas.defaulted({
      apiVersion: "kueue.x-k8s.io/v1beta2",
      kind: "ClusterQueue",
      spec: { preemption: {} },
    });
    expect(queue["spec"]).toMatchObject({ preemption: { withinClusterQueue: "Never" } });
  });
});
