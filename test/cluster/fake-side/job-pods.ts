/**
 * Kubelets of fake nodes for the pods of jobs: the three scripts run for real beside the test, or the test
 * says how a program ends. What is written to the cluster is what a kubelet writes; Kueue, the Job
 * controller, the scheduler and those who evict are the cluster's own.
 */
import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import { ourSelector } from "#providers/kubevirt/compile/labels.ts";
import { attemptLabel } from "#providers/kubevirt/jobs/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { listAt, textAt } from "#test/kube/api/json.ts";
import {
  PodRun,
  type PodSide,
  type ProgramEnd,
  type Programs,
  type RunPod,
} from "#test/kube/pod-run.ts";

import { type Followed, instant, nameOf, setStatus, soon } from "./follow.ts";

export interface JobKubelets {
  readonly followed: Followed;
  /** Of a scripted program. */
  programEnds(podName: string, end: ProgramEnd): void;
  /** Its node is silent from now on: nothing is told of it any more. */
  falls(podName: string): void;
  /** Once nobody follows any more. */
  close(): Promise<void>;
}

/** Of what this control plane made. */
export function jobKubelets(
  client: KubeClient,
  of: {
    readonly controlPlaneId: string;
    readonly nodes: ReadonlySet<string>;
    readonly programs: Programs;
  },
): JobKubelets {
  const running = new Map<string, PodRun>();
  const fallen = new Set<string>();
  const statuses = new PodStatuses(client);

  const endPod = async ({ metadata }: KubeObject): Promise<void> => {
    await client.delete({ ...soon(), graceSeconds: 0 }, kinds.pod, nameOf(metadata));
  };

  const look = async (pod: KubeObject): Promise<void> => {
    const { uid, name, deletionTimestamp } = pod.metadata;
    if (!of.nodes.has(textAt(pod, "spec", "nodeName"))) return;
    if (fallen.has(name)) {
      // Nobody waits for it any more: its operator takes it away by force.
      const isLetGo = deletionTimestamp !== undefined && pod.metadata.finalizers === undefined;
      return isLetGo ? endPod(pod) : undefined;
    }
    const run = running.get(uid);
    if (deletionTimestamp !== undefined) {
      return run !== undefined && !isOver(pod) ? run.end() : endPod(pod);
    }
    if (run !== undefined || isOver(pod)) return;
    const next = new PodRun(statuses, pod, of.programs);
    running.set(uid, next);
    next.begin();
  };

  const runOf = (podName: string): PodRun => {
    const found = [...running.values()].find(({ name }) => name === podName);
    if (found === undefined) throw new Error(`no pod ${podName} runs`);
    return found;
  };

  return {
    followed: {
      kind: kinds.pod,
      selection: { labels: `${ourSelector(of.controlPlaneId)},${attemptLabel}` },
      look,
      gone: async ({ metadata: { uid } }) => {
        await running.get(uid)?.remove();
        running.delete(uid);
      },
    },
    programEnds: (podName, end) => runOf(podName).over(end),
    falls(podName) {
      fallen.add(podName);
      void runOf(podName).remove();
    },
    close: async () => {
      await Promise.all([...running.values()].map((run) => run.remove()));
      await statuses.done();
    },
  };
}

function isOver(pod: KubeObject): boolean {
  return ["Succeeded", "Failed"].includes(textAt(pod, "status", "phase"));
}

/** Written one after the other, each onto what others wrote meanwhile. */
class PodStatuses implements PodSide {
  readonly #client: KubeClient;
  readonly #known = new Map<string, Readonly<Record<string, unknown>>>();
  #last: Promise<void> = Promise.resolve();
  #addresses = 0;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  now(): string {
    return instant();
  }

  say({ metadata }: RunPod, told: Told): void {
    const { uid } = metadata;
    const status = { ...this.#known.get(uid), ...told, ...this.#address(told) };
    this.#known.set(uid, status);
    const write = () => this.#write(metadata, status);
    this.#last = this.#last.then(write, write);
  }

  async secret(of: { readonly namespace: string; readonly name: string; readonly key: string }) {
    const { namespace, name, key } = of;
    const secret = await this.#client.get(soon(), kinds.secret, { namespace, name });
    return Buffer.from(textAt(secret, "data", key), "base64").toString("utf8");
  }

  async done(): Promise<void> {
    await this.#last.catch(() => undefined);
  }

  #address({ phase }: Told): Told {
    if (phase !== "Running") return {};
    this.#addresses += 1;
    const podIP = `198.19.${(this.#addresses >> 8) & 255}.${this.#addresses & 255}`;
    return { podIP, podIPs: [{ ip: podIP }], startTime: instant() };
  }

  async #write({ namespace = "", name, uid }: RunPod["metadata"], status: Told): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      // oxlint-disable-next-line no-await-in-loop -- as it is by then
      const pod = await this.#client.get(soon(), kinds.pod, { namespace, name });
      if (pod?.metadata.uid !== uid) return;
      try {
        const conditions = conditionsOf(pod, textAt(status, "phase") === "Running");
        // oxlint-disable-next-line no-await-in-loop -- again only where somebody else wrote
        await setStatus(this.#client, kinds.pod, pod, { ...status, conditions });
        return;
      } catch (error) {
        if (tries === triesMax) throw error;
      }
    }
  }
}

const triesMax = 6;

type Told = Readonly<Record<string, unknown>>;

/** Whether it is ready, beside what others said of it. */
function conditionsOf(pod: KubeObject, isReady: boolean): readonly unknown[] {
  const known = listAt(pod, "status", "conditions");
  const status = isReady ? "True" : "False";
  const own = ["Initialized", "ContainersReady", "Ready"];
  const kept = known.filter((each) => !own.includes(textAt(each, "type")));
  const set = own.map((type) => {
    const before = known.find((each) => textAt(each, "type") === type);
    const said = type === "Initialized" ? "True" : status;
    const since = textAt(before, "status") === said ? textAt(before, "lastTransitionTime") : "";
    return { type, status: said, lastTransitionTime: since === "" ? instant() : since };
  });
  return [...kept, ...set];
}
