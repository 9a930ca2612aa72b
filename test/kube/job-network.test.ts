/**
 * The way of the programs beside customers' jobs, by all rules together that stand between: those of the
 * project's namespace, the job's own, and those that the chart puts around the control plane.
 */
import { expect, test } from "vitest";

import { present } from "#kernel/assert.ts";
import { labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { namespaceName } from "#providers/kubevirt/compile/names.ts";
import { jobSite } from "#providers/kubevirt/driver/jobs/site.ts";
import { jobsSettings } from "#providers/kubevirt/driver/jobs/settings.ts";
import { attemptLabel } from "#providers/kubevirt/jobs/names.ts";
import { agentPolicy } from "#providers/kubevirt/jobs/pod.ts";
import type { ProjectAsk } from "#providers/kubevirt/tenants/facts.ts";
import { projectNetwork } from "#providers/kubevirt/tenants/network.ts";
import { jobLines } from "#test/helm/job-lines.ts";
import { deployment, objects, ofKind, release } from "#test/helm/objects.ts";

import { type End, mayReach, type Policy, policyOf } from "./network.ts";

const gib = 1024 ** 3;
const clusterCidrs = ["10.0.0.0/8"];
const over = {
  jobs: { agentImage: "registry.example.org/millrace-agent:1" },
  networkPolicy: {
    // Not everybody reaches the API: the way of the jobs must be open by itself.
    apiFrom: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "ingress" } } }],
    metricsFrom: [
      { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "watching" } } },
    ],
  },
};

function projectOf(tenantId: string, projectId: string): ProjectAsk {
  return {
    tenantId,
    projectId,
    serviceClass: "standard",
    quota: {
      machinesMax: 10,
      vcpusMax: 64,
      memoryBytesMax: 256 * gib,
      storageBytesMax: 1024 * gib,
      gpusMax: {},
      hugePageBytesMax: {},
      storageClasses: [],
      largest: { vcpus: 16, memoryBytes: 64 * gib, diskBytes: 200 * gib },
      extraCpus: 1,
    },
    networks: ["net-1"],
    outbound: true,
    openings: [],
    viewers: [],
    site: {
      controlPlaneId: "cp-1",
      storageClasses: [],
      gpuResources: [],
      deviceClasses: [],
      imageNamespaces: ["images"],
      gateways: ["millrace"],
      storageNamespace: "cdi",
      dnsNamespace: "kube-system",
      dnsAddresses: [],
      clusterCidrs,
      podSecurity: "baseline",
    },
  };
}

const mine = projectOf("00000000-0000-4000-8000-0000000000a1", "p1");
const theirs = projectOf("00000000-0000-4000-8000-0000000000b1", "p2");
const lines = present(jobLines(over), "what the chart says of jobs");
const site = jobSite({
  jobs: jobsSettings.parse({
    flavors: [{ name: "cpu", nodeLabels: { pool: "cpu" } }],
    ...lines,
  }),
  controlPlaneId: "cp-1",
  nodes: [],
  machinePriorityMin: 1000,
});
const inside: readonly Policy[] = [mine, theirs].flatMap((project) => {
  const namespace = namespaceName(project.projectId);
  const all = [...projectNetwork(project), agentPolicy({ site, namespace })];
  return all.map((object) => policyOf(object, namespace));
});
const policies: readonly Policy[] = [
  ...inside,
  ...objects(over)
    .filter(({ kind }) => kind === "NetworkPolicy")
    .map((object) => policyOf(object, release.namespace)),
];

function podIn(namespace: string, labels: End["labels"], more: Partial<End> = {}): End {
  const namespaceLabels = { "kubernetes.io/metadata.name": namespace };
  return { namespace, namespaceLabels, labels, ip: "10.1.2.3", ports: {}, ...more };
}

function ofProject({ tenantId, projectId }: ProjectAsk, labels: End["labels"]): End {
  const namespace = namespaceName(projectId);
  const namespaceLabels = {
    "kubernetes.io/metadata.name": namespace,
    [labelKeys.controlPlane]: "cp-1",
    [labelKeys.tenant]: tenantId,
  };
  return podIn(namespace, labels, { namespaceLabels });
}

function ofChart(component: "api" | "work"): End {
  const found = ofKind(objects(over), "Deployment", deployment).find(({ metadata }) =>
    metadata.name.endsWith(`-${component}`),
  );
  const { metadata, spec } = present(found, component).spec.template;
  const ports = spec.containers.flatMap((container) =>
    container.ports.map(({ name, containerPort }) => [name, containerPort] as const),
  );
  return podIn(release.namespace, metadata.labels, { ports: Object.fromEntries(ports) });
}

const outside = (ip: string): End => ({
  namespace: undefined,
  namespaceLabels: {},
  labels: {},
  ip,
  ports: {},
});
const labels = { [attemptLabel]: "a-1", [labelKeys.network]: "net-1" };
const job = ofProject(mine, labels);
const api = ofChart("api");
const http = present(api.ports["http"], "its port for requests");

test("a job's pod reaches the API's port for requests, in its own cluster and by the chart's lines", () => {
  expect(mayReach(policies, { from: job, to: api, port: http })).toBe(true);
  // By which no other pod of the project gets there, nor anybody without a project.
  const machine = ofProject(mine, { [labelKeys.machine]: "m-1" });
  expect(mayReach(policies, { from: machine, to: api, port: http })).toBe(false);
  const stray = podIn("default", { [attemptLabel]: "a-1" });
  expect(mayReach(policies, { from: stray, to: api, port: http })).toBe(false);
});

test("it finds names, and nothing else of the place where they are found", () => {
  const names = podIn("kube-system", { "k8s-app": "kube-dns" });
  expect(mayReach(policies, { from: job, to: names, port: 53, protocol: "UDP" })).toBe(true);
  expect(mayReach(policies, { from: job, to: names, port: 53 })).toBe(true);
  expect(mayReach(policies, { from: job, to: names, port: 8080 })).toBe(false);
});

test.each<[string, End, number]>([
  ["the API's metrics", api, present(api.ports["metrics"], "its port for metrics")],
  ["another port of the API", api, 22],
  ["the process that works", ofChart("work"), http],
  ["another pod beside the control plane", podIn(release.namespace, { app: "postgres" }), http],
  ["another tenant's job on a network of the same name", ofProject(theirs, labels), 443],
  ["the cluster's own API", outside("10.96.0.1"), 443],
  ["a node", outside("10.0.0.7"), 10_250],
  ["the metadata of a cloud below", outside("169.254.169.254"), 80],
])("it does not reach %s", (_, to, port) => {
  expect(mayReach(policies, { from: job, to, port })).toBe(false);
});

test("its own rules let it out to that port alone, whatever stands around the control plane", () => {
  expect(mayReach(inside, { from: job, to: api, port: http })).toBe(true);
  for (const port of [80, present(api.ports["metrics"], "its port for metrics"), 5432]) {
    expect(mayReach(inside, { from: job, to: api, port })).toBe(false);
  }
});

test("the world outside stays open to it, and others of its network", () => {
  expect(mayReach(policies, { from: job, to: outside("203.0.113.9"), port: 443 })).toBe(true);
  const other = ofProject(mine, { ...labels, [attemptLabel]: "a-2" });
  expect(mayReach(policies, { from: job, to: other, port: 29_500 })).toBe(true);
});
