/** The rules that the API server enforces, evaluated: over what this driver makes, and over what it refuses. */
import { readFileSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { parseAllDocuments } from "yaml";

import { labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { virtualMachine } from "#providers/kubevirt/compile/machine.ts";
import { databaseAsk, testAsk, trainingAsk } from "#providers/kubevirt/compile/test-ask.ts";
import { machineName, namespaceName } from "#providers/kubevirt/compile/names.ts";
import { KubevirtProvider } from "#providers/kubevirt/driver/provider.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { MachineSpec } from "#providers/provider.ts";
import { at, objectAt, withAt } from "#test/kube/api/json.ts";
import { judged, policyAdmission } from "#test/kube/api/policies.ts";
import { startTestCluster, type TestCluster } from "#test/kube/driver-cluster.ts";
import { sampleSpec } from "#test/kube/sample-spec.ts";
import { isObject, type JsonObject } from "#test/kube/schema-node.ts";

import { sitePolicies } from "./policies.ts";

const facts = {
  controlPlaneId: "cp-1",
  storageClasses: [],
  gpuResources: [],
  deviceClasses: [],
  imageNamespaces: [],
  gateways: [],
  storageNamespace: "cdi",
  dnsNamespace: "kube-system",
  dnsAddresses: [],
  clusterCidrs: [],
  podSecurity: "privileged",
} as const;
const policies = new Map(
  sitePolicies(facts)
    .filter(({ kind }) => kind === "ValidatingAdmissionPolicy")
    .map((each) => [each.metadata.name, each]),
);
const namespace = { metadata: { labels: { [labelKeys.controlPlane]: "cp-1" } } };

function says(policy: "owner" | "core" | "shared", object: JsonObject): readonly string[] {
  const found = judged(policies.get(`millrace-cp-1-${policy}`), { object, namespace });
  return found.violations.map(({ message }) => message);
}

function json(value: unknown): JsonObject {
  const parsed: unknown = JSON.parse(JSON.stringify(value));
  if (!isObject(parsed)) throw new Error("an object");
  return parsed;
}

const template = ["spec", "template"];
/** The same machine as each of the four kinds that the rules are about. */
function asEachKind(machine: JsonObject): Readonly<Record<string, JsonObject>> {
  const head = objectAt(machine, "metadata");
  return {
    VirtualMachine: machine,
    VirtualMachineInstance: {
      metadata: { ...objectAt(machine, ...template, "metadata"), name: "vmi" },
      spec: at(machine, ...template, "spec"),
    },
    VirtualMachineInstanceReplicaSet: {
      metadata: head,
      spec: { replicas: 1, template: at(machine, ...template) },
    },
    VirtualMachinePool: {
      metadata: head,
      spec: { replicas: 1, virtualMachineTemplate: { spec: machine["spec"] } },
    },
  };
}

/** The template of a machine, changed. */
function changed(machine: JsonObject, path: readonly string[], value: unknown): JsonObject {
  return withAt(machine, [...template, ...path], json({ value })["value"]);
}

function foreign(labels: JsonObject): JsonObject {
  return { ...labels, [labelKeys.controlPlane]: "cp-2" };
}

const shared = json(virtualMachine(testAsk()));
const overcommitted = json(virtualMachine(testAsk({ policy: { overcommitPercent: 150 } })));
const training = json(virtualMachine(trainingAsk()));
const database = json(virtualMachine(databaseAsk()));
const domain = ["spec", "domain"];

describe.each([
  "VirtualMachine",
  "VirtualMachineInstance",
  "VirtualMachineInstanceReplicaSet",
  "VirtualMachinePool",
])("as a %s", (kind) => {
  const all = (rules: "owner" | "core" | "shared", machine: JsonObject): readonly string[] =>
    says(rules, asEachKind(machine)[kind] ?? {});

  test("I-TEN-04: what this driver makes passes", () => {
    for (const machine of [shared, overcommitted, training, database]) {
      expect(all("owner", machine)).toEqual([]);
      expect(all("shared", machine)).toEqual([]);
    }
    for (const machine of [training, database]) expect(all("core", machine)).toEqual([]);
  });

  test("R-CPU-10: in a core project nothing shares its CPUs or its memory", () => {
    expect(all("core", shared)).toEqual([expect.stringContaining("dedicatedCpuPlacement")]);
    expect(all("core", overcommitted)).toHaveLength(1);
    const off = changed(training, [...domain, "cpu", "dedicatedCpuPlacement"], false);
    expect(all("core", off)).toHaveLength(1);
    const thin = changed(training, [...domain, "resources", "overcommitGuestOverhead"], true);
    expect(all("core", thin)).toEqual([expect.stringContaining("overcommitGuestOverhead")]);
    const guest = [...domain, "memory", "guest"];
    const request = [...domain, "resources", "requests", "memory"];
    const wants = (memory: string, of: string | number): readonly string[] =>
      all("core", changed(changed(training, guest, memory), request, of));
    expect(wants("8Gi", "7Gi")).toEqual([expect.stringContaining("at least the memory")]);
    expect(wants("8Gi", "8192Mi")).toEqual([]);
    expect(wants("8Gi", "9G")).toEqual([]);
    expect(wants("1Ki", 1024)).toEqual([]);
    expect(wants("1Ki", 1023)).toHaveLength(1);
  });

  test("R-CPU-09: elsewhere one that leaves its share to the cluster is told so", () => {
    const silent = changed(shared, [...domain, "resources"], {});
    expect(all("shared", silent)).toEqual([expect.stringContaining("requests.cpu")]);
    expect(all("shared", changed(shared, [...domain, "resources"], undefined))).toHaveLength(1);
  });

  test("a machine without the labels of its owner, or with another control plane's, is not made", () => {
    const bare = changed(withAt(shared, ["metadata", "labels"], undefined), ["metadata"], {});
    expect(all("owner", bare).length).toBeGreaterThan(0);
    const path = ["metadata", "labels"];
    const other = changed(
      withAt(shared, path, foreign(objectAt(shared, ...path))),
      path,
      foreign(objectAt(shared, ...template, ...path)),
    );
    expect(all("owner", other).length).toBeGreaterThan(0);
    const { [labelKeys.resource]: _, ...nobody } = objectAt(shared, ...template, ...path);
    expect(all("owner", changed(shared, path, nobody)).length).toBeGreaterThan(0);
  });

  test("what is to go may lose its finalizers, whatever it is", () => {
    const object = asEachKind(shared)[kind] ?? {};
    const going = withAt(object, ["metadata", "deletionTimestamp"], "2026-11-01T00:00:00Z");
    expect(says("core", withAt(going, ["metadata", "labels"], undefined))).toEqual([]);
    expect(says("owner", withAt(going, ["metadata", "labels"], undefined))).toEqual([]);
  });
});

test("deploy/kubevirt/policies.yaml is what the driver writes, for who applies it himself", () => {
  const text = readFileSync("deploy/kubevirt/policies.yaml", "utf8");
  const written = parseAllDocuments(text).map((each): unknown => each.toJS());
  expect(written).toEqual(
    sitePolicies({ ...facts, controlPlaneId: "millrace" }).map((each) => json(each)),
  );
});

const outcomes = {
  core: { said: "CPUs for itself", told: "", warnings: 0 },
  standard: { said: "made", told: "requests.cpu", warnings: 1 },
} as const;

describe.each(["core", "standard"] as const)(
  "on a server that enforces them, a %s project",
  (projects) => {
    let cluster: TestCluster;
    let provider: KubevirtProvider;
    let spec: MachineSpec;
    const told: string[] = [];
    const call = { signal: new AbortController().signal };
    const byHand = { manager: "kubectl", validation: "Ignore" } as const;

    beforeAll(async () => {
      cluster = await startTestCluster();
      const { objects } = cluster.server;
      objects.admissions.add(policyAdmission(objects, (message) => told.push(message)));
      const settings = { ...cluster.settings, projects };
      provider = new KubevirtProvider({
        settings,
        cluster: cluster.server.cluster(),
        now: Date.now,
        upkeepEveryMs: 250,
      });
      await vi.waitFor(() => {
        const { length } = objects.store.all(kinds.admissionPolicyBinding);
        if (length !== 3) throw new Error(`${length} policies are bound`);
      }, 60_000);
      spec = sampleSpec({ serviceClass: projects });
      await provider.create({ ...call, operationId: "create", owner: spec.owner }, spec);
    });

    afterAll(async () => {
      await provider.close();
      await cluster.close();
    });

    test("has the machine that was rented, which runs: controllers' copies of it pass too", async () => {
      await vi.waitFor(async () => {
        expect((await provider.machine(call, spec.id))?.guest.ready).toBe(true);
      }, 60_000);
    });

    test("refuses the machine of somebody who goes past Millrace", () => {
      const { objects } = cluster.server;
      const place = { namespace: namespaceName(spec.owner.projectId), name: machineName(spec.id) };
      const rented = json(objects.store.get(kinds.machine, place));
      const mine = { metadata: { name: "mine" }, spec: rented["spec"] };
      const make = (object: JsonObject): void => {
        objects.create(kinds.machine, place.namespace, object, byHand);
      };
      expect(() => make(mine)).toThrow(/denied request: Machines here are made by Millrace/);
      const labels = objectAt(rented, "metadata", "labels");
      const path = [...template, "spec", "domain", "cpu", "dedicatedCpuPlacement"];
      const requests = [...template, "spec", "domain", "resources"];
      const sharing = withAt(
        withAt({ ...mine, metadata: { name: "mine", labels } }, path, undefined),
        requests,
        undefined,
      );
      told.length = 0;
      // Strict for core, told for others.
      const outcome = (): string => {
        try {
          make(sharing);
          return "made";
        } catch (error) {
          return error instanceof Error ? error.message : "";
        }
      };
      const said = outcome();
      expect(said).toContain(outcomes[projects].said);
      expect(told.join()).toContain(outcomes[projects].told);
      expect(told).toHaveLength(outcomes[projects].warnings);
    });

    test("refuses somebody's pool and the machines that one makes; what copies all labels of ours passes, and is told", async () => {
      const { objects } = cluster.server;
      const project = namespaceName(spec.owner.projectId);
      const place = { namespace: project, name: machineName(spec.id) };
      const rented = json(objects.store.get(kinds.machine, place));
      const ours = objectAt(rented, "metadata", "labels");
      const app = { app: "web" };
      // As the controller of pools makes them: whatever the template says, and owned by the pool.
      const poolWith = (labels: JsonObject): JsonObject => ({
        metadata: { name: "web", labels },
        spec: {
          replicas: 1,
          selector: { matchLabels: app },
          virtualMachineTemplate: { metadata: { labels: app }, spec: rented["spec"] },
        },
      });
      const member = (labels: JsonObject, uid: string): JsonObject => ({
        metadata: {
          name: "web-0",
          labels,
          ownerReferences: [
            {
              apiVersion: "pool.kubevirt.io/v1beta1",
              kind: "VirtualMachinePool",
              name: "web",
              uid,
            },
          ],
        },
        spec: { ...objectAt(rented, "spec"), dataVolumeTemplates: [] },
      });
      const refused = /denied request: Machines here are made by Millrace/;
      expect(() => objects.create(kinds.pool, project, poolWith({}), byHand)).toThrow(refused);
      const { document } = objects.create(kinds.pool, project, poolWith(ours), byHand);
      const { uid } = document.metadata;
      const make = (labels: JsonObject) =>
        objects.create(kinds.machine, project, member({ ...app, ...labels }, uid), byHand);
      expect(() => make({})).toThrow(refused);
      expect(() => make(foreign(ours))).toThrow(refused);
      make(ours);
      await vi.waitFor(async () => {
        const { findings = [] } = await provider.info(call);
        expect(findings.map(({ message }) => message)).toContainEqual(
          expect.stringContaining(`${project}/web-0 (VirtualMachinePool web)`),
        );
      }, 60_000);
    });
  },
);
