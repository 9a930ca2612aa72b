import fc from "fast-check";
import { expect, test } from "vitest";

import type { Shape } from "#kernel/shape.ts";

import { meter, type MeterChange, type MeteredTransition, type OpenInterval } from "./decide.ts";

function shape(vcpus: number, diskGiB = 10, gpu: Shape["gpu"] = null): Shape {
  return {
    flavor: "test",
    vcpus,
    cpu: { sockets: 1, cores: vcpus, threads: 1 },
    memoryMiB: 1536,
    diskGiB,
    gpu,
    serviceClass: "standard",
    overcommitPercent: 100,
    hugePages: "none",
    hostLabels: {},
    antiAffinity: false,
    tolerations: [],
    pool: null,
    numa: false,
  };
}

type Kind = MeteredTransition["kind"];

function at(
  seq: number,
  kind: Kind,
  ms: number,
  change: Partial<MeteredTransition> = {},
): MeteredTransition {
  return { seq, at: ms, kind, shape: shape(2), evidence: {}, ...change };
}

interface Interval {
  readonly sku: string;
  readonly units: bigint;
  readonly from: number;
  readonly until: number | undefined;
  readonly reason: string | undefined;
  readonly billable: boolean;
}

/** What the rows would be after these changes. */
function rowsOf(changes: readonly MeterChange[]): Interval[] {
  const rows: Interval[] = [];
  for (const change of changes) {
    if (change.change === "open") {
      const { sku, units, startedAt } = change.interval;
      const open = { until: undefined, reason: undefined, billable: true };
      rows.push({ sku, units, from: startedAt, ...open });
      continue;
    }
    const index = rows.findIndex((row) => row.sku === change.sku && row.until === undefined);
    const row = rows[index];
    if (row === undefined) throw new Error(`closes ${change.sku}, which is not open`);
    const { endedAt: until, endReason: reason, billable } = change;
    rows[index] = { ...row, until, reason, billable };
  }
  return rows;
}

function lines(rows: readonly Interval[]): string[] {
  return rows.map(({ sku, units, from, until }) => `${sku} ${units} ${from}-${until ?? ""}`);
}

test("a lease holds its disk from made to gone, and compute from ready to stopped", () => {
  const life = [
    at(1, "created", 0),
    at(2, "ready", 10),
    at(3, "stopped", 20),
    at(4, "ready", 30),
    at(5, "stopped", 40),
    at(6, "deleted", 50),
  ];
  expect(lines(rowsOf(meter("lease", [], life)))).toEqual([
    "storage 10737418240 0-50",
    "cpu.core 2 10-20",
    "mem.gib 3 10-20",
    "cpu.core 2 30-40",
    "mem.gib 3 30-40",
  ]);
});

test("R-PAYG-3: an attempt of a job holds compute while its program runs, and no storage", () => {
  const life = [
    at(1, "created", 0),
    at(2, "ready", 10),
    at(3, "workload_started", 15),
    at(4, "workload_ended", 25, { evidence: { end: { kind: "exited", exitCode: 1 } } }),
    at(5, "stopped", 30),
    at(6, "deleted", 40),
  ];
  const rows = rowsOf(meter("job", [], life));
  expect(lines(rows)).toEqual(["cpu.core 2 15-25", "mem.gib 3 15-25"]);
  expect(rows[0]).toMatchObject({ reason: "exited", billable: true });
});

test.each([
  ["a fault of the platform", { end: { kind: "platform_fault", detail: "" } }, false],
  ["a lost machine", { reason: "lost" }, false],
  ["a time limit", { end: { kind: "timed_out" } }, true],
  ["a signal", { end: { kind: "signaled", signal: "SIGKILL" } }, true],
  ["a cancel", { end: { kind: "canceled" } }, true],
])("R-PAYG-7: an attempt that ended by %s is billable or not", (_by, evidence, billable) => {
  const life = [at(1, "workload_started", 15), at(2, "workload_ended", 25, { evidence })];
  expect(rowsOf(meter("job", [], life)).map((row) => row.billable)).toEqual([billable, billable]);
});

test("a crash of a lease is billed up to the crash", () => {
  const life = [at(1, "ready", 0), at(2, "stopped", 9, { evidence: { reason: "crashed" } })];
  expect(rowsOf(meter("lease", [], life))[0]).toMatchObject({ reason: "crashed", billable: true });
});

