/** What is emitted for jobs: each rule by itself, and all of it against the real schemas. */
import { describe, expect, test } from "vitest";

import { parseMilli, parseUnits } from "#providers/kubevirt/compile/quantity.ts";
import { jobKinds, type PodTemplate } from "#providers/kubevirt/objects/jobs.ts";

import { factsHere, factsNote } from "#test/kube/facts.ts";
import { readSchemas } from "#test/kube/schema.ts";
import { classValues, podClasses, workloadClasses } from "./classes.ts";
import { scriptsMap, scriptsName } from "./entry.ts";
import { indexedNumbering, literal, membersService, programEnvironment } from "./environment.ts";
import { kueueJob } from "./kueue.ts";
import { type JobAsk } from "./model.ts";
import { memberIdsOf, meteringFinalizer, softSharingLabel } from "./names.ts";
import { accessSecret, agentPolicy } from "./pod.ts";
import {
  clusterQueues,
  cohort,
  coveredResources,
  localQueues,
  resourceFlavors,
  topology,
} from "./queues.ts";
import { queueUse } from "./refuse.ts";
import {
  gang,
  mig,
  place,
  share,
  single,
  site,
  soft,
  volcanoPlace,
  volcanoSite,
} from "./test-site.ts";
import { volcanoJob, volcanoQueues } from "./volcano.ts";

function classesOf(controlPlaneId: string): readonly string[] {
  const own = { ...site, controlPlaneId };
  return [...workloadClasses(own), ...podClasses(own)].map(
    ({ kind, metadata }) => `${kind} ${metadata.name}`,
  );
}

test("two control planes on one cluster share no class, and a class's name fits where Kueue puts it", () => {
  const both = [...classesOf("east"), ...classesOf("west")];
  expect(new Set(both).size).toBe(12);
  // The longest that the settings allow; a label has 63 characters.
  const [, ...labels] = workloadClasses({ ...site, controlPlaneId: "p".repeat(40) });
  for (const { metadata } of labels) expect(metadata.name.length).toBeLessThanOrEqual(63);
});

const emitted = [
  ...resourceFlavors(site),
  topology(site),
  cohort(site, share.own),
  ...clusterQueues(site, share),
  ...localQueues(place, share.tenantId),
  ...workloadClasses(site),
  ...podClasses(site),
  scriptsMap(place),
  accessSecret(single, place, "token"),
  membersService(gang, place),
  agentPolicy(place),
  ...[
    single,
    gang,
    mig,
    { ...gang, framework: "tensorflow" as const },
    { ...gang, membersHow: "spread" as const, preemptible: true, checkpoint: ["save", "it's"] },
  ].map((ask) => kueueJob(ask, place)),
  ...volcanoQueues(volcanoSite, share),
  ...[gang, soft, { ...gang, framework: "none" as const }].map((ask) =>
    volcanoJob(ask, volcanoPlace),
  ),
];

describe.skipIf(!factsHere)(`against the schemas${factsNote}`, () => {
  const schemas = readSchemas();

  test.each(Object.values(jobKinds))("$group $kind is where it is asked for", (kind) => {
    expect(schemas.find(`${kind.group}/${kind.version}`, kind.kind)).toMatchObject({
      plural: kind.plural,
      scope: kind.namespaced ? "Namespaced" : "Cluster",
    });
  });

  test.each(emitted.map((object) => [`${object?.kind} ${object?.metadata.name}`, object]))(
    "%s is one",
    (_, object) => {
      expect(schemas.problems(JSON.parse(JSON.stringify(object)))).toEqual([]);
    },
  );
});

test("what a pod requests in all is what was sold", () => {
  const { spec } = kueueJob(single, place).spec.template;
  const staying = [...spec.containers, ...spec.initContainers.filter((each) => each.restartPolicy)];
  const sum = (name: string, parse: (text: string) => bigint | undefined) =>
    staying.reduce((all, each) => all + (parse(each.resources.requests[name] ?? "0") ?? 0n), 0n);
  expect(sum("cpu", parseMilli)).toBe(8000n);
  expect(sum("memory", parseUnits)).toBe(BigInt(single.memoryBytes));
  expect(sum("nvidia.com/gpu", parseUnits)).toBe(2n);
  expect(queueUse(gang, site).get("nvidia.com/gpu")).toBe(8n);
  // Nothing that a pod asks for is missing in its queue: it would wait for ever.
  const covered = new Set(coveredResources(site));
  const asked = staying.flatMap((each) => Object.keys(each.resources.requests));
  expect(asked.filter((name) => !covered.has(name))).toEqual([]);
});

