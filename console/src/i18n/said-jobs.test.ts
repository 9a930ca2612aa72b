/** What a cluster's queue may say of a job that waits is said in Chinese too. */
import { expect, test } from "vitest";

import { explainWait } from "#providers/kubevirt/jobs/admission.ts";
import { explainStart } from "#providers/kubevirt/jobs/starting.ts";
import { read } from "#providers/kubevirt/jobs/seen.ts";

import { sayer } from "./said.ts";
import { said } from "./zh-CN/said/index.ts";

const say = sayer(said);
const metadata = { name: "j", namespace: "p", uid: "u", resourceVersion: "1" };
const workload = (condition: object, spec: object = {}) =>
  explainWait(
    read.workload({
      metadata,
      spec,
      status: { conditions: [{ type: "QuotaReserved", status: "False", ...condition }] },
    }),
  );
const pod = (status: object) => explainStart([read.pod({ metadata, spec: {}, status })]);
const waiting = (reason: string) => ({
  containerStatuses: [{ name: "main", state: { waiting: { reason, message: "no such image" } } }],
});

test("waits of the queue, and of what it let in", () => {
  const told = [
    explainWait(undefined),
    workload({}, { active: false }),
    workload({ status: "True" }),
    workload({
      message:
        "couldn't assign flavors to pod set main: insufficient unused quota for cpu in flavor a100, 2 more needed",
    }),
    workload({
      message: "insufficient quota for cpu in flavor a100, request > maximum capacity (8)",
    }),
    workload({ reason: "Inadmissible", message: "LocalQueue jobs doesn't exist" }),
    workload({ message: "flavor a100 doesn't match node affinity" }),
    workload({}),
    workload({ message: "others come first" }),
    pod(waiting("ImagePullBackOff")),
    pod(waiting("CreateContainerError")),
    pod({}),
  ];
  const sentences = told.flatMap((each) => [each?.message ?? "", each?.action ?? ""]);
  expect(sentences.filter((sentence) => say(sentence) === undefined)).toEqual([]);
});
