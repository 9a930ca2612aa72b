/** What is submitted: a mix of jobs that has something of every kind, the same in every run. */
import type { RequestOf } from "#client/types.ts";

export type JobBody = RequestOf<"createJob">["body"];

/** Of twenty jobs: eight without a GPU, six with a quarter of one, five with one, one with two. */
const flavors = [
  ...Array.from({ length: 8 }, () => "small"),
  ...Array.from({ length: 6 }, () => "t4.quarter"),
  ...Array.from({ length: 3 }, () => "t4.1"),
  ...Array.from({ length: 2 }, () => "a100.1"),
  "a100.2",
];

export function jobBody(index: number): JobBody {
  // A step that is prime to their number: kinds follow each other mixed.
  const flavor = flavors[(index * 7) % flavors.length] ?? "small";
  return {
    name: `job-${index}`,
    flavor,
    script: "#!/bin/sh\npython3 train.py --epochs 3\n",
    environment: { RUN: `${index}` },
    timeLimitSeconds: 3600,
  };
}
