/**
 * What a job's program finds in its environment. Members are told who they are in the same words as
 * on every other platform (docs/operate/GANGS.md); here the cluster fills in each one's number, and DNS
 * gives the first one's address before it has one.
 */
import type { EnvVar, HeadlessService } from "#providers/kubevirt/objects/jobs.ts";

import type { JobAsk, JobPlace } from "./model.ts";
import { attemptLabel, jobLabels, jobName } from "./names.ts";

/** torchrun's own default; each member has its ports to itself. */
const masterPort = 29_500;
const tensorflowPort = 2222;

export const workPath = "/work";
export const agentPath = "/millrace";

/** How members are told apart by whoever makes their pods. */
export interface Numbering {
  /** Where a pod's own number stands; absent where somebody else sets RANK. */
  readonly rankField?: string;
  /** The host name of a member, within the job's own subdomain. */
  readonly hostOf: (rank: number) => string;
}

/** Of an Indexed Job: Kubernetes numbers the pods and names them so. */
export function indexedNumbering({ attemptId }: Pick<JobAsk, "attemptId">): Numbering {
  return {
    rankField: "metadata.annotations['batch.kubernetes.io/job-completion-index']",
    hostOf: (rank) => `${jobName(attemptId)}-${rank}`,
  };
}

export function programEnvironment(ask: JobAsk, numbering: Numbering): readonly EnvVar[] {
  const results = `${workPath}/results`;
  const own = {
    HOME: workPath,
    LANG: "C.UTF-8",
    MILLRACE_WORK: workPath,
    MILLRACE_RESULTS: results,
    MILLRACE_CHECKPOINT: `${results}/checkpoint`,
    ...ask.environment,
  };
  const plain = Object.entries(own).map(([name, value]) => ({ name, value: literal(value) }));
  return ask.memberIds.length > 1 ? [...plain, ...memberEnvironment(ask, numbering)] : plain;
}

function memberEnvironment(ask: JobAsk, { rankField, hostOf }: Numbering): readonly EnvVar[] {
  const size = ask.memberIds.length;
  const address = (rank: number) => `${hostOf(rank)}.${jobName(ask.attemptId)}`;
  const rank = (name: string): readonly EnvVar[] =>
    rankField === undefined ? [] : [{ name, valueFrom: { fieldRef: { fieldPath: rankField } } }];
  const variables: EnvVar[] = [
    ...rank("RANK"),
    ...rank("NODE_RANK"),
    { name: "WORLD_SIZE", value: String(size) },
    { name: "NNODES", value: String(size) },
    // One pod is one node with one process, unless the program starts more itself.
    { name: "LOCAL_RANK", value: "0" },
    { name: "LOCAL_WORLD_SIZE", value: "1" },
    { name: "MASTER_ADDR", value: address(0) },
    { name: "MASTER_PORT", value: String(masterPort) },
  ];
  if (ask.framework !== "tensorflow") return variables;
  const workers = ask.memberIds.map((_, index) => `${address(index)}:${tensorflowPort}`);
  // The index is a number in JSON, which only the cluster knows: it fills in what was named before.
  const cluster = JSON.stringify({ worker: workers });
  const config = `{"cluster":${cluster},"task":{"type":"worker","index":$(RANK)}}`;
  return [...variables, { name: "TF_CONFIG", value: config }];
}

/**
 * Kubernetes replaces `$(NAME)` in values and arguments. A customer's text is his: with every dollar
 * sign doubled it arrives as it was.
 */
export function literal(text: string): string {
  return text.replaceAll("$", "$$$$");
}

/** Names the members' pods in DNS, also before they are ready: they look for each other to become so. */
export function membersService(ask: JobAsk, { site, namespace }: JobPlace): HeadlessService {
  const name = jobName(ask.attemptId);
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace, labels: jobLabels(site, ask) },
    spec: {
      clusterIP: "None",
      publishNotReadyAddresses: true,
      selector: { [attemptLabel]: ask.attemptId },
    },
  };
}
