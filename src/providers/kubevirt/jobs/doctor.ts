/** What a cluster lacks for jobs, and what to do about it: from the API groups that it serves. Pure. */
export interface JobFinding {
  readonly level: "ok" | "notice" | "problem";
  readonly what: string;
  readonly message: string;
  readonly action?: string;
}

export interface ClusterFacts {
  /** Versions by group, as the API server's discovery lists them. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  readonly batch: "kueue" | "volcano";
  /** Of Kueue's configuration, where it could be read. */
  readonly waitForPodsReady?: boolean;
  /** Its admission webhook answers: it stands before every Job of the cluster. */
  readonly kueueAnswers?: boolean;
  readonly sharesByHami: boolean;
}

const kueueGroup = "kueue.x-k8s.io";
const kueueVersion = "v1beta2";
const volcanoGroups = [
  ["batch.volcano.sh", "v1alpha1"],
  ["scheduling.volcano.sh", "v1beta1"],
] as const;

export function judgeJobs(facts: ClusterFacts): readonly JobFinding[] {
  const batch = facts.groups.get("batch") ?? [];
  return [
    ...(batch.includes("v1") ? [] : [noBatch]),
    ...(facts.batch === "kueue" ? judgeKueue(facts) : judgeVolcano(facts)),
    ...(facts.sharesByHami && facts.batch === "kueue" ? [hamiUnderKueue] : []),
  ];
}

const noBatch: JobFinding = {
  level: "problem",
  what: "batch/v1",
  message: "The cluster serves no batch/v1: it is no Kubernetes that we know.",
  action: "Look whether the kubeconfig names the right server.",
};

const hamiUnderKueue: JobFinding = {
  level: "problem",
  what: "HAMi",
  message:
    "A flavor shares cards by HAMi, which Volcano places, and this site's jobs go through Kueue.",
  action: "Set the site's batch queue to volcano, or hand these cards out whole or by MIG.",
};

function judgeKueue({ groups, waitForPodsReady, kueueAnswers }: ClusterFacts): JobFinding[] {
  const versions = groups.get(kueueGroup);
  if (versions === undefined) {
    const other = volcanoGroups.every(([group]) => groups.has(group));
    return [
      {
        level: "problem",
        what: "Kueue",
        message: `Kueue is not installed: machines work, and jobs are refused.${other ? " Volcano is there." : ""}`,
        action: `Install Kueue 0.19 or later${other ? ", or set the site's batch queue to volcano" : ""}.`,
      },
    ];
  }
  if (!versions.includes(kueueVersion)) {
    const message = `Kueue serves ${versions.join(", ")}, and jobs need ${kueueVersion}: it is older than we speak.`;
    return [{ level: "problem", what: "Kueue", message, action: "Bring Kueue to 0.19 or later." }];
  }
  const found: JobFinding[] = [
    { level: "ok", what: "Kueue", message: `Kueue serves ${kueueVersion}.` },
  ];
  if (kueueAnswers === false) {
    found.push({
      level: "problem",
      what: "Kueue",
      message:
        "Kueue's webhook does not answer: as long as that is so, nobody in the cluster can make a Job.",
      action: "Look at the pods of kueue-controller-manager.",
    });
  }
  if (waitForPodsReady === false) {
    found.push({
      level: "notice",
      what: "waitForPodsReady",
      message:
        "Kueue does not wait for all members of a job: of one whose last member finds no node, the others hold theirs for ever.",
      action: "Set waitForPodsReady with a timeout in Kueue's configuration.",
    });
  }
  return found;
}

function judgeVolcano({ groups }: ClusterFacts): JobFinding[] {
  const lacking = volcanoGroups.filter(
    ([group, version]) => groups.get(group)?.includes(version) !== true,
  );
  if (lacking.length === 0) {
    return [{ level: "ok", what: "Volcano", message: "Volcano serves what jobs need." }];
  }
  const list = lacking.map(([group, version]) => `${group}/${version}`).join(", ");
  const other = groups.has(kueueGroup);
  return [
    {
      level: "problem",
      what: "Volcano",
      message: `Volcano is not installed, or older than we speak (${list} is missing): jobs are refused.${other ? " Kueue is there." : ""}`,
      action: `Install Volcano 1.15 or later${other ? ", or set the site's batch queue to kueue" : ""}.`,
    },
  ];
}
