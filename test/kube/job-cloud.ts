/** What a program is told of a test cluster that runs jobs, and what stands there for them. */
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import type { Objects } from "./api/objects.ts";
import type { TestCluster } from "./driver-cluster.ts";
import { byController, setStatus } from "./node-side/writing.ts";

const pool = { "example.com/pool": "cpu" };
const priorityClass = "machines";

/** A class above jobs for machines, and a node for jobs. */
export function prepareForJobs({ server, nodes }: Pick<TestCluster, "server" | "nodes">): void {
  const machines = { metadata: { name: priorityClass }, value: 1000 };
  server.objects.create(kinds.priorityClass, undefined, machines, byController);
  nodes.addNode({ name: "cpu-1", cpus: 8, memoryGi: 32, labels: pool });
}

/** @param port Of the program, on which the pods' agents reach it. */
export function settingsForJobs(port: number) {
  return {
    classes: { core: { priorityClass }, standard: { priorityClass } },
    jobs: {
      flavors: [{ name: "cpu", nodeLabels: pool }],
      agentImage: "registry.example/job-agent:1",
      agentUrl: `http://127.0.0.1:${port}/job-agent`,
      agentPeer: { ipBlock: { cidr: "10.0.0.1/32" } },
      images: { tiny: "registry.example/tiny:1" },
    },
  };
}

const others = { namespace: "millrace-images", name: "others" };

/** Somebody else in the same cohort takes all of its quota until he gives it back. */
export function takeQuota(objects: Objects): void {
  giveQuotaBack(objects);
  const containers = [{ name: "main", resources: { requests: { cpu: "1000" } } }];
  const template = { spec: { nodeSelector: pool, containers } };
  const podSets = [{ name: "main", count: 1, template }];
  const spec = { active: true, queueName: "theirs", podSets };
  const workload = { metadata: { name: others.name }, spec };
  objects.create(kinds.workload, others.namespace, workload, byController);
  const reserved = { type: "QuotaReserved", status: "True", reason: "QuotaReserved" };
  setStatus(objects, kinds.workload, others, { conditions: [reserved] });
}

export function giveQuotaBack(objects: Objects): void {
  const taken = objects.store.get(kinds.workload, others);
  if (taken !== undefined) objects.store.remove(kinds.workload, taken);
}
