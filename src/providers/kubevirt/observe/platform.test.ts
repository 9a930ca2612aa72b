import { expect, test } from "vitest";

import { type ApiGroups, platformProblems } from "./platform.ts";

const whole: ApiGroups = new Map([
  ["kubevirt.io", ["v1"]],
  ["subresources.kubevirt.io", ["v1", "v1alpha3"]],
  ["cdi.kubevirt.io", ["v1beta1"]],
  ["snapshot.kubevirt.io", ["v1beta1"]],
  ["snapshot.storage.k8s.io", ["v1"]],
  ["clone.kubevirt.io", ["v1beta1"]],
  ["pool.kubevirt.io", ["v1beta1"]],
  ["instancetype.kubevirt.io", ["v1beta1"]],
  ["admissionregistration.k8s.io", ["v1"]],
]);

test("a cluster with all of it lacks nothing", () => {
  expect(platformProblems(whole, { claimsGpus: false })).toEqual([]);
});

test("R-CORE-01: a kind that is missing, or older, is told with what it costs", () => {
  const older = new Map([...whole, ["pool.kubevirt.io", ["v1alpha1"]]] as const);
  older.delete("cdi.kubevirt.io");
  const problems = platformProblems(older, { claimsGpus: true });
  expect(problems.map(({ code, details }) => [code, details?.["group"]])).toEqual([
    ["api_missing", "cdi.kubevirt.io"],
    ["api_other_version", "pool.kubevirt.io"],
    ["api_missing", "resource.k8s.io"],
  ]);
  expect(problems[0]?.message).toContain("no machine can run here");
  expect(problems[1]?.message).toContain("v1alpha1");
});
