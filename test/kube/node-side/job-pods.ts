/**
 * Kubelets for the pods of jobs: the scripts run for real, in a folder for each pod, or a test says what a
 * program does. What is ended is ended as a kubelet does it: a signal, some time, and then by force.
 */
import { fetchScript } from "#providers/kubevirt/jobs/entry/fetch.ts";
import { reportScript } from "#providers/kubevirt/jobs/entry/report.ts";
import { runScript } from "#providers/kubevirt/jobs/entry/run.ts";
import { attemptLabel } from "#providers/kubevirt/jobs/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { Document } from "#test/kube/api/document.ts";
import { listAt, textAt, textsAt } from "#test/kube/api/json.ts";
import type { Objects } from "#test/kube/api/objects.ts";
import { remove } from "#test/kube/api/removal.ts";
import { podFolders, type PodFolders, type Running } from "#test/kube/pod-scripts.ts";

import { isOver } from "./jobs.ts";
import { setStatus } from "./writing.ts";

/** A program that does not end by itself is killed so long after it was told. */
const killMs = 4_000;

export interface ProgramEnd {
  readonly exitCode: number;
  /** As our script writes it: `exited`, `interrupted`, … */
  readonly said?: string;
  readonly reason?: string;
}

export type Programs = "real" | "scripted";

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
    const next = new PodRun(this.#objects, pod, this.#programs);
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

class PodRun {
  readonly name: string;
  readonly #objects: Objects;
  readonly #pod: Document;
  readonly #programs: Programs;
  #folders: PodFolders | undefined;
  #main: Running | undefined;
  #startedAt = "";
  #ending: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(objects: Objects, pod: Document, programs: Programs) {
    this.name = pod.metadata.name;
    this.#objects = objects;
    this.#pod = pod;
    this.#programs = programs;
  }

  begin(): void {
    if (this.#programs === "scripted") return this.#started();
    void this.#runScripts().catch((error: unknown) => {
      if (this.#isOver) return;
      setImmediate(() => {
        throw error;
      });
    });
  }

  end(): void {
    if (this.#programs === "scripted") return this.over({ exitCode: 143, said: "interrupted" });
    if (this.#ending !== undefined) return;
    this.#main?.child.kill("SIGTERM");
    this.#ending = setTimeout(() => this.#main?.child.kill("SIGKILL"), killMs);
  }

  over({ exitCode, said, reason = exitCode === 0 ? "Completed" : "Error" }: ProgramEnd): void {
    const message = said === undefined ? "" : JSON.stringify({ end: said, code: exitCode });
    this.#mainEnded({ exitCode, message, reason });
    this.#podEnded(exitCode);
  }

  async remove(): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#ending);
    await this.#folders?.remove();
  }

  async #runScripts(): Promise<void> {
    const folders = await podFolders("dash", this.#token());
    this.#folders = folders;
    const [fetch] = listAt(this.#pod, "spec", "initContainers");
    const ours = this.#environment(fetch);
    const fetched = await folders.start(fetchScript, [], ours).ended;
    if (this.#isOver) return;
    if (fetched !== 0) {
      const terminated = { exitCode: fetched ?? 137, reason: "Error", message: "" };
      const initContainerStatuses = [containerStatus("fetch", { terminated })];
      return this.#say({ phase: "Failed", initContainerStatuses });
    }
    const [main] = listAt(this.#pod, "spec", "containers");
    const argv = listAt(main, "args").map((each) => String(each).replaceAll("$$", "$"));
    const report = folders.start(reportScript, [], ours);
    this.#main = folders.start(runScript, argv, this.#environment(main));
    this.#started();
    if (this.#ending !== undefined) this.#main.child.kill("SIGTERM");
    const exitCode = (await this.#main.ended) ?? 137;
    if (this.#isOver) return;
    const message = await folders.text("end").catch(() => "");
    this.#mainEnded({ exitCode, message, reason: exitCode === 0 ? "Completed" : "Error" });
    report.child.kill("SIGTERM");
    await report.ended;
    if (!this.#isOver) this.#podEnded(exitCode);
  }

  #token(): string {
    const { namespace } = this.#pod.metadata;
    const access = listAt(this.#pod, "spec", "volumes").find(
      (each) => textAt(each, "name") === "access",
    );
    const name = textAt(access, "secret", "secretName");
    const secret = this.#objects.store.get(kinds.secret, { namespace, name });
    const header = Buffer.from(textAt(secret, "data", "authorization"), "base64").toString("utf8");
    return header.replace(/^Authorization: Bearer /u, "").trim();
  }

  /** As a kubelet fills it in; places in the pod are places in its folder. */
  #environment(container: unknown): Record<string, string> {
    const places = ["HOME", "MILLRACE_WORK", "MILLRACE_RESULTS", "MILLRACE_CHECKPOINT"];
    const own = new Set([...places, "MILLRACE_ACCESS", "MILLRACE_END"]);
    const values: Record<string, string> = {};
    for (const variable of listAt(container, "env")) {
      const name = textAt(variable, "name");
      const path = textAt(variable, "valueFrom", "fieldRef", "fieldPath");
      const text = path === "" ? textAt(variable, "value") : this.#field(path);
      values[name] = text.replaceAll(/\$\$|\$\(([A-Z_]+)\)/g, (all, key: string | undefined) =>
        key === undefined ? "$" : (values[key] ?? all),
      );
    }
    return Object.fromEntries(Object.entries(values).filter(([name]) => !own.has(name)));
  }

  #field(path: string): string {
    if (path === "metadata.name") return this.name;
    const key = /\['(.+)'\]/u.exec(path)?.[1] ?? "";
    return textsAt(this.#pod, "metadata", "annotations")[key] ?? "";
  }

  #started(): void {
    this.#startedAt = this.#objects.now();
    const { podIP } = { podIP: "10.9.9.9" };
    this.#say({
      phase: "Running",
      podIP,
      initContainerStatuses: this.#initStatuses({ running: { startedAt: this.#startedAt } }),
      containerStatuses: [containerStatus("main", { running: { startedAt: this.#startedAt } })],
    });
  }

  #initStatuses(report: object): readonly object[] {
    const done = { terminated: { exitCode: 0, reason: "Completed", message: "" } };
    return [containerStatus("fetch", done), containerStatus("report", report)];
  }

  #mainEnded(how: {
    readonly exitCode: number;
    readonly message: string;
    readonly reason: string;
  }) {
    const times = { startedAt: this.#startedAt, finishedAt: this.#objects.now() };
    this.#say({
      containerStatuses: [containerStatus("main", { terminated: { ...how, ...times } })],
    });
  }

  #podEnded(exitCode: number): void {
    this.#isOver = true;
    clearTimeout(this.#ending);
    const report = { terminated: { exitCode: 0, reason: "Completed", message: "" } };
    const phase = exitCode === 0 ? "Succeeded" : "Failed";
    this.#say({ phase, initContainerStatuses: this.#initStatuses(report) });
    void this.#folders?.remove();
  }

  #say(status: Record<string, unknown>): void {
    const there = this.#objects.store.get(kinds.pod, this.#pod.metadata);
    if (there?.metadata.uid !== this.#pod.metadata.uid) return;
    setStatus(this.#objects, kinds.pod, this.#pod.metadata, status);
  }
}

function containerStatus(name: string, state: object): object {
  const image = "registry.example/image:1";
  return { name, state, image, imageID: image, ready: false, restartCount: 0 };
}
