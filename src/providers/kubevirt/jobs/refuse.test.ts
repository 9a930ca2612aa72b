/** What is refused of a job before anything is made, and what is one ask. */
import { expect, test } from "vitest";

import { jobAsk, type JobAsk, type JobSite } from "./model.ts";
import { jobRefusals } from "./refuse.ts";
import { amounts, gang, gibi, mig, single, site, soft, volcanoSite } from "./test-site.ts";

const card = (gpu: Partial<NonNullable<JobAsk["gpu"]>>, base = single): JobAsk => ({
  ...base,
  gpu: {
    ...(base.gpu ?? { model: "", resource: "", sharing: "none", slice: 1, count: 1 }),
    ...gpu,
  },
});
const badMig: JobSite = {
  ...site,
  flavors: [
    {
      name: "t4-mig",
      gpu: { model: "T4", resource: "nvidia.com/mig-1g", sharing: "mig", slice: 7 },
      nodeLabels: { a: "b" },
      tolerations: [],
    },
  ],
};

test.each<[string, JobAsk, JobSite, readonly string[]]>([
  ["nothing", single, site, []],
  ["nothing of a MIG part", mig, site, []],
  ["nothing of a soft share on the tenant's machines", soft, volcanoSite, []],
  ["a part under the name of whole cards", card({ slice: 2 }), site, ["whole_for_a_slice"]],
  ["a card that is nowhere", card({ model: "H200" }), site, ["no_flavor"]],
  [
    "turns",
    card({ model: "T4", resource: "nvidia.com/gpu.shared", slice: 4 }),
    site,
    ["time_slicing"],
  ],
  [
    "MIG on a T4",
    card({ model: "T4", resource: "nvidia.com/mig-1g", slice: 7, sharing: "mig", count: 1 }),
    badMig,
    ["no_mig"],
  ],
  ["two MIG parts for one program", card({ count: 2 }, mig), site, ["mig_one"]],
  ["soft shares under Kueue", soft, site, ["hami_without_volcano", "hami_across_tenants"]],
  [
    "soft shares across tenants",
    soft,
    { ...volcanoSite, tenantsWithNodes: new Set(["other"]) },
    ["hami_across_tenants"],
  ],
  ["no members", { ...single, memberIds: [] }, site, ["members"]],
  ["a tiny flavor", { ...single, cpuMilli: 10 }, site, ["too_small"]],
  [
    "an environment of a megabyte",
    { ...single, environment: { A: "x".repeat(1 << 20) } },
    site,
    ["text_too_large"],
  ],
  ["a job above machines", single, { ...site, machinePriorityMin: 100 }, ["job_outranks_machine"]],
])("refused is %s", (_, ask, where, codes) => {
  expect(jobRefusals(ask, { site: where }).map(({ code }) => code)).toEqual(codes);
});

test("more than a tenant's queue ever has is refused with the numbers", () => {
  const [refusal, ...rest] = jobRefusals(gang, {
    site,
    room: new Map([
      ...amounts,
      ["cpu", 99_000n],
      ["memory", 1n << 50n],
      ["ephemeral-storage", 1n << 50n],
    ]),
  });
  expect(rest).toEqual([]);
  expect(refusal).toMatchObject({
    code: "over_quota",
    for: "customer",
    details: { resource: "nvidia.com/gpu", asked: "8", most: "4" },
  });
});

test("the specs of an attempt's machines are one ask; what differs is none", () => {
  const spec = {
    id: "m0",
    name: "train",
    hostId: "h",
    image: "x",
    cpu: { sockets: 1, cores: 8, threads: 1 },
    memoryBytes: 64 * gibi,
    diskBytes: 100 * gibi,
    gpus: [{ deviceId: "d", model: "A100", slice: 1, resource: "nvidia.com/gpu" }],
    serviceClass: "standard" as const,
    network: "net-2",
    loginUser: "u",
    sshKeys: [],
    owner: single.owner,
    workload: {
      command: ["a"],
      environment: { RANK: "0", A: "b" },
      timeLimitSeconds: 60,
      logBytesMax: 10,
      resultsBytesMax: 10,
    },
  };
  const policy = {
    framework: "pytorch",
    tier: "gold",
    preemptible: true,
    membersHow: "pack",
    graceSeconds: 9,
    image: "i",
  } as const;
  expect(jobAsk([spec, { ...spec, id: "m1" }], policy, site)).toMatchObject({
    attemptId: "m0",
    memberIds: ["m0", "m1"],
    environment: { A: "b" },
    network: "net-2",
    cpuMilli: 8000,
    gpu: { model: "A100", sharing: "none", count: 1 },
    image: "i",
  });
  expect(jobAsk([spec, { ...spec, memoryBytes: 1 }], policy, site)).toBeUndefined();
});
