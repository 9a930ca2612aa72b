/**
 * The side of a cluster that does the work, as a script: controllers, scheduler and kubelets that act at
 * once, or as a test says. It writes through the same rules as a client does.
 */
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { Place } from "#test/kube/api/objects.ts";
import { remove } from "#test/kube/api/removal.ts";
import { listAt, textAt } from "#test/kube/api/json.ts";
import type { Document } from "#test/kube/api/document.ts";
import type { ProgramEnd, Programs } from "#test/kube/pod-run.ts";
import type { KubeServer } from "#test/kube/server.ts";

import { Controllers } from "./controllers.ts";
import { type Launchers, runInstances } from "./instances.ts";
import { JobPods } from "./job-pods.ts";
import { runJobs } from "./jobs.ts";
import { type Kueue, runKueue } from "./kueue.ts";
import { runMachines } from "./machines.ts";
import { runMoves } from "./moves.ts";
import { type NodeOf, Nodes } from "./nodes.ts";
import { runPods } from "./pods.ts";
import { runSnapshots } from "./snapshots.ts";
import { runVolcano, type Volcano } from "./volcano.ts";
import { type Filling, fillVolumes } from "./volumes.ts";
import { setStatus, withConditions } from "./writing.ts";

export interface NodeSideOptions {
  readonly nodes?: readonly NodeOf[];
  /** From a node's being found to the guest's running. */
  readonly bootMs?: number;
  readonly filling?: (volume: string) => Filling;
  /** Claims whose storage can be snapshot; all of them if absent. */
  readonly canSnapshot?: (claim: Document) => boolean;
  /** What runs in pods of jobs: the scripts and the program, or what a test says; scripted if absent. */
  readonly programs?: Programs;
}

/** What the kubelets say when an image cannot be fetched. */
type Pulling = { readonly because: string } | undefined;

export interface NodeSide {
  addNode(node: NodeOf): void;
  /** Its kubelet falls silent: what runs there is shown as before, what is deleted there stays. */
  nodeGoes(name: string): void;
  nodeReturns(name: string): void;
  /** The operator takes the node out: its pods are gone. */
  nodeIsRemoved(name: string): void;
  /** From now on; volumes that are not filled are looked at again. */
  fills(filling: Filling): void;
  /** Pods' images cannot be fetched from now on, or can again. */
  pulls(how: Pulling): void;
  /** The guest ends by itself: shut down from inside, or crashed. */
  guestEnds(machine: Place, how: "shut down" | "crashed"): void;
  /** The program of a job's pod ends, where programs are scripted. */
  programEnds(podName: string, end: ProgramEnd): void;
  /** Its node does not answer any more, and the cluster has noticed: the pod is taken for lost. */
  nodeIsLost(pod: Document | undefined): void;
  readonly kueue: Kueue;
  readonly volcano: Volcano;
  close(): void;
}

export function startNodeSide(server: KubeServer, options: NodeSideOptions = {}): NodeSide {
  const { nodes: first = [], bootMs = 0, filling, canSnapshot } = options;
  const { objects } = server;
  const controllers = new Controllers(objects);
  const nodes = new Nodes(objects);
  const launchers: Launchers = new Map();
  let pulling: Pulling;
  const jobPods = new JobPods(objects, options.programs ?? "scripted");
  runPods(controllers, nodes, () => pulling?.because, jobPods);
  runJobs(controllers);
  const kueue = runKueue(controllers);
  const volcano = runVolcano(controllers);
  let fillingNow: (volume: string) => Filling = filling ?? (() => "at once");
  fillVolumes(controllers, (volume) => fillingNow(volume));
  runMachines(controllers);
  runInstances(controllers, { nodes, launchers, bootMs });
  runSnapshots(controllers, canSnapshot ?? (() => true));
  runMoves(controllers, launchers);
  for (const node of first) nodes.add(node);

  return {
    addNode: (node) => {
      nodes.add(node);
    },
    nodeGoes: (name) => {
      nodes.setReady(name, "Unknown");
    },
    nodeReturns: (name) => {
      nodes.setReady(name, "True");
    },
    nodeIsRemoved(name) {
      nodes.forget(name);
      for (const pod of objects.store.all(kinds.pod)) {
        if (textAt(pod, "spec", "nodeName") !== name) continue;
        remove(objects, kinds.pod, pod.metadata, { propagation: "Background", graceSeconds: 0 });
      }
    },
    fills(how) {
      fillingNow = () => how;
      for (const { metadata } of objects.store.all(kinds.dataVolume)) {
        controllers.look(kinds.dataVolume, metadata);
      }
    },
    pulls(how) {
      pulling = how;
      for (const { metadata } of objects.store.all(kinds.pod)) {
        controllers.look(kinds.pod, metadata);
      }
    },
    guestEnds(machine, how) {
      const instance = objects.store.get(kinds.machineInstance, machine);
      if (instance === undefined) throw new Error(`${machine.name} does not run`);
      const phase = how === "shut down" ? "Succeeded" : "Failed";
      const times = listAt(instance, "status", "phaseTransitionTimestamps");
      const entered = { phase, phaseTransitionTimestamp: objects.now() };
      const phaseTransitionTimestamps = [...times, entered];
      const status = { phase, phaseTransitionTimestamps };
      setStatus(objects, kinds.machineInstance, machine, status);
    },
    programEnds: (podName, end) => {
      jobPods.programEnds(podName, end);
    },
    nodeIsLost(pod) {
      if (pod === undefined) throw new Error("there is no such pod");
      const message = "Taint manager: deleting due to NoExecute taint";
      const lost = { type: "DisruptionTarget", status: "True", reason: "DeletionByTaintManager" };
      const conditions = withConditions(
        objects.store.get(kinds.pod, pod.metadata) ?? pod,
        [{ ...lost, status: "True", message }],
        objects.now(),
      );
      jobPods.falls(pod);
      setStatus(objects, kinds.pod, pod.metadata, { conditions });
      remove(objects, kinds.pod, pod.metadata, { propagation: "Background" });
    },
    kueue,
    volcano,
    close() {
      controllers.close();
      void jobPods.close();
    },
  };
}
