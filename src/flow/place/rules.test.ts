/** The rules of placement, one by one: whom a host is for, and which of its devices. */
import { describe, expect, test } from "vitest";

import type { Shape } from "#kernel/shape.ts";
import { aDevice, aHost, aPool, aShape, gpus } from "#test/place-states.ts";

import type { PlaceAnswer, PlaceAsk } from "./ask.ts";
import type { DeviceState, HostState } from "./host-state.ts";
import { Planner } from "./planner.ts";

const gib = 2 ** 30;

function ask(shape: Partial<Shape> = {}, change: Partial<PlaceAsk> = {}): PlaceAsk {
  return { tenantId: "ann", shape: aShape(shape), ...change };
}

/** The host, or the obstacles with their counts. */
function outcome(answer: PlaceAnswer): unknown {
  return answer.placed ? answer.hostId : answer.reason.details?.["obstacles"];
}

function where(hosts: readonly HostState[], of: PlaceAsk): unknown {
  return outcome(new Planner(hosts).place(of));
}

function t4s(count: number, change: Partial<DeviceState> = {}): DeviceState[] {
  return Array.from({ length: count }, (_, i) => aDevice({ id: `g${i}`, ...change }));
}

function inPool(pool: HostState["pool"]): HostState[] {
  return [aHost({ pool, devices: t4s(1) })];
}

/** For the host of that number, with a device of that model. */
function forHost(host: number, model = host): PlaceAsk {
  return ask({
    hostLabels: { name: `n${host}` },
    tolerations: [`t${host}`],
    gpu: gpus(`M${model}`),
  });
}

