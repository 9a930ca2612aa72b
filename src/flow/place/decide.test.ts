import { expect, test } from "vitest";

import type { Shape } from "#kernel/shape.ts";
import { aDevice as device, aHost as host, aShape as shape, gpus } from "#test/place-states.ts";

import type { PlaceAnswer, PlaceAsk } from "./ask.ts";
import { couldEverFit } from "./decide.ts";
import type { HostState } from "./host-state.ts";
import { Planner } from "./planner.ts";

const gib = 2 ** 30;

const t4 = (slice: number, count = 1): Shape => shape({ gpu: gpus("T4", { count, slice }) });
type Pinned = NonNullable<PlaceAsk["pinned"]>;
const ask = (of: Shape, pinned?: Pinned): PlaceAsk => ({
  tenantId: "me",
  shape: of,
  ...(pinned === undefined ? {} : { pinned }),
});

function place(hosts: readonly HostState[], of: PlaceAsk): PlaceAnswer {
  return new Planner(hosts).place(of);
}

function obstacle(on: HostState, of: Shape, pinned?: Pinned): unknown {
  const answer = place([on], ask(of, pinned));
  return answer.placed ? "placed" : Object.keys(answer.reason.details?.["obstacles"] ?? {})[0];
}

test("what fits is placed, up to the last unit", () => {
  expect(obstacle(host({ milliCpusUsed: 6_000 }), shape())).toBe("placed");
  expect(obstacle(host({ milliCpusUsed: 6_001 }), shape())).toBe("not enough CPU");
  expect(obstacle(host({ memoryBytesUsed: 12 * gib }), shape())).toBe("placed");
  expect(obstacle(host({ memoryBytesUsed: 12 * gib + 1 }), shape())).toBe("not enough memory");
  expect(obstacle(host({ diskBytesUsed: 90 * gib }), shape())).toBe("placed");
  expect(obstacle(host({ diskBytesUsed: 90 * gib + 1 }), shape())).toBe("not enough disk");
});

test("R-CPU-09: overcommit takes less of a CPU, rounded up in the host's favor", () => {
  const shared = shape({ vcpus: 1, overcommitPercent: 150 });
  expect(obstacle(host({ milliCpusUsed: 8_000 - 667 }), shared)).toBe("placed");
  expect(obstacle(host({ milliCpusUsed: 8_000 - 666 }), shared)).toBe("not enough CPU");
});

test("R-MEM-08: huge pages are counted by their size", () => {
  const pages = shape({ hugePages: "1Gi" });
  expect(obstacle(host(), pages)).toBe("not enough huge pages");
  const some = host({ hugePagesMiB: { "2Mi": 0, "1Gi": 8192 } });
  expect(obstacle(some, pages)).toBe("placed");
  const used = { ...some, hugePagesMiBUsed: { "2Mi": 0, "1Gi": 4097 } };
  expect(obstacle(used, pages)).toBe("not enough huge pages");
});

test("R-PROF-08: labels must match, taints be tolerated, and the host take work", () => {
  expect(obstacle(host({ up: false }), shape())).toBe("host is down");
  expect(obstacle(host({ schedulable: false }), shape())).toBe("host takes no new work");
  const labeled = shape({ hostLabels: { disk: "nvme" } });
  expect(obstacle(host(), labeled)).toBe("labels do not match");
  expect(obstacle(host({ labels: { disk: "nvme" } }), labeled)).toBe("placed");
  const tainted = host({ labels: { "taint/database": "true" } });
  expect(obstacle(tainted, shape())).toBe("taint is not tolerated");
  expect(obstacle(tainted, shape({ tolerations: ["database"] }))).toBe("placed");
});

test("R-PROF-02: anti-affinity keeps a tenant's own apart, not those of others", () => {
  const apart = shape({ antiAffinity: true });
  const mine = "another of the tenant's instances is here";
  expect(obstacle(host({ antiAffineTenants: ["me"] }), apart)).toBe(mine);
  expect(obstacle(host({ antiAffineTenants: ["you"] }), apart)).toBe("placed");
  expect(obstacle(host({ antiAffineTenants: ["me"] }), shape())).toBe("placed");
});

test("a stopped lease starts where its disk is, which is held already", () => {
  const full = host({ diskBytesUsed: 100 * gib, schedulable: false });
  expect(obstacle(full, shape(), { hostId: "h1", deviceIds: [] })).toBe("placed");
  expect(obstacle(host(), shape(), { hostId: "h2", deviceIds: [] })).toBe(
    "not the host of its disk",
  );
  expect(obstacle(host({ up: false }), shape(), { hostId: "h1", deviceIds: [] })).toBe(
    "host is down",
  );
});