test("a resize splits exactly what changed, at its moment", () => {
  const bigger = shape(4, 20);
  const life = [
    at(1, "created", 0),
    at(2, "ready", 10),
    at(3, "resized", 20, { shape: bigger }),
    at(4, "stopped", 30, { shape: bigger }),
    at(5, "deleted", 40, { shape: bigger }),
  ];
  expect(lines(rowsOf(meter("lease", [], life)))).toEqual([
    "storage 10737418240 0-20",
    "cpu.core 2 10-20",
    "mem.gib 3 10-30",
    "cpu.core 4 20-30",
    "storage 21474836480 20-40",
  ]);
});

test("a resize of a stopped lease changes its disk only", () => {
  const life = [at(1, "created", 0), at(2, "resized", 20, { shape: shape(8, 30) })];
  expect(lines(rowsOf(meter("lease", [], life)))).toEqual([
    "storage 10737418240 0-20",
    "storage 32212254720 20-",
  ]);
});

test("R-PAYG-8: a slice of a GPU is its share", () => {
  const gpu = { model: "T4", count: 1, slice: 4, nvlink: false };
  const [opened] = meter("lease", [], [at(1, "ready", 0, { shape: shape(2, 10, gpu) })]);
  expect(opened).toMatchObject({ interval: { sku: "gpu.T4", units: 1n, slice: 4n } });
});

/** Lives as the reconciler can write them: any order of what may follow, instants that may repeat. */
const lives = fc
  .array(
    fc.record({ step: fc.nat({ max: 5 }), gap: fc.nat({ max: 3 }), vcpus: fc.constantFrom(1, 2) }),
    {
      maxLength: 30,
    },
  )
  .map((moves) => {
    const life: MeteredTransition[] = [];
    let [ms, ready, created, vcpus] = [0, false, false, 2];
    const push = (kind: Kind): void => {
      life.push(at(life.length + 1, kind, ms, { shape: shape(vcpus) }));
    };
    for (const move of moves) {
      ms += move.gap;
      if (!created) {
        created = true;
        push("created");
      } else if (move.step === 5) {
        vcpus = move.vcpus;
        push("resized");
      } else {
        push(ready ? "stopped" : "ready");
        ready = !ready;
      }
    }
    ms += 1;
    if (ready) push("stopped");
    if (created) push("deleted");
    return life;
  });

test("usage is counted once: no overlap, no gap while ready, nothing after the end", () => {
  fc.assert(
    fc.property(lives, (life) => {
      const rows = rowsOf(meter("lease", [], life));
      const end = life.at(-1)?.at ?? 0;
      for (const row of rows) {
        expect(row.until).toBeDefined();
        expect(row.until).toBeLessThanOrEqual(end);
        expect(row.from).toBeLessThanOrEqual(row.until ?? 0);
      }
      expect(total(rows, "cpu.core")).toBe(readyCpuTime(life));
      for (const sku of new Set(rows.map((row) => row.sku))) {
        const ofSku = rows.filter((row) => row.sku === sku);
        for (const [index, row] of ofSku.slice(1).entries()) {
          expect(row.from).toBeGreaterThanOrEqual(ofSku[index]?.until ?? Infinity);
        }
      }
    }),
  );
});

test("metered in any pieces, the intervals are the same", () => {
  fc.assert(
    fc.property(lives, fc.array(fc.nat({ max: 30 })), (life, cuts) => {
      const changes: MeterChange[] = [];
      let open: readonly OpenInterval[] = [];
      const edges = [0, ...cuts.map((cut) => Math.min(cut, life.length)), life.length];
      const sorted = edges.toSorted((a, b) => a - b);
      for (const [index, from] of sorted.slice(0, -1).entries()) {
        const piece = meter("lease", open, life.slice(from, sorted[index + 1]));
        changes.push(...piece);
        open = stillOpen(open, piece);
      }
      expect(changes).toEqual(meter("lease", [], life));
    }),
  );
});

function stillOpen(
  open: readonly OpenInterval[],
  changes: readonly MeterChange[],
): readonly OpenInterval[] {
  let left = [...open];
  for (const change of changes) {
    if (change.change === "open") left.push(change.interval);
    else left = left.filter(({ sku }) => sku !== change.sku);
  }
  return left;
}

function total(rows: readonly Interval[], sku: string): number {
  return rows
    .filter((row) => row.sku === sku)
    .reduce((sum, row) => sum + Number(row.units) * ((row.until ?? 0) - row.from), 0);
}

function readyCpuTime(life: readonly MeteredTransition[]): number {
  let sum = 0;
  let [ready, since, vcpus] = [false, 0, 2];
  for (const each of life) {
    if (ready) sum += vcpus * (each.at - since);
    since = each.at;
    if (each.kind === "ready") ready = true;
    if (each.kind === "stopped" || each.kind === "deleted") ready = false;
    vcpus = each.shape.vcpus;
  }
  return sum;
}