/** The rules of Pod Security's level `restricted` that a pod can break. */
function insecure({ spec }: PodTemplate): readonly string[] {
  const all = [...spec.initContainers, ...spec.containers];
  const plain = new Set(["emptyDir", "configMap", "secret"]);
  return [
    ...(spec.securityContext.runAsNonRoot && spec.securityContext.runAsUser > 0 ? [] : ["root"]),
    ...(spec.securityContext.seccompProfile.type === "RuntimeDefault" ? [] : ["seccomp"]),
    ...all.filter((each) => each.securityContext.allowPrivilegeEscalation).map(() => "escalation"),
    ...all
      .filter((each) => each.securityContext.capabilities.drop.join(",") !== "ALL")
      .map(() => "capabilities"),
    ...spec.volumes
      .flatMap((each) => Object.keys(each).filter((key) => key !== "name"))
      .filter((key) => !plain.has(key)),
  ];
}

test("a job's pod is restricted, has no rights in the cluster, and hides the token from the program", () => {
  const { template } = kueueJob(single, place).spec;
  expect(insecure(template)).toEqual([]);
  expect(template.spec.automountServiceAccountToken).toBe(false);
  const mounts = template.spec.containers.flatMap((each) => each.volumeMounts);
  expect(mounts.map(({ name }) => name)).not.toContain("access");
  expect(template.metadata.labels["millrace.dev/network"]).toBe("net-1");
  expect(template.metadata.finalizers).toEqual([meteringFinalizer]);
});

