/** Jobs: how they end, their log and their results. Ends are billed differently, so they differ. */
import type { Readable } from "node:stream";
import { expect } from "vitest";

import type { Machine, WorkloadSpec } from "#providers/provider.ts";

import { job, type Bench } from "./rig.ts";
import type { Check } from "./record.ts";

const lines = 40;

/** Prints half of its lines, waits long enough for a reader to be in the middle, and goes on. */
const talkative =
  `i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo "line $i of ${lines}"; ` +
  `[ $i -eq ${lines / 2} ] && sleep 1; done; `;

export const workloadChecks: readonly Check[] = [
  {
    id: "workload-exit",
    title: "runs a workload, tells its exit code, keeps its log and its results",
    run: async (bench) => {
      const results = bench.rig.resultsDirectory ?? "results";
      const script = `${talkative} mkdir -p ${results}; echo 42 > ${results}/answer.txt; exit 3`;
      const simulate = { SIMULATE_SECONDS: "0.2", SIMULATE_EXIT: "3", SIMULATE_LINES: `${lines}` };
      const machine = await start(bench, job(script, simulate));
      if (machine === undefined) return;
      if (machine.workload?.state !== "ended") {
        const early = bench.provider.workloadResults(bench.read, machine.id);
        expect((await bench.rejection(early)).effect).toBe("none");
      }
      const live = await follow(bench, machine.id, 37);
      const { workload } = await bench.machine(machine.id);
      expect(workload?.end).toEqual({ kind: "exited", exitCode: 3 });
      expect(workload?.endedAt).toBeGreaterThanOrEqual(workload?.startedAt ?? Infinity);

      const whole = await logFrom(bench, machine.id, 0, 1024 * 1024);
      expect(live.toString()).toBe(whole.toString());
      expect(workload?.logBytes).toBe(whole.byteLength);
      expect(await logFrom(bench, machine.id, whole.byteLength, 100)).toHaveLength(0);
      expect(await logFrom(bench, machine.id, whole.byteLength + 1000, 100)).toHaveLength(0);
      expect(await logFrom(bench, machine.id, 5, 7)).toEqual(whole.subarray(5, 12));
      expectEveryLineOnce(whole);

      const archive = await bytesOf(await bench.provider.workloadResults(bench.read, machine.id));
      expect(archive.byteLength % 512).toBe(0);
      expect(archive.toString("latin1", 257, 262)).toBe("ustar");
      await expectHonest(bench, whole, archive);
      await bench.remove(machine.id);
    },
  },
  {
    id: "workload-signal",
    title: "tells a workload that a signal ended",
    run: (bench) =>
      endsAs(bench, job("kill -KILL $$", { SIMULATE_SIGNAL: "SIGKILL", SIMULATE_SECONDS: "0" }), {
        kind: "signaled",
        signal: "SIGKILL",
      }),
  },
  {
    id: "workload-timeout",
    title: "ends a workload at its time limit and says so",
    run: (bench) =>
      endsAs(bench, job("sleep 60", { SIMULATE_SECONDS: "60" }, { timeLimitSeconds: 1 }), {
        kind: "timed_out",
      }),
  },
  {
    id: "workload-interrupt",
    title: "lets a workload save its work before it ends it, and says that it was interrupted",
    run: async (bench) => {
      const results = bench.rig.resultsDirectory ?? "results";
      const save = `mkdir -p ${results}/checkpoint; echo 17 > ${results}/checkpoint/step`;
      const workload = job("echo on; sleep 60", { SIMULATE_SECONDS: "60" });
      const machine = await start(bench, { ...workload, checkpoint: ["sh", "-c", save] });
      if (machine === undefined) return;
      await bench.until("the workload runs", bench.rig.timings.readyMs, async () =>
        (await bench.machine(machine.id)).workload?.state === "running" ? true : undefined,
      );
      const how = { to: "end", graceSeconds: 30 } as const;
      await bench.done(await bench.provider.interrupt(bench.call(), machine.id, how));
      const ended = await bench.workloadEnded(machine.id);
      expect(ended.workload?.end).toEqual({ kind: "interrupted" });
      const archive = await bytesOf(await bench.provider.workloadResults(bench.read, machine.id));
      expect(archive.toString("latin1")).toContain("checkpoint/");
      // Too late for an end that has been.
      await bench.done(await bench.provider.interrupt(bench.call(), machine.id, how));
      await bench.remove(machine.id);
    },
  },
  {
    id: "workload-log-limit",
    title: "keeps no more of a log than it was told to",
    run: async (bench) => {
      const simulate = { SIMULATE_SECONDS: "0", SIMULATE_LINES: "100" };
      const script = 'i=0; while [ $i -lt 1000 ]; do i=$((i+1)); echo "line $i"; done';
      const machine = await start(bench, job(script, simulate, { logBytesMax: 500 }));
      if (machine === undefined) return;
      const ended = await bench.workloadEnded(machine.id);
      expect(ended.workload?.end).toEqual({ kind: "exited", exitCode: 0 });
      const log = await logFrom(bench, machine.id, 0, 10_000);
      expect(log.byteLength).toBeGreaterThan(0);
      expect(log.byteLength).toBeLessThanOrEqual(500);
      expect(ended.workload?.logBytes).toBe(log.byteLength);
      await bench.remove(machine.id);
    },
  },
  {
    id: "workload-log-restart",
    title: "goes on with the log after a restart of the driver, nothing lost or said twice",
    run: async (bench) => {
      const simulate = { SIMULATE_SECONDS: "0.5", SIMULATE_LINES: `${lines}` };
      const machine = await start(bench, job(talkative, simulate));
      if (machine === undefined) return;
      const before = await bench.until("the first line is there", bench.rig.timings.readyMs, () =>
        logFrom(bench, machine.id, 0, 50).then((log) => (log.byteLength > 0 ? log : undefined)),
      );
      await bench.restart();
      const after = await follow(bench, machine.id, 100, before.byteLength);
      const read = Buffer.concat([before, after]);
      expectEveryLineOnce(read);
      const whole = await logFrom(bench, machine.id, 0, 1024 * 1024);
      expect(read.toString()).toBe(whole.toString());
      await bench.remove(machine.id);
    },
  },
  {
    id: "workload-crash",
    title: "calls a workload whose machine crashed a fault of the platform",
    run: async (bench) => {
      const { crash } = bench.rig;
      const machine = await start(bench, job("echo on; sleep 60", { SIMULATE_SECONDS: "60" }));
      if (machine === undefined) return;
      if (crash === undefined) {
        bench.because = "this test cannot kill a machine of this platform";
        return;
      }
      await bench.until("the workload runs", bench.rig.timings.readyMs, async () =>
        (await bench.machine(machine.id)).workload?.state === "running" ? true : undefined,
      );
      await crash(machine.id);
      const ended = await bench.workloadEnded(machine.id);
      expect(ended.workload?.end?.kind).toBe("platform_fault");
      await bench.remove(machine.id);
    },
  },
];