describe("whom hosts are for", () => {
  test("S-15: labels are required, taints tolerated, affinity and its opposite name hosts", () => {
    const hosts = [
      aHost({ id: "nvme", labels: { disk: "nvme" } }),
      aHost({ id: "tainted", labels: { disk: "ssd", "taint/drain": "yes" } }),
      aHost({ id: "plain" }),
    ];
    expect(where(hosts, ask())).toBe("nvme");
    expect(where(hosts, ask({ hostLabels: { disk: "ssd" } }))).toEqual({
      "labels do not match": 2,
      "taint is not tolerated": 1,
    });
    const tolerant = { hostLabels: { disk: "ssd" }, tolerations: ["drain"] };
    expect(where(hosts, ask(tolerant))).toBe("tainted");
    expect(where(hosts, ask({}, { not: ["nvme"] }))).toBe("plain");
    expect(where(hosts, ask({}, { only: ["plain", "nvme"], not: ["nvme"] }))).toBe("plain");
    expect(where(hosts, ask({}, { only: ["tainted"] }))).toEqual({
      "ruled out by affinity": 2,
      "taint is not tolerated": 1,
    });
    expect(new Planner(hosts).place(ask({}, { only: ["plain"], not: ["plain"] }))).toMatchObject({
      reason: { code: "senseless" },
    });
  });

  test("S-15: any number of labels, taints and GPU models is told apart, also when they change", () => {
    const hosts = Array.from({ length: 100 }, (_, i) =>
      aHost({
        id: `h${i}`,
        labels: { name: `n${i}`, [`taint/t${i}`]: "yes" },
        devices: t4s(1, { model: `M${i}` }),
      }),
    );
    const planner = new Planner(hosts);
    for (const i of [0, 31, 32, 99]) expect(outcome(planner.place(forHost(i)))).toBe(`h${i}`);
    expect(outcome(planner.place(forHost(40, 41)))).toMatchObject({ "no such GPU": 1 });
    const renamed = hosts.map((host, i) => ({ ...host, labels: { name: `n${(i + 1) % 100}` } }));
    planner.refresh(renamed);
    expect(outcome(planner.place(forHost(32, 31)))).toBe("h31");
  });

  test("R-PROF-02: training machines of one tenant keep off each other's hosts, not those of others", () => {
    const planner = new Planner([aHost({ id: "a" }), aHost({ id: "b" })]);
    const training = ask({ antiAffinity: true });
    const first = planner.place(training);
    expect(outcome(first)).toBe("a");
    expect(outcome(planner.place(training))).toBe("b");
    expect(outcome(planner.place(training))).toEqual({
      "another of the tenant's instances is here": 2,
    });
    expect(outcome(planner.place({ ...training, tenantId: "bob" }))).toBe("a");
    expect(first.placed && planner.release(first)).toBe(true);
    expect(outcome(planner.place(training))).toBe("a");
  });

  test("R-PROF-08: database hosts take databases only, and databases go nowhere else", () => {
    const dedicated = { role: "database", "taint/database": "true" };
    const hosts = [aHost({ id: "db", labels: dedicated }), aHost({ id: "other" })];
    const database = ask({ hostLabels: { role: "database" }, tolerations: ["database"] });
    expect(where(hosts, database)).toBe("db");
    expect(where(hosts, ask())).toBe("other");
    expect(where(hosts.slice(1), database)).toEqual({ "labels do not match": 1 });
  });

  test("I-DES-02: core work is strict and alone in its pool, standard work is oversold as its flavor says", () => {
    const hosts = [
      aHost({ id: "core", pool: aPool({ id: "c", name: "core", serviceClass: "core" }) }),
      aHost({ id: "std", pool: aPool({ id: "s", name: "std", serviceClass: "standard" }) }),
    ];
    const planner = new Planner(hosts);
    const fill = (of: PlaceAsk): number => {
      let count = 0;
      while (planner.place(of).placed) count += 1;
      return count;
    };
    // Eight CPUs each: eight vCPUs of class core, twelve oversold 1:1.5.
    expect(fill(ask({ serviceClass: "core", vcpus: 1, memoryMiB: 64, diskGiB: 1 }))).toBe(8);
    const relaxed = { vcpus: 1, memoryMiB: 64, diskGiB: 1, overcommitPercent: 150 };
    expect(fill(ask(relaxed))).toBe(11);
    const refused = planner.place(ask({ serviceClass: "core", overcommitPercent: 150 }));
    expect(refused).toMatchObject({ reason: { code: "senseless" } });
  });

  test("R-POOL-01: a dedicated pool is its tenants' first place and nobody else's", () => {
    const mine = aPool({ id: "m", name: "mine", tenantIds: ["ann"] });
    const hosts = [aHost({ id: "open" }), aHost({ id: "mine", pool: mine })];
    expect(where(hosts, ask())).toBe("mine");
    expect(where(hosts, ask({}, { tenantId: "bob" }))).toBe("open");
    expect(where(hosts.slice(1), ask({}, { tenantId: "bob" }))).toEqual({
      "pool is dedicated to others": 1,
    });
    expect(where(hosts, ask({ pool: "elsewhere" }))).toEqual({
      "outside the pool that is asked for": 2,
    });
  });

  test("R-POOL-02, R-POOL-03, R-POOL-04: an exclusive pool cuts nothing, a shared one as far as it says, an edge pool waits to be named", () => {
    const quarter = ask({ gpu: gpus("T4", { slice: 4 }) });
    const half = ask({ gpu: gpus("T4", { slice: 2 }) });
    const exclusive = inPool(aPool({ policy: "exclusive", slicesMax: 1 }));
    expect(where(exclusive, half)).toEqual({ "pool does not cut GPUs that far": 1 });
    expect(where(exclusive, ask({ gpu: gpus("T4") }))).toBe("h1");
    const shared = inPool(aPool({ slicesMax: 2 }));
    expect(where(shared, quarter)).toEqual({ "pool does not cut GPUs that far": 1 });
    expect(where(shared, half)).toBe("h1");
    const edge = inPool(aPool({ name: "edge", policy: "edge" }));
    expect(where(edge, quarter)).toEqual({ "edge pool, only for work that names it": 1 });
    expect(where(edge, ask({ ...quarter.shape, pool: "edge" }))).toBe("h1");
  });

  test("R-POOL-05: the reserve of a pool is for work after a fault, whichever of its hosts it is on", () => {
    const pool = aPool({ serviceClass: "core", reservePercent: 20 });
    const hosts = Array.from({ length: 5 }, (_, i) =>
      aHost({ id: `h${i}`, pool, devices: t4s(1) }),
    );
    const planner = new Planner(hosts);
    const whole = ask({ serviceClass: "core", gpu: gpus("T4") });
    for (let i = 0; i < 4; i += 1) expect(planner.place(whole).placed).toBe(true);
    const refused = planner.place(whole);
    expect(outcome(refused)).toEqual({
      "GPUs are taken": 4,
      "the rest of the pool is kept for faults": 1,
    });
    const after = planner.place({ ...whole, afterFault: true });
    expect(after.placed).toBe(true);
    expect(after.placed && planner.release(after)).toBe(true);
    // A host that is lost takes its part of the reserve with it.
    planner.refresh(hosts.slice(1));
    for (let i = 0; i < 3; i += 1) expect(planner.place(whole).placed).toBe(true);
    expect(planner.place(whole).placed).toBe(false);
  });

  test("spread and pack are the pool's: one host after the other, or one until it is full", () => {
    for (const [spread, used] of [
      [true, 3],
      [false, 1],
    ] as const) {
      const pool = aPool({ spread });
      const planner = new Planner([0, 1, 2].map((i) => aHost({ id: `h${i}`, pool })));
      expect(new Set([0, 1, 2].map(() => outcome(planner.place(ask())))).size).toBe(used);
    }
  });
});

