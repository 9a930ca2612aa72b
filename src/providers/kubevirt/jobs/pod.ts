/**
 * The pod of one member. Three containers of which the first two are ours: `fetch` brings the inputs
 * and ends, `report` runs beside the program and a while longer, `main` is the customer's image with
 * our script around his program. What must stay true: together they request exactly what was sold, so
 * that a quota of eight CPUs holds eight jobs of one; the pod passes the `restricted` Pod Security
 * level; and the customer's container sees neither the token nor the cluster's API.
 */
import { labelKeys, ourLabels } from "#providers/kubevirt/compile/labels.ts";
import { printBytes, printMilli } from "#providers/kubevirt/compile/quantity.ts";
import type { NetworkPolicy, Secret } from "#providers/kubevirt/objects/core.ts";
import type {
  Container,
  EnvVar,
  PodBody,
  PodTemplate,
  PodVolume,
} from "#providers/kubevirt/objects/jobs.ts";
import type { Affinity } from "#providers/kubevirt/objects/machine.ts";
import type { Amounts } from "#providers/kubevirt/objects/meta.ts";

import { jobAccount } from "#providers/kubevirt/tenants/access.ts";

import { scriptsName, shellWord } from "./entry.ts";
import { agentPath, literal, type Numbering, programEnvironment, workPath } from "./environment.ts";
import { flavorOf, type JobAsk, type JobFlavor, type JobPlace, type JobSite } from "./model.ts";
import {
  accessName,
  agentPolicyName,
  attemptLabel,
  jobLabels,
  jobName,
  meteringFinalizer,
  podClass,
  softSharingLabel,
} from "./names.ts";

/** What `report` takes of the member's own CPU and memory. */
export const agentShare = { cpuMilli: 20, memoryBytes: 32 * 1024 * 1024 } as const;
const agentMost = { cpu: "500m", memory: "128Mi" };
/** For packing and sending results, after the program has saved its work. */
const sendSeconds = 300;
/** Files of our own beside the log. */
const agentBytes = 16 * 1024 * 1024;
/** Nobody in any image; files in the work directory belong to this group. */
const user = 10_001;

export const mainContainer = "main";
export const fetchContainer = "fetch";
export const reportContainer = "report";

export interface PodAsk {
  readonly ask: JobAsk;
  readonly place: JobPlace;
  readonly numbering: Numbering;
  /** Set by what makes the pods, if it wants them. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly schedulerName?: string;
  readonly activeDeadlineSeconds?: number;
}

/** The ask has been checked: see refuse.ts. */
export function memberPod(pod: PodAsk): PodTemplate {
  const { ask, place, annotations } = pod;
  const soft = ask.gpu?.sharing === "hami";
  return {
    metadata: {
      labels: {
        ...jobLabels(place.site, ask),
        [labelKeys.network]: ask.network,
        ...(soft ? { [softSharingLabel]: "true" } : {}),
      },
      ...(annotations === undefined ? {} : { annotations }),
      finalizers: [meteringFinalizer],
    },
    spec: podBody(pod),
  };
}

function podBody(pod: PodAsk): PodBody {
  const { ask, place, schedulerName, activeDeadlineSeconds } = pod;
  return {
    restartPolicy: "Never",
    serviceAccountName: jobAccount,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: ask.graceSeconds + sendSeconds,
    ...(activeDeadlineSeconds === undefined ? {} : { activeDeadlineSeconds }),
    priorityClassName: podClass(place.site, ask.tier),
    ...(schedulerName === undefined ? {} : { schedulerName }),
    ...(ask.memberIds.length > 1 ? { subdomain: jobName(ask.attemptId) } : {}),
    ...placing(ask, place.site),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      fsGroup: user,
      seccompProfile: { type: "RuntimeDefault" },
    },
    initContainers: [
      ours(pod, fetchContainer, {}),
      ours(pod, reportContainer, { restartPolicy: "Always" }),
    ],
    containers: [main(pod)],
    volumes: volumes(ask),
  };
}

