/** KubeVirt's own metrics on when machines ran against what is written down. */
import { expect, test, vi } from "vitest";

import { installAgents, controllerIsLate } from "#test/kube/agents.ts";
import { startTestCluster } from "#test/kube/driver-cluster.ts";
import { sampleSpec } from "#test/kube/sample-spec.ts";

import { differenceOf, findingsOf, toleranceMs } from "./cross-check.ts";
import { KubevirtProvider } from "./provider.ts";
import type { RunRecord } from "./run-record.ts";

const t0 = Date.parse("2026-11-01T00:00:00Z");
const going: RunRecord = { uid: "run-1", since: t0, version: "7" };
const over: RunRecord = { ...going, end: { at: t0 + 900_000, reason: "guest", detail: "off" } };
const late = toleranceMs + 1_000;

test.each([
  ["it began when we say", going, { runningAt: t0 + 2_000, endedAt: undefined }, undefined],
  ["it began later", going, { runningAt: t0 + late, endedAt: undefined }, "beginning"],
  [
    "its metric is of an end before",
    going,
    { runningAt: t0 + late, endedAt: t0 + 2 * late },
    undefined,
  ],
  ["it ended when we say", over, { runningAt: t0, endedAt: t0 + 900_000 }, undefined],
  ["it ended long before", over, { runningAt: t0, endedAt: t0 + 600_000 }, "end"],
  ["it is said to run again", over, { runningAt: t0 + 950_000, endedAt: t0 + 600_000 }, undefined],
  ["nothing is said of its end", over, { runningAt: t0, endedAt: undefined }, undefined],
] as const)("%s", (_, run, told, of) => {
  expect(differenceOf("p/m", run, told)?.of).toBe(of);
});

test("many differences are one finding that names some", () => {
  const all = Array.from({ length: 7 }, (_, at) => ({
    machine: `p/m-${at}`,
    of: "end" as const,
    ms: 90_000,
  }));
  const [finding] = findingsOf(all);
  expect(finding?.message).toContain("p/m-0 (end: 90 s)");
  expect(finding?.message).toContain("and 2 more");
  expect(findingsOf([])).toEqual([]);
});

test("a controller that tells otherwise is a finding, changes no run, and passes when it agrees again", async () => {
  const cluster = await startTestCluster();
  installAgents(cluster.server);
  const provider = new KubevirtProvider({
    settings: cluster.settings,
    cluster: cluster.server.cluster(),
    now: Date.now,
    crossCheckEveryMs: 50,
  });
  const call = { signal: new AbortController().signal };
  const findings = async (): Promise<readonly string[]> => {
    const { findings: all = [] } = await provider.info(call);
    return all.map(({ message }) => message).filter((each) => each.includes("differ on when"));
  };
  const patience = { timeout: 60_000, interval: 50 };
  try {
    const spec = sampleSpec();
    await provider.create({ ...call, operationId: "create", owner: spec.owner }, spec);
    const running = await vi.waitFor(async () => {
      const machine = await provider.machine(call, spec.id);
      if (machine?.guest.ready !== true) throw new Error("it is not up");
      return machine;
    }, patience);
    controllerIsLate(cluster.server, 3_600);
    await vi.waitFor(async () => expect(await findings()).toHaveLength(1), patience);
    const now = await provider.machine(call, spec.id);
    expect([now?.powerSince, now?.guest.readyAt]).toEqual([
      running.powerSince,
      running.guest.readyAt,
    ]);
    controllerIsLate(cluster.server, 0);
    await vi.waitFor(async () => expect(await findings()).toEqual([]), patience);
  } finally {
    await provider.close();
    await cluster.close();
  }
});