describe("devices", () => {
  test("R-GPU-11: GPUs that are to be linked come from one NVLink group, the smallest that has them", () => {
    const groups = ["a", "a", "b", "b", "b", "b", null, null];
    const host = aHost({
      milliCpus: 64_000,
      devices: groups.map((nvlinkGroup, i) => aDevice({ id: `g${i}`, nvlinkGroup })),
    });
    const planner = new Planner([host]);
    const linked = (count: number): PlaceAsk => ask({ gpu: gpus("T4", { count, nvlink: true }) });
    expect(planner.place(linked(5))).toMatchObject({ placed: false });
    expect(planner.place(linked(2))).toMatchObject({ deviceIds: ["g0", "g1"] });
    expect(planner.place(linked(3))).toMatchObject({ deviceIds: ["g2", "g3", "g4"] });
    // Three are free, and no two of them are linked.
    expect(outcome(planner.place(linked(2)))).toEqual({ "no NVLink group has room": 1 });
    expect(planner.place(ask({ gpu: gpus("T4", { count: 3 }) })).placed).toBe(true);
  });

  test("a machine for one NUMA node has its CPUs, memory and GPUs there", () => {
    const node = { milliCpus: 4_000, memoryBytes: 8 * gib, milliCpusUsed: 0, memoryBytesUsed: 0 };
    const host = aHost({
      numaNodes: [{ ...node, milliCpusUsed: 2_500 }, node],
      milliCpusUsed: 2_500,
      devices: [0, 0, 0, 1].map((numaNode, i) => aDevice({ id: `g${i}`, numaNode })),
    });
    const bound = (count: number, vcpus: number): PlaceAsk =>
      ask({ vcpus, numa: true, gpu: gpus("T4", { count }) });
    const planner = new Planner([host]);
    expect(outcome(planner.place(bound(2, 2)))).toEqual({ "no NUMA node has room": 1 });
    expect(planner.place(bound(1, 2))).toMatchObject({ numaNode: 1, deviceIds: ["g3"] });
    expect(planner.place(bound(1, 1))).toMatchObject({ numaNode: 0, deviceIds: ["g0"] });
    expect(outcome(planner.place(bound(1, 1)))).toEqual({ "no NUMA node has room": 1 });
    // Who is bound to none takes what the host has; where nodes are not known there is one.
    expect(planner.place(ask({ vcpus: 2 }))).toMatchObject({ placed: true, numaNode: null });
    expect(new Planner([aHost()]).place(ask({ numa: true }))).toMatchObject({ numaNode: null });
  });

  test("R-GPU-09: a softly isolated device serves one tenant, a sick one nobody new", () => {
    const soft = t4s(1, { isolation: "soft", mode: "shared" });
    const planner = new Planner([aHost({ devices: soft })]);
    const half = ask({ gpu: gpus("T4", { slice: 2 }) });
    const first = planner.place(half);
    expect(outcome(planner.place({ ...half, tenantId: "bob" }))).toEqual({ "GPUs are taken": 1 });
    expect(planner.place(half).placed).toBe(true);
    expect(first.placed && planner.release(first)).toBe(true);
    expect(planner.place({ ...half, tenantId: "bob" }).placed).toBe(false);
    expect(where([aHost({ devices: t4s(1, { healthy: false }) })], half)).toEqual({
      "GPU is not healthy": 1,
    });
  });

  test("a host may have more devices than most", () => {
    const big = aHost({ milliCpus: 640_000, memoryBytes: 900 * gib, devices: t4s(40) });
    const planner = new Planner([aHost({ id: "h0", devices: t4s(1) }), big]);
    const twenty = ask({ gpu: gpus("T4", { count: 20 }) });
    expect(outcome(planner.place(twenty))).toBe("h1");
    expect(outcome(planner.place(twenty))).toBe("h1");
    expect(planner.place(twenty).placed).toBe(false);
    expect(planner.place(ask({ gpu: gpus("T4") }))).toMatchObject({ hostId: "h0" });
  });
});
