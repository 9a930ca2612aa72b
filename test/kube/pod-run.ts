/**
 * The pod of a job's member as a kubelet runs it: the scripts for real, in a folder for the pod, or a test
 * says what the program does. What is told of it goes to whoever writes it to the cluster. What is ended is
 * ended as a kubelet does it: a signal, some time, and then by force.
 */
import { fetchScript } from "#providers/kubevirt/jobs/entry/fetch.ts";
import { reportScript } from "#providers/kubevirt/jobs/entry/report.ts";
import { runScript } from "#providers/kubevirt/jobs/entry/run.ts";

import { listAt, textAt, textsAt } from "./api/json.ts";
import { podFolders, type PodFolders, type Running } from "./pod-scripts.ts";

/** A program that does not end by itself is killed so long after it was told. */
const killMs = 4_000;

export interface ProgramEnd {
  readonly exitCode: number;
  /** As our script writes it: `exited`, `interrupted`, … */
  readonly said?: string;
  readonly reason?: string;
}

export type Programs = "real" | "scripted";

/** As the API has it, the rest of it too. */
export interface RunPod {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string | undefined;
    readonly uid: string;
  };
}

/** The cluster on whose node it runs. */
export interface PodSide {
  /** As the API tells instants. */
  now(): string;
  /** Merged into the pod's status, if it is there still. */
  say(pod: RunPod, status: Readonly<Record<string, unknown>>): void;
  /** The value of a Secret's key. */
  secret(of: {
    readonly namespace: string;
    readonly name: string;
    readonly key: string;
  }): Promise<string>;
}

export class PodRun {
  readonly name: string;
  readonly #side: PodSide;
  readonly #pod: RunPod;
  readonly #programs: Programs;
  #folders: PodFolders | undefined;
  #main: Running | undefined;
  #startedAt = "";
  #ending: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(side: PodSide, pod: RunPod, programs: Programs) {
    this.name = pod.metadata.name;
    this.#side = side;
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
    const folders = await podFolders("dash", await this.#token());
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

  async #token(): Promise<string> {
    const { namespace = "" } = this.#pod.metadata;
    const access = listAt(this.#pod, "spec", "volumes").find(
      (each) => textAt(each, "name") === "access",
    );
    const name = textAt(access, "secret", "secretName");
    const header = await this.#side.secret({ namespace, name, key: "authorization" });
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
    this.#startedAt = this.#side.now();
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
    const times = { startedAt: this.#startedAt, finishedAt: this.#side.now() };
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

  #say(status: Readonly<Record<string, unknown>>): void {
    this.#side.say(this.#pod, status);
  }
}

function containerStatus(name: string, state: object): object {
  const image = "registry.example/image:1";
  return { name, state, image, imageID: image, ready: false, restartCount: 0 };
}
