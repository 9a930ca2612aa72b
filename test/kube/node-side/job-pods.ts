/** Kubelets for the pods of jobs: each pod that is bound to a node is run, and ended when it is deleted. */
import { attemptLabel } from "#providers/kubevirt/jobs/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { Document } from "#test/kube/api/document.ts";
import { textAt } from "#test/kube/api/json.ts";
import type { Objects } from "#test/kube/api/objects.ts";
import { remove } from "#test/kube/api/removal.ts";
import { PodRun, type PodSide, type ProgramEnd, type Programs } from "#test/kube/pod-run.ts";

import { isOver } from "./jobs.ts";
import { setStatus } from "./writing.ts";

export class JobPods {
  readonly #objects: Objects;
  readonly #programs: Programs;
  readonly #running = new Map<string, PodRun>();
  readonly #fallen = new Set<string>();
  #closed = false;

  constructor(objects: Objects, programs: Programs) {
    this.#objects = objects;
    this.#programs = programs;
  }

  takes({ metadata }: Document): boolean {
    return metadata.labels?.[attemptLabel] !== undefined;
  }

  /** It is bound to a node, or has changed since. */
  see(pod: Document): void {
    if (this.#closed || this.#isStuck(pod)) return;
    const { uid, deletionTimestamp } = pod.metadata;
    const run = this.#running.get(uid);
    if (deletionTimestamp !== undefined) {
      const fell = this.#fallen.has(uid);
      if (run !== undefined && !fell && !isOver(pod)) return run.end();
      remove(this.#objects, kinds.pod, pod.metadata, {
        propagation: "Background",
        graceSeconds: 0,
      });
      return;
    }
    if (run !== undefined || isOver(pod)) return;
    const next = new PodRun(sideOf(this.#objects), pod, this.#programs);
    this.#running.set(uid, next);
    next.begin();
  }

  /** On a node that is silent, it is ended by whoever lets go of it. */
  #isStuck({ metadata }: Document): boolean {
    return this.#fallen.has(metadata.uid) && (metadata.finalizers ?? []).length > 0;
  }

  /** Of a scripted program. */
  programEnds(podName: string, end: ProgramEnd): void {
    const run = [...this.#running.values()].find(({ name }) => name === podName);
    if (run === undefined) throw new Error(`no pod ${podName} runs`);
    run.over(end);
  }

  /** Its node is silent from now on: nothing is told of it any more. */
  falls({ metadata }: Document): void {
    void this.#running.get(metadata.uid)?.remove();
    this.#fallen.add(metadata.uid);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running.values()].map((run) => run.remove()));
  }
}

function sideOf(objects: Objects): PodSide {
  return {
    now: () => objects.now(),
    say({ metadata }, status) {
      if (objects.store.get(kinds.pod, metadata)?.metadata.uid !== metadata.uid) return;
      setStatus(objects, kinds.pod, metadata, status);
    },
    secret: ({ namespace, name, key }) => {
      const secret = objects.store.get(kinds.secret, { namespace, name });
      return Promise.resolve(Buffer.from(textAt(secret, "data", key), "base64").toString("utf8"));
    },
  };
}
