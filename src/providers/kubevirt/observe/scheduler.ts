/**
 * The scheduler's sentence taken apart: "0/4 nodes are available: 2 Insufficient hugepages-1Gi, …" says
 * how many nodes fail for which reason. A node may be counted under several.
 */
import type { Explanation } from "./explanation.ts";

export interface Obstacle {
  readonly nodes: number;
  readonly code:
    | "too_little"
    | "selector"
    | "taint"
    | "cordoned"
    | "apart"
    | "disk"
    | "claim"
    | "pods"
    | "other";
  /** The resource, the taint, or the scheduler's own words. */
  readonly what: string;
}

export interface Unschedulable {
  readonly nodes: number;
  readonly obstacles: readonly Obstacle[];
}

const head = /^(\d+)\/(\d+) nodes are available: (.*)$/su;
const rules: readonly (readonly [pattern: RegExp, code: Obstacle["code"]])[] = [
  [/^Insufficient (\S+)$/u, "too_little"],
  [/^Too many pods$/u, "pods"],
  [/^node\(s\) didn't match Pod's node affinity(?:\/selector)?$/u, "selector"],
  [/^node\(s\) didn't match Pod's node selector$/u, "selector"],
  [/^node\(s\) had untolerated taint(?:\(s\))? ?\{?([^}]*)\}?$/u, "taint"],
  [/^node\(s\) were unschedulable$/u, "cordoned"],
  [/^node\(s\) didn't (?:match|satisfy) .*anti-affinity rules$/u, "apart"],
  [/^node\(s\) didn't match pod topology spread constraints.*$/u, "apart"],
  [
    /^node\(s\) (?:had volume node affinity conflict|didn't find available persistent volumes.*|exceed max volume count)$/u,
    "disk",
  ],
  [/^(?:node\(s\) )?cannot allocate all claims$/u, "claim"],
];

export function readUnschedulable(message: string): Unschedulable | undefined {
  const match = head.exec(message.trim());
  if (match === null) return undefined;
  // What follows the first full stop is about preemption, and repeats it.
  const [list = ""] = (match[3] ?? "").split(/\.(?:\s|$)/u);
  const obstacles = list.split(", ").flatMap((part): readonly Obstacle[] => {
    const counted = /^(\d+) (.+)$/su.exec(part.trim());
    if (counted === null) return part === "" ? [] : [{ nodes: 0, code: "other", what: part }];
    return [obstacle(Number(counted[1]), counted[2] ?? "")];
  });
  return { nodes: Number(match[2]), obstacles };
}

function obstacle(nodes: number, words: string): Obstacle {
  for (const [pattern, code] of rules) {
    const match = pattern.exec(words);
    if (match !== null) return { nodes, code, what: (match[1] ?? "").replace(/: *$/u, "") };
  }
  return { nodes, code: "other", what: words };
}

/** `PodScheduled=False` in words. */
export function explainUnschedulable(message: string): Explanation {
  const read = readUnschedulable(message);
  if (read === undefined) return unread(message);
  const { nodes, obstacles } = read;
  const words = obstacles.map(inWords);
  return {
    code: codeOf(obstacles),
    for: "operator",
    message: `None of ${nodes} nodes can take the machine: ${words.join(", ")}.`,
    action: actionFor(obstacles),
    details: { nodes, obstacles },
  };
}

function inWords({ nodes, code, what }: Obstacle): string {
  switch (code) {
    case "too_little":
      return `${nodes} have too little ${resourceWords(what)} left`;
    case "pods":
      return `${nodes} run as many pods as they may`;
    case "selector":
      return `${nodes} are not of the kind that it asks for`;
    case "taint":
      return `${nodes} are kept for others (${what})`;
    case "cordoned":
      return `${nodes} take nothing new`;
    case "apart":
      return `${nodes} run what it must be apart from`;
    case "disk":
      return `${nodes} cannot reach its disk`;
    case "claim":
      return `${nodes} have no free device of its class`;
    case "other":
      return nodes === 0 ? what : `${nodes}: ${what}`;
  }
}

function resourceWords(resource: string): string {
  const pages = /^hugepages-(.+)$/u.exec(resource)?.[1];
  if (pages !== undefined) return `huge pages of ${pages}`;
  return resource.includes("/") ? `of GPU ${resource}` : resource;
}

function codeOf(obstacles: readonly Obstacle[]): string {
  const gpu = obstacles.some(({ code, what }) => code === "too_little" && what.includes("/"));
  const pages = obstacles.some(({ what }) => what.startsWith("hugepages-"));
  const little = obstacles.some(({ code }) => code === "too_little");
  if (gpu) return "no_gpu_free";
  if (pages) return "no_huge_pages";
  return little ? "no_room" : "no_node_fits";
}

/** By what would help soonest. */
function actionFor(obstacles: readonly Obstacle[]): string {
  const has = (code: Obstacle["code"]) => obstacles.some((each) => each.code === code);
  const pages = obstacles.find(({ what }) => what.startsWith("hugepages-"));
  if (pages !== undefined) {
    return `It starts once a node has such pages free: set more of them up on a node (${pages.what}), or wait for a machine to end.`;
  }
  if (has("too_little"))
    return "It starts once a machine ends that holds it; add nodes to wait no longer.";
  if (has("selector")) {
    return "No node has the labels or the CPU model that it asks for: label one, or change its pool or flavor.";
  }
  if (has("taint") || has("cordoned")) {
    return "Nodes are kept free or are in maintenance: put one back to use, or let the flavor tolerate the taint.";
  }
  if (has("apart")) return "Add a node, or let its flavor share nodes with others of its tenant.";
  if (has("disk"))
    return "Its disk lies where none of its nodes is: use storage that all of them reach.";
  return "Look at the pod's events for more.";
}

function unread(message: string): Explanation {
  const unbound = /unbound immediate PersistentVolumeClaims|persistentvolumeclaim .* not found/u;
  if (unbound.test(message)) {
    return {
      code: "disk_not_ready",
      for: "operator",
      message: "The machine waits for a disk that the storage has not made yet.",
      action:
        "If it stays so, look at the events of its PersistentVolumeClaim and at the storage's provisioner.",
      details: { said: message },
    };
  }
  return {
    code: "unschedulable",
    for: "operator",
    message: `The scheduler cannot place the machine: ${message}`,
    action: "Look at the pod's events for more.",
    details: { said: message },
  };
}
