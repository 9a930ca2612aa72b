/** Disks that are not there yet. Sentences are those that CDI wrote on a real cluster. */
import { expect, test } from "vitest";

import { machineCondition } from "./condition.ts";
import { began, name, now, of, seen } from "./test-seen.ts";

test("a disk in the making, one that is stuck, and one without permission", () => {
  const machine = { printableStatus: "Provisioning" };
  const making = { phase: "ImportInProgress", progress: "42.00%" };
  expect(of({ machine, disks: [{ phase: "Succeeded" }, making] })).toMatchObject({
    state: "preparing",
    reason: { code: "disk_in_the_making", message: expect.stringContaining("42.00%") },
  });
  const stuck = {
    ...making,
    restartCount: 5,
    conditions: [
      { type: "Running", status: "False", message: "Unable to connect to http data source" },
    ],
  };
  expect(of({ machine, disks: [stuck] })).toMatchObject({
    state: "waiting",
    reason: { code: "import_stuck", message: expect.stringContaining("Unable to connect") },
  });
  const failure = {
    type: "Failure",
    status: "True",
    message: "Error encountered while creating DataVolumes: not authorized to create DataVolume",
  };
  expect(of({ machine: { printableStatus: "Stopped", conditions: [failure] } })).toMatchObject({
    state: "waiting",
    reason: { code: "clone_not_authorized" },
  });
});

/** Conditions as CDI 1.66 wrote them on a real node. */
const bound = { type: "Bound", status: "True", reason: "Bound" };
const disk = (phase: string, running: object, more: object = {}) => ({
  phase,
  progress: "N/A",
  conditions: [bound, { type: "Ready", status: "False" }, { type: "Running", ...running }],
  ...more,
});
const unbound = (reason: string, message: string, phase?: string) => ({
  ...(phase === undefined ? {} : { phase }),
  conditions: [
    { type: "Bound", status: "False", reason, message },
    { type: "Ready", status: "False", reason, message },
    { type: "Running", status: "False" },
  ],
});
const hanging = (status: object, at = now) =>
  machineCondition(seen({ machine: { printableStatus: "Provisioning" }, disks: [status] }), at);

test("an image that is not there is told as that, whichever way it was to be copied", () => {
  const missing = ["pvc", "snapshot"].map((kind) =>
    hanging(unbound("CloneWithoutSource", `The source ${kind} gone doesn't exist`, "Pending")),
  );
  const message =
    "Error encountered while creating DataVolumes: unable to create DataVolume manifest: " +
    'datasources.cdi.kubevirt.io "gone" not found';
  const conditions = [{ type: "Failure", status: "True", message }];
  missing.push(of({ machine: { printableStatus: "Stopped", conditions } }));
  for (const { state, reason } of missing) {
    expect(state).toBe("waiting");
    expect(reason).toMatchObject({
      code: "image_missing",
      for: "operator",
      message: "The image gone that the machine's disk is to be copied from is not in the cluster.",
    });
  }
});

test("a claim that is refused is told with the reason, also before the disk has any phase", () => {
  const quota =
    'persistentvolumeclaims "m-1-root" is forbidden: exceeded quota: by-hand, requested: ' +
    "requests.storage=2276332667, used: requests.storage=222298112, limited: requests.storage=1Gi";
  expect(hanging(unbound("ErrExceededQuota", quota, "Pending")).reason).toMatchObject({
    code: "over_namespace_quota",
    message:
      "The namespace's quota by-hand has no room for the machine's disk: it asks for requests.storage 2276332667; requests.storage 222298112 are used of requests.storage 1Gi.",
  });
  const invalid = "no accessMode specified in StorageProfile local";
  expect(hanging(unbound("ErrClaimNotValid", invalid))).toMatchObject({
    state: "waiting",
    reason: { code: "disk_not_ready", message: expect.stringContaining(invalid) },
  });
});

test("an import that fails again and again is stuck; its last moment of success is not", () => {
  const small = {
    status: "False",
    reason: "Error",
    message: "DataVolume too small to contain image",
  };
  const code = (running: object, restartCount: number) =>
    hanging(disk("ImportInProgress", running, { restartCount })).reason?.code;
  expect(code(small, 2)).toBe("disk_in_the_making");
  expect(code(small, 3)).toBe("import_stuck");
  const done = { status: "False", reason: "Completed", message: "Clone Complete" };
  expect(code(done, 4)).toBe("disk_in_the_making");
  // CDI tells this of a copy whose source cannot reach it.
  const silent = disk("CloneInProgress", { status: "False", reason: "Pod is running" });
  expect(hanging({ ...silent, restartCount: 4 }).reason?.message).toBe(
    `Disk ${name} was begun 4 times and never finished: CDI gives no reason; the log of its pod has it`,
  );
});

test("what hangs without a word in the phase is told once it lasts, and not before", () => {
  const at = Date.parse(began);
  const waits = (reason: string) =>
    disk("ImportInProgress", { status: "False", reason, lastTransitionTime: began });
  const codes = (status: object, afterMs: number) => [
    hanging(status, at + afterMs).reason?.code,
    hanging(status, at + afterMs + 1).reason?.code,
  ];
  expect(codes(waits("Scratch space required"), 60_000)).toEqual([
    "disk_in_the_making",
    "disk_lacks_scratch",
  ]);
  expect(codes(waits("Unschedulable"), 60_000)).toEqual(["disk_in_the_making", "import_unplaced"]);
  // Of a copy into a smaller claim: nothing but the claim's events has the reason.
  expect(codes(disk("CloneScheduled", { status: "False" }), 300_000)).toEqual([
    "disk_in_the_making",
    "copy_not_begun",
  ]);
});