function placing(
  ask: JobAsk,
  site: JobSite,
): Pick<PodBody, "nodeSelector" | "tolerations" | "affinity"> {
  const flavor = flavorOf(site, ask.gpu);
  const affinity: Affinity = {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        {
          labelSelector: { matchLabels: { [attemptLabel]: ask.attemptId } },
          topologyKey: "kubernetes.io/hostname",
        },
      ],
    },
  };
  return {
    // Kueue would try every flavor that does not contradict the job: it is told which one.
    nodeSelector: { ...flavor?.nodeLabels, ...ownNodes(ask, site, flavor) },
    tolerations: (flavor?.tolerations ?? []).map((key) => ({ key, operator: "Exists" })),
    ...(ask.membersHow === "spread" && ask.memberIds.length > 1 ? { affinity } : {}),
  };
}

/** A soft share stays on machines that no other tenant's work is on, unless it is openly best effort. */
function ownNodes(
  ask: JobAsk,
  site: JobSite,
  flavor: JobFlavor | undefined,
): Readonly<Record<string, string>> {
  const hami = flavor?.gpu?.sharing === "hami" ? flavor.gpu.hami : undefined;
  return hami === undefined || hami.bestEffort
    ? {}
    : { [site.tenantNodeLabel]: ask.owner.tenantId };
}

/** By resource name; a soft share says what of the card's memory and cores is its own. */
export function gpuAmounts(ask: JobAsk, site: JobSite): Amounts {
  const { gpu } = ask;
  if (gpu === null) return {};
  const hami = gpu.sharing === "hami" ? flavorOf(site, gpu)?.gpu?.hami : undefined;
  return {
    [gpu.resource]: String(gpu.count),
    ...(hami === undefined
      ? {}
      : {
          [hami.memoryResource]: String(Math.floor(hami.deviceMemoryMiB / gpu.slice)),
          [hami.coresResource]: String(Math.floor(100 / gpu.slice)),
        }),
  };
}

function main(pod: PodAsk): Container {
  const { ask, place, numbering } = pod;
  const gpus = gpuAmounts(ask, place.site);
  const disk = BigInt(ask.diskBytes);
  return {
    name: mainContainer,
    image: ask.image,
    command: [`${agentPath}/bin/busybox`, "sh", "/millrace-entry/run"],
    args: ask.command.map(literal),
    workingDir: workPath,
    env: [...programEnvironment(ask, numbering), ...runEnvironment(ask)],
    resources: {
      requests: {
        cpu: printMilli(BigInt(ask.cpuMilli - agentShare.cpuMilli)),
        memory: printBytes(BigInt(ask.memoryBytes - agentShare.memoryBytes)),
        "ephemeral-storage": printBytes(disk),
        ...gpus,
      },
      limits: {
        cpu: printMilli(BigInt(ask.cpuMilli)),
        memory: printBytes(BigInt(ask.memoryBytes)),
        "ephemeral-storage": printBytes(disk + BigInt(ask.logBytesMax + agentBytes)),
        ...gpus,
      },
    },
    volumeMounts: [
      { name: "work", mountPath: workPath },
      { name: "agent", mountPath: agentPath },
      { name: "entry", mountPath: "/millrace-entry", readOnly: true },
      { name: "shm", mountPath: "/dev/shm" },
    ],
    terminationMessagePolicy: "File",
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
  };
}

function runEnvironment(ask: JobAsk): readonly EnvVar[] {
  const save = ask.checkpoint?.map(shellWord).join(" ");
  return [
    { name: "MILLRACE_LOG_BYTES_MAX", value: String(ask.logBytesMax) },
    { name: "MILLRACE_TIME_LIMIT_SECONDS", value: String(Math.ceil(ask.timeLimitSeconds)) },
    { name: "MILLRACE_GRACE_SECONDS", value: String(ask.graceSeconds) },
    { name: "MILLRACE_END", value: "/dev/termination-log" },
    ...(save === undefined ? [] : [{ name: "MILLRACE_SAVE", value: literal(save) }]),
  ];
}

