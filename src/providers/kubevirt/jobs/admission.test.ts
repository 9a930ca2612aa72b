/** What a job waits for, in words. */
import { expect, test } from "vitest";

import { shortages } from "./admission.ts";
import { kueueSight } from "./observe.ts";
import { job, workload, admitted, type PodTold, pod, running, facts } from "./test-told.ts";

const waits = (reason: string, message: string) =>
  kueueSight(
    job(),
    workload([{ type: "QuotaReserved", status: "False", reason, message }]),
    facts([]),
  ).condition;

test("what it waits for is said: which quota, and how much of it", () => {
  const message =
    "couldn't assign flavors to pod set main: insufficient unused quota for nvidia.com/gpu in flavor a100-80g, 4 more needed, insufficient unused quota for memory in flavor a100-80g, 2Gi more needed. Pending the preemption of 1 workload(s)";
  expect(shortages(message)).toEqual([
    { resource: "nvidia.com/gpu", flavor: "a100-80g", needed: "4" },
    { resource: "memory", flavor: "a100-80g", needed: "2Gi" },
  ]);
  expect(waits("Pending", message)?.message).toBe(
    "It waits for quota: 4 more of nvidia.com/gpu (a100-80g), 2Gi more of memory (a100-80g) are needed, and other work is making room.",
  );
  const never =
    "couldn't assign flavors to pod set main: insufficient quota for nvidia.com/gpu in flavor a100-80g, previously considered podsets requests (0) + current podset request (16) > maximum capacity (8)";
  expect(waits("Pending", never)).toMatchObject({ code: "over_quota", for: "customer" });
  expect(waits("Inadmissible", "ClusterQueue t-1 is inactive")).toMatchObject({
    code: "queue_closed",
  });
  for (const said of ["ClusterQueue t-1 is terminating or missing", "LocalQueue jobs is stopped"]) {
    for (const reason of ["Misconfigured", "Suspended", "Pending"]) {
      expect(waits(reason, said)).toMatchObject({ code: "queue_closed", for: "operator" });
    }
  }
  expect(waits("Pending", "")).toMatchObject({ code: "in_line", for: "nobody" });
  expect(kueueSight(job(), undefined, facts([])).condition?.code).toBe("not_seen_yet");
});

const starting = (told: PodTold) =>
  kueueSight(job(), workload([admitted]), facts([pod({ phase: "Pending", ...told })]));

test("what a pod that was let in hangs on is said", () => {
  const pulling = { waiting: { reason: "ImagePullBackOff", message: "not found" } };
  expect(starting({ main: pulling })).toMatchObject({
    state: "starting",
    condition: { code: "image_not_pulled", for: "operator" },
  });
  expect(starting({ fetch: running }).condition?.message).toBe("It fetches its inputs.");
  const message = "0/2 nodes are available: 2 Insufficient nvidia.com/gpu.";
  const unscheduled = { type: "PodScheduled", status: "False", reason: "Unschedulable", message };
  expect(starting({ conditions: [unscheduled] }).condition?.message).toContain("the member");
});