test("a job is one run of all its members, admitted by Kueue, with every end in words", () => {
  const { metadata, spec } = kueueJob({ ...gang, preemptible: true }, place);
  expect(metadata.labels).toMatchObject({
    "kueue.x-k8s.io/queue-name": "spot",
    "kueue.x-k8s.io/priority-class": "millrace-cp-1-gold",
    "kueue.x-k8s.io/max-exec-time-seconds": String(3600 + 1800 + 120),
  });
  expect(spec).toMatchObject({
    suspend: true,
    completionMode: "Indexed",
    parallelism: 4,
    completions: 4,
    backoffLimit: 0,
    podReplacementPolicy: "Failed",
  });
  expect(memberIdsOf(metadata.annotations ?? {})).toEqual(gang.memberIds);
  expect(spec.podFailurePolicy.rules.map(({ action }) => action)).toEqual(["FailJob", "FailJob"]);
  expect(spec.template.metadata.annotations).toEqual({
    "kueue.x-k8s.io/podset-preferred-topology": "example.com/rack",
  });
  expect(spec.template.spec.nodeSelector).toEqual({
    "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB",
  });
  expect(spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(gang.graceSeconds);
});

test("a gang of a flavor without the site's topology does not speak of it: it would wait for ever", () => {
  const { template } = kueueJob({ ...gang, gpu: null }, place).spec;
  expect(template.metadata).not.toHaveProperty("annotations");
});

test("S-05: what did not say that it may be preempted runs on what is its tenant's own", () => {
  const [own, spot] = clusterQueues(site, share);
  const quotas = (queue: typeof own) =>
    queue.spec.resourceGroups.flatMap(({ flavors }) => flavors.flatMap((each) => each.resources));
  expect(quotas(own).every(({ borrowingLimit }) => borrowingLimit === "0")).toBe(true);
  expect(own.spec.preemption).toEqual({
    withinClusterQueue: "Never",
    reclaimWithinCohort: "Any",
    borrowWithinCohort: { policy: "Never" },
  });
  expect(quotas(spot).every(({ nominalQuota }) => nominalQuota === "0")).toBe(true);
  // Whom it may push out is of a class below 0, and there is none: only its own queue is left.
  expect(spot.spec.preemption.borrowWithinCohort.maxPriorityThreshold).toBeLessThan(
    Math.min(...Object.values(classValues)),
  );
  expect(kueueJob(single, place).metadata.labels?.["kueue.x-k8s.io/queue-name"]).toBe("jobs");
  expect(own.spec.namespaceSelector).toEqual({
    matchLabels: { "millrace.dev/tenant": share.tenantId },
  });
});

test("each flavor of a queue names every resource in the group's order, and what it lacks as none", () => {
  for (const { spec } of clusterQueues(site, share)) {
    for (const { coveredResources: covered, flavors } of spec.resourceGroups) {
      expect(flavors.map(({ name }) => name)).toEqual(site.flavors.map(({ name }) => name));
      for (const { resources } of flavors) {
        expect(resources.map(({ name }) => name)).toEqual(covered);
      }
    }
  }
  const [own] = clusterQueues(site, share);
  const a100 = own.spec.resourceGroups[0]?.flavors.find(({ name }) => name === "a100-80g");
  expect(a100?.resources.map(({ nominalQuota }) => nominalQuota)).toEqual([
    "16",
    "128Gi",
    "400Gi",
    "4",
    "0",
    "0",
    "0",
    "0",
  ]);
});

test("members are told who they are in the same words as on other platforms", () => {
  const told = programEnvironment(gang, indexedNumbering(gang));
  expect(told.map(({ name }) => name)).toEqual([
    "HOME",
    "LANG",
    "MILLRACE_WORK",
    "MILLRACE_RESULTS",
    "MILLRACE_CHECKPOINT",
    "MILLRACE_JOB_ID",
    "PRICE",
    "RANK",
    "NODE_RANK",
    "WORLD_SIZE",
    "NNODES",
    "LOCAL_RANK",
    "LOCAL_WORLD_SIZE",
    "MASTER_ADDR",
    "MASTER_PORT",
  ]);
  const job = `j-${gang.attemptId}`;
  expect(told).toContainEqual({ name: "MASTER_ADDR", value: `${job}-0.${job}` });
  expect(told).toContainEqual({ name: "MASTER_PORT", value: "29500" });
  expect(
    programEnvironment(single, indexedNumbering(single)).map(({ name }) => name),
  ).not.toContain("RANK");
});

test("TensorFlow finds all workers and itself among them", () => {
  const ask: JobAsk = { ...gang, framework: "tensorflow" };
  const config = programEnvironment(ask, indexedNumbering(ask)).find(
    ({ name }) => name === "TF_CONFIG",
  );
  const job = `j-${gang.attemptId}`;
  expect(JSON.parse((config?.value ?? "").replace("$(RANK)", "2"))).toEqual({
    cluster: { worker: [0, 1, 2, 3].map((rank) => `${job}-${rank}.${job}:2222`) },
    task: { type: "worker", index: 2 },
  });
});

test("a customer's dollar signs are his own", () => {
  expect(["$(HOME)", "$5", "a$$b"].map(literal)).toEqual(["$$(HOME)", "$$5", "a$$$$b"]);
  const [container] = kueueJob(single, place).spec.template.spec.containers;
  expect(container?.args).toEqual(["python", "train.py", "--out=$$(HOME)"]);
  expect(container?.env).toContainEqual({ name: "PRICE", value: "$$5 $$(RANK)" });
});

test("Volcano: a gang starts as one, a lost member ends all, PyTorch is told by the plug-in", () => {
  const { metadata, spec } = volcanoJob(gang, volcanoPlace);
  expect(spec).toMatchObject({
    queue: `t-${share.tenantId}`,
    minAvailable: 4,
    minSuccess: 4,
    maxRetry: 1,
    priorityClassName: "millrace-cp-1-job-gold",
    policies: [{ events: ["PodEvicted", "PodFailed"], action: "TerminateJob" }],
    plugins: { pytorch: ["--master=master", "--worker=worker", "--port=29500"] },
  });
  expect(spec.tasks.map(({ name, replicas }) => [name, replicas])).toEqual([
    ["master", 1],
    ["worker", 3],
  ]);
  const [task] = spec.tasks;
  expect(task?.template.metadata.annotations).toEqual({ "volcano.sh/preemptable": "false" });
  expect(task?.template.spec.activeDeadlineSeconds).toBe(5520);
  const env = task?.template.spec.containers[0]?.env ?? [];
  expect(env).toContainEqual({
    name: "MASTER_ADDR",
    value: `${metadata.name}-master-0.${metadata.name}`,
  });
  expect(env.map(({ name }) => name)).not.toContain("RANK");
  const [own, spot] = volcanoQueues(volcanoSite, share);
  expect([own.spec.reclaimable, spot.spec.reclaimable]).toEqual([false, true]);
  expect(spot.spec.deserved).toEqual({});
});

test("a soft share says so, and stays on its tenant's own machines", () => {
  const template = volcanoJob(soft, volcanoPlace).spec.tasks[0]?.template;
  expect(template?.metadata.labels[softSharingLabel]).toBe("true");
  expect(template?.spec.nodeSelector).toMatchObject({ "millrace.dev/tenant": share.tenantId });
  expect(template?.spec.containers[0]?.resources.limits).toMatchObject({
    "nvidia.com/gpu": "1",
    "nvidia.com/gpumem": "3840",
    "nvidia.com/gpucores": "25",
  });
});

test("scripts are named after what they say", () => {
  expect(scriptsName).toMatch(/^millrace-entry-[0-9a-f]{12}$/);
  expect(scriptsMap(place)).toMatchObject({ immutable: true, metadata: { name: scriptsName } });
});