/** A machine with the workload; undefined if the platform runs none and refused as it should. */
async function start(bench: Bench, workload: WorkloadSpec): Promise<Machine | undefined> {
  const { capabilities } = await bench.provider.info(bench.read);
  const spec = bench.spec({ workload });
  const create = () => bench.provider.create(bench.call(), spec);
  if (!(await bench.can(capabilities.workloads, create))) return undefined;
  await bench.done(await create());
  return bench.machine(spec.id);
}

async function endsAs(bench: Bench, workload: WorkloadSpec, end: unknown): Promise<void> {
  const machine = await start(bench, workload);
  if (machine === undefined) return;
  expect((await bench.workloadEnded(machine.id)).workload?.end).toEqual(end);
  await bench.remove(machine.id);
}

/** Reads a log in small pieces while it is written, as `logs -f` does, until the workload ended. */
async function follow(bench: Bench, id: string, bytesMax: number, from = 0): Promise<Buffer> {
  const { readyMs, operationMs } = bench.rig.timings;
  const pieces: Buffer[] = [];
  let offset = from;
  return bench.until("the log has ended", readyMs + operationMs, async () => {
    // Asked first: what an ended workload has not logged by then, it never will.
    const ended = (await bench.machine(id)).workload?.state === "ended";
    for (;;) {
      const piece = await logFrom(bench, id, offset, bytesMax);
      expect(piece.byteLength).toBeLessThanOrEqual(bytesMax);
      if (piece.byteLength === 0) return ended ? Buffer.concat(pieces) : undefined;
      pieces.push(piece);
      offset += piece.byteLength;
    }
  });
}

function logFrom(bench: Bench, id: string, offset: number, bytesMax: number): Promise<Buffer> {
  return bench.provider.workloadLog(bench.read, id, { offset, bytesMax });
}

function expectEveryLineOnce(log: Buffer): void {
  const numbers = [...log.toString().matchAll(/line ([0-9]+) of/g)].map((match) => match[1]);
  expect(numbers).toEqual(Array.from({ length: lines }, (_, index) => `${index + 1}`));
}

/** What runs really shows its work; what is simulated says so. */
async function expectHonest(bench: Bench, log: Buffer, archive: Buffer): Promise<void> {
  const { execution } = await bench.provider.info(bench.read);
  if (execution === "simulated") {
    expect(log.toString()).toMatch(/^(\[simulated\] .*\n)+$/);
    expect(archive.toString("latin1")).toContain("[simulated]");
  } else {
    expect(log.toString()).toMatch(/^line 1 of/);
    expect(archive.toString("latin1")).toContain("answer.txt");
  }
}

async function bytesOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) throw new Error("results are bytes");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