function ours(
  { ask, place, numbering }: PodAsk,
  script: string,
  how: Pick<Container, "restartPolicy">,
): Container {
  const { site } = place;
  const { rankField } = numbering;
  const many = ask.memberIds.length > 1 && rankField !== undefined;
  // Where no field holds it, the host name ends with it: the control plane knows it by that.
  const member: EnvVar = many
    ? { name: "MEMBER", valueFrom: { fieldRef: { fieldPath: rankField } } }
    : memberByName(ask);
  return {
    name: script,
    image: site.agentImage,
    imagePullPolicy: "IfNotPresent",
    command: ["/bin/sh", `/millrace-entry/${script}`],
    env: [
      member,
      { name: "MILLRACE_URL", value: `${site.agentUrl}/attempts/${ask.attemptId}/$(MEMBER)` },
      { name: "MILLRACE_ACCESS", value: "/millrace-access/authorization" },
      { name: "MILLRACE_WORK", value: workPath },
      { name: "MILLRACE_RESULTS", value: `${workPath}/results` },
    ],
    resources: {
      requests: {
        cpu: printMilli(BigInt(agentShare.cpuMilli)),
        memory: printBytes(BigInt(agentShare.memoryBytes)),
      },
      limits: agentMost,
    },
    volumeMounts: [
      { name: "work", mountPath: workPath },
      { name: "agent", mountPath: agentPath },
      { name: "entry", mountPath: "/millrace-entry", readOnly: true },
      { name: "access", mountPath: "/millrace-access", readOnly: true },
    ],
    ...how,
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      readOnlyRootFilesystem: true,
    },
  };
}

function memberByName(ask: JobAsk): EnvVar {
  return ask.memberIds.length > 1
    ? { name: "MEMBER", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }
    : { name: "MEMBER", value: "0" };
}

function volumes(ask: JobAsk): readonly PodVolume[] {
  return [
    { name: "work", emptyDir: { sizeLimit: printBytes(BigInt(ask.diskBytes)) } },
    { name: "agent", emptyDir: { sizeLimit: printBytes(BigInt(ask.logBytesMax + agentBytes)) } },
    // The usual 64 MiB are too few for loaders of data; it counts as the program's memory.
    {
      name: "shm",
      emptyDir: {
        medium: "Memory",
        sizeLimit: printBytes(BigInt(Math.floor(ask.memoryBytes / 2))),
      },
    },
    { name: "entry", configMap: { name: scriptsName, defaultMode: 0o444 } },
    { name: "access", secret: { secretName: accessName(ask.attemptId), defaultMode: 0o440 } },
  ];
}

/** A token that is good for this attempt's log, inputs and results alone. */
export function accessSecret(ask: JobAsk, { site, namespace }: JobPlace, token: string): Secret {
  const header = `Authorization: Bearer ${token}\n`;
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: accessName(ask.attemptId),
      namespace,
      labels: jobLabels(site, ask),
    },
    type: "Opaque",
    data: { authorization: Buffer.from(header, "utf8").toString("base64") },
  };
}

/** Lets the pods of jobs reach the control plane, there and nowhere else; one of a namespace, beside what its tenant opens. */
export function agentPolicy({ site, namespace }: JobPlace): NetworkPolicy {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: agentPolicyName, namespace, labels: ourLabels(site.controlPlaneId) },
    spec: {
      podSelector: { matchExpressions: [{ key: attemptLabel, operator: "Exists" }] },
      policyTypes: ["Egress"],
      egress: [
        {
          to: [site.agentPeer],
          ports: site.agentPorts.map((port) => ({ protocol: "TCP" as const, port })),
        },
      ],
    },
  };
}