test("R-GPU-01: a whole device needs one that is free; a model and a size that exist", () => {
  expect(obstacle(host(), t4(1))).toBe("no such GPU");
  expect(obstacle(host({ devices: [device({ model: "A10" })] }), t4(1))).toBe("no such GPU");
  expect(obstacle(host({ devices: [device({ slicesMax: 1 })] }), t4(4))).toBe("no such GPU");
  expect(obstacle(host({ devices: [device()] }), t4(1))).toBe("placed");
  const taken = device({ claims: 1, slice: 4, tenants: ["me"] });
  expect(obstacle(host({ devices: [taken] }), t4(1))).toBe("GPUs are taken");
  expect(obstacle(host({ devices: [device()] }), t4(1, 2))).toBe("no such GPU");
});

test("R-GPU-04: a machine starts again with the device that it was made with, or waits for it", () => {
  const made = { hostId: "h1", deviceIds: ["g1"] };
  const taken = device({ id: "g1", claims: 1, slice: 1, tenants: ["you"] });
  expect(obstacle(host({ devices: [device(), taken] }), t4(1), made)).toBe("GPUs are taken");
  const free = host({ devices: [device(), device({ id: "g1" })] });
  expect(place([free], ask(t4(1), made))).toMatchObject({ placed: true, deviceIds: ["g1"] });
});

test("R-GPU-02: slices of one size fill a device before they open the next", () => {
  const begun = device({ id: "g1", claims: 2, slice: 4, tenants: ["you", "you"] });
  const answer = place([host({ devices: [device(), begun] })], ask(t4(4)));
  expect(answer).toMatchObject({ placed: true, deviceIds: ["g1"] });
  const full = { ...begun, claims: 4 };
  const next = place([host({ devices: [device(), full] })], ask(t4(4)));
  expect(next).toMatchObject({ placed: true, deviceIds: ["g0"] });
  expect(obstacle(host({ devices: [full] }), t4(4))).toBe("GPUs are taken");
  expect(obstacle(host({ devices: [begun] }), t4(2))).toBe("GPUs are taken");
});

test("a soft slice is never beside another tenant's", () => {
  const soft = device({ isolation: "soft", claims: 1, slice: 4, tenants: ["you"] });
  expect(obstacle(host({ devices: [soft] }), t4(4))).toBe("GPUs are taken");
  expect(obstacle(host({ devices: [{ ...soft, tenants: ["me"] }] }), t4(4))).toBe("placed");
});

test("work without a GPU keeps away from GPU hosts while others have room", () => {
  const gpu = host({ id: "gpu", devices: [device()], milliCpusUsed: 6_000 });
  expect(place([gpu, host()], ask(shape()))).toMatchObject({ hostId: "h1" });
  const full = host({ milliCpusUsed: 8_000 });
  expect(place([gpu, full], ask(shape()))).toMatchObject({ hostId: "gpu" });
});

test("hosts are filled one after the other, in their order", () => {
  const planner = new Planner([host({ id: "a" }), host({ id: "b" })]);
  const hostIds = Array.from({ length: 5 }, () => {
    const answer = planner.place(ask(shape()));
    return answer.placed ? answer.hostId : undefined;
  });
  expect(hostIds).toEqual(["a", "a", "a", "a", "b"]);
});

test("a refusal counts each obstacle, with the numbers asked", () => {
  const hosts = [
    host({ id: "a", up: false }),
    host({ id: "b", milliCpusUsed: 8_000 }),
    host({ id: "c", milliCpusUsed: 8_000 }),
  ];
  const answer = place(hosts, ask(t4(4)));
  expect(answer).toMatchObject({
    placed: false,
    reason: { code: "no_host_fits", details: { hosts: 3 } },
  });
  const plain = place(hosts, ask(shape()));
  expect(plain.placed ? "" : plain.reason.message).toBe(
    "No host fits 2 vCPU, 4096 MiB, 10 GiB disk: of 3 hosts, not enough CPU on 2, host is down on 1. The nearest lacks 2 CPU.",
  );
  const none = place([], ask(shape()));
  expect(none.placed ? "" : none.reason.message).toContain("There is no host yet");
});

test("what could fit on an empty host may wait; what never could is refused", () => {
  const full = host({ milliCpusUsed: 8_000, up: false, schedulable: false });
  expect(couldEverFit([full], ask(shape())).placed).toBe(true);
  const giant = shape({ vcpus: 9 });
  expect(couldEverFit([full], ask(giant)).placed).toBe(false);
  expect(couldEverFit([full], ask(shape({ hugePages: "1Gi" }))).placed).toBe(false);
  const pages = host({
    hugePagesMiB: { "2Mi": 4096, "1Gi": 0 },
    hugePagesMiBUsed: { "2Mi": 4096, "1Gi": 0 },
  });
  expect(couldEverFit([pages], ask(shape({ hugePages: "2Mi" }))).placed).toBe(true);
  expect(
    couldEverFit([host({ devices: [device({ claims: 1, slice: 1 })] })], ask(t4(1))).placed,
  ).toBe(true);
});
