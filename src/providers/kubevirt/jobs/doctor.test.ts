/** What a cluster lacks for jobs, told to its operator. */
import { expect, test } from "vitest";

import { judgeJobs } from "./doctor.ts";

const groups = (...all: readonly (readonly [string, readonly string[]])[]) => new Map(all);
const batch = ["batch", ["v1"]] as const;

test("doctor: what the cluster lacks for jobs, and what to do", () => {
  const kueue = { batch: "kueue", sharesByHami: false } as const;
  const [missing] = judgeJobs({ ...kueue, groups: groups(batch) });
  expect(missing).toMatchObject({ level: "problem", what: "Kueue" });
  const [older] = judgeJobs({ ...kueue, groups: groups(batch, ["kueue.x-k8s.io", ["v1beta1"]]) });
  expect(older?.message).toContain("older");
  const there = groups(batch, ["kueue.x-k8s.io", ["v1beta1", "v1beta2"]]);
  expect(judgeJobs({ ...kueue, groups: there })).toMatchObject([{ level: "ok" }]);
  const loose = judgeJobs({
    ...kueue,
    groups: there,
    waitForPodsReady: false,
    kueueAnswers: false,
  });
  expect(loose.map(({ level }) => level)).toEqual(["ok", "problem", "notice"]);
  expect(judgeJobs({ ...kueue, groups: there, sharesByHami: true })).toMatchObject([
    { level: "ok" },
    { what: "HAMi", level: "problem" },
  ]);
  const byVolcano = { batch: "volcano", sharesByHami: true } as const;
  expect(judgeJobs({ ...byVolcano, groups: there })[0]?.message).toContain("Kueue is there");
  const all = groups(
    batch,
    ["batch.volcano.sh", ["v1alpha1"]],
    ["scheduling.volcano.sh", ["v1beta1"]],
  );
  expect(judgeJobs({ ...byVolcano, groups: all })).toMatchObject([{ level: "ok" }]);
});
