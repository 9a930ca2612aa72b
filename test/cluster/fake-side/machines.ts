/**
 * Kubelets and virt-handlers of fake nodes: what is bound to one runs at once, guests boot at once and
 * their agents answer, what is deleted ends. Nothing is executed. virt-controller does the rest, for
 * what is written here is what the real ones write.
 */
import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { endPhases } from "#providers/kubevirt/observe/seen.ts";
import { listAt, textAt } from "#test/kube/api/json.ts";

import { type Followed, instant, nameOf, setStatus, soon } from "./follow.ts";

const createdBy = "kubevirt.io/created-by";

export function machineControllers(
  {
    client,
    kubevirt,
  }: {
    readonly client: KubeClient;
    /** In the name of KubeVirt itself. */
    readonly kubevirt: KubeClient;
  },
  nodes: ReadonlySet<string>,
): readonly Followed[] {
  /** By uid, those that have not ended. */
  const alive = new Map<string, KubeObject>();
  /** By uid of the instance that they wait for. */
  const waiting = new Map<string, KubeObject>();

  const endPod = async (pod: KubeObject): Promise<void> => {
    await client.delete({ ...soon(), graceSeconds: 0 }, kinds.pod, nameOf(pod.metadata));
  };

  const lookAtPod = async (pod: KubeObject): Promise<void> => {
    if (!nodes.has(textAt(pod, "spec", "nodeName"))) return;
    const { deletionTimestamp, labels = {} } = pod.metadata;
    const instance = labels[createdBy] ?? "";
    if (deletionTimestamp !== undefined) {
      // The guest ends before its pod does.
      if (alive.has(instance)) waiting.set(instance, pod);
      else await endPod(pod);
      return;
    }
    if (textAt(pod, "status", "phase") === "Pending") await runPod(client, pod);
  };

  const lookAtInstance = async (instance: KubeObject): Promise<void> => {
    const phase = textAt(instance, "status", "phase");
    const { uid, deletionTimestamp } = instance.metadata;
    if (endPhases.has(phase)) {
      alive.delete(uid);
      const pod = waiting.get(uid);
      waiting.delete(uid);
      if (pod !== undefined) await endPod(pod);
      return;
    }
    if (!nodes.has(textAt(instance, "status", "nodeName"))) return;
    alive.set(uid, instance);
    if (phase !== "Scheduled" && phase !== "Running") return;
    if (deletionTimestamp !== undefined) {
      await enter(kubevirt, instance, "Succeeded", {});
    } else if (phase === "Scheduled") {
      await boot(kubevirt, instance);
    }
  };

  return [
    { kind: kinds.pod, look: lookAtPod },
    {
      kind: kinds.machineInstance,
      look: lookAtInstance,
      gone: async ({ metadata: { uid } }) => {
        alive.delete(uid);
        const pod = waiting.get(uid);
        waiting.delete(uid);
        if (pod !== undefined) await endPod(pod);
      },
    },
  ];
}

let addresses = 0;

async function runPod(client: KubeClient, pod: KubeObject): Promise<void> {
  addresses += 1;
  const podIP = `198.18.${(addresses >> 8) & 255}.${addresses & 255}`;
  const now = instant();
  const conditions = ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map((type) => ({
    type,
    status: "True",
    lastTransitionTime: now,
  }));
  const containerStatuses = listAt(pod, "spec", "containers").map((container) => ({
    name: textAt(container, "name"),
    image: textAt(container, "image"),
    imageID: "",
    ready: true,
    started: true,
    restartCount: 0,
    state: { running: { startedAt: now } },
  }));
  const status = { phase: "Running", startTime: now, podIP, podIPs: [{ ip: podIP }] };
  await setStatus(client, kinds.pod, pod, { ...status, conditions, containerStatuses });
}

async function boot(client: KubeClient, instance: KubeObject): Promise<void> {
  const now = instant();
  const known = listAt(instance, "status", "conditions");
  // With the times that virt-handler gives them.
  const set = [
    { type: "AgentConnected", status: "True", lastProbeTime: now, lastTransitionTime: null },
    { type: "LiveMigratable", status: "True", lastProbeTime: null, lastTransitionTime: null },
  ];
  const types = new Set(set.map(({ type }) => type));
  const kept = known.filter((each) => !types.has(textAt(each, "type")));
  await enter(client, instance, "Running", {
    conditions: [...kept, ...set],
    guestOSInfo: { name: "Nothing", id: "nothing" },
    interfaces: [{ name: "default", infoSource: "domain", queueCount: 1 }],
  });
}

/** `Succeeded`: the guest powered itself off, or was told to. `Failed`: it crashed. */
export async function enter(
  client: KubeClient,
  instance: KubeObject,
  phase: "Running" | "Succeeded" | "Failed",
  more: Readonly<Record<string, unknown>>,
): Promise<void> {
  const times = listAt(instance, "status", "phaseTransitionTimestamps");
  const entered = { phase, phaseTransitionTimestamp: instant() };
  const status = { ...more, phase, phaseTransitionTimestamps: [...times, entered] };
  await setStatus(client, kinds.machineInstance, instance, status);
}
