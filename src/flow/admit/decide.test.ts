import fc from "fast-check";
import { expect, test } from "vitest";

import { Failure } from "#kernel/failure.ts";
import { fen, parseFen, type Fen } from "#kernel/money.ts";
import type { Shape } from "#kernel/shape.ts";

import { decideAdmission, defaultLimits, overQuota, type Quantities } from "./decide.ts";

const none: Quantities = {
  vcpus: 0,
  memoryMiB: 0,
  diskGiB: 0,
  leases: 0,
  jobs: 0,
  snapshots: 0,
  storageGiB: 0,
  gpus: {},
};

const shape: Shape = {
  flavor: "a100.2",
  vcpus: 16,
  cpu: { sockets: 1, cores: 16, threads: 1 },
  memoryMiB: 1024,
  diskGiB: 10,
  gpu: { model: "A100", count: 2, slice: 1, nvlink: false },
  serviceClass: "core",
  overcommitPercent: 100,
  hugePages: "none",
  hostLabels: {},
  antiAffinity: false,
  tolerations: [],
  pool: null,
  numa: false,
};

function decide(change: Partial<Parameters<typeof decideAdmission>[0]> = {}) {
  return decideAdmission({
    ask: { kind: "lease", shape },
    limits: defaultLimits,
    used: none,
    impossible: undefined,
    hourly: parseFen("36.00"),
    secondsMax: undefined,
    available: parseFen("100.00"),
    ...change,
  });
}

test("what is within limits and paid for is admitted, with the first hour held", () => {
  expect(decide()).toEqual({ admitted: true, hold: 3600n });
});

test("I-DES-01: what the tenant may not have is said first, then what no host has, then what he cannot pay", () => {
  const impossible = new Failure("unplaceable", "No host has so much.", { details: { hosts: 3 } });
  const limits = { ...defaultLimits, gpus: { A100: 1 } };
  const available = parseFen("0.00");
  expect(decide({ limits, impossible, available })).toMatchObject({ code: "quota_exceeded" });
  expect(decide({ impossible, available })).toEqual({
    admitted: false,
    code: "unplaceable",
    message: "No host has so much.",
    details: { hosts: 3 },
  });
  expect(decide({ available })).toMatchObject({ code: "insufficient_credit" });
});

test("a gang is one decision: all members within the limits and paid for, each with a hold, or none", () => {
  const ask = { kind: "job", shape, members: 3 } as const;
  const limits = { ...defaultLimits, gpus: { A100: 6 } };
  const available = parseFen("108.00");
  expect(decide({ ask, limits, available })).toEqual({ admitted: true, hold: 3600n });
  expect(decide({ ask, limits, available: parseFen("107.99") })).toMatchObject({
    code: "insufficient_credit",
    details: { hold: "108.00", hourly: "108.00" },
  });
  expect(decide({ ask: { ...ask, members: 4 }, limits })).toMatchObject({
    code: "quota_exceeded",
    details: { quota: [{ resource: "gpu.A100", limit: 6, used: 0, asked: 8 }] },
  });
});

test("a refusal names each limit that is broken, the use and the ask", () => {
  const limits = { ...defaultLimits, vcpus: 20, gpus: { A100: 1 } };
  const refused = decide({ limits, used: { ...none, vcpus: 8 } });
  expect(refused).toMatchObject({
    admitted: false,
    code: "quota_exceeded",
    message:
      "Over quota: vcpus 8 used + 16 asked > 20; gpu.A100 0 used + 2 asked > 1. Release something, or ask the operator for more.",
    details: {
      quota: [
        { resource: "vcpus", limit: 20, used: 8, asked: 16 },
        { resource: "gpu.A100", limit: 1, used: 0, asked: 2 },
      ],
    },
  });
});

test("up to the limit is not over it; a GPU model without a limit has none to give", () => {
  const exactly = { ...none, vcpus: defaultLimits.vcpus - 16 };
  expect(decide({ used: exactly })).toMatchObject({ admitted: true });
  expect(decide({ used: { ...exactly, vcpus: exactly.vcpus + 1 } })).toMatchObject({
    code: "quota_exceeded",
  });
  expect(decide({ limits: { ...defaultLimits, gpus: {} } })).toMatchObject({
    message: expect.stringContaining("gpu.A100 0 used + 2 asked > 0"),
  });
});

test("jobs and leases count against their own limit", () => {
  const limits = { ...defaultLimits, leases: 0 };
  expect(decide({ limits })).toMatchObject({ code: "quota_exceeded" });
  expect(decide({ limits, ask: { kind: "job", shape } })).toMatchObject({ admitted: true });
});

test("a flavor on request cannot be ordered", () => {
  expect(decide({ hourly: undefined })).toMatchObject({
    admitted: false,
    code: "rule_violation",
    details: { flavor: "a100.2" },
  });
});

test("the hold is the first hour, or the whole run if that is shorter, rounded up", () => {
  expect(decide({ secondsMax: 3600 })).toMatchObject({ hold: 3600n });
  expect(decide({ secondsMax: 1800 })).toMatchObject({ hold: 1800n });
  expect(decide({ secondsMax: 1, hourly: fen(1n) })).toMatchObject({ hold: 1n });
  expect(decide({ secondsMax: 86_400 })).toMatchObject({ hold: 3600n });
});

test("without the money for the hold it is refused, with the numbers", () => {
  expect(decide({ available: fen(3599n) })).toMatchObject({
    code: "insufficient_credit",
    details: { hourly: "36.00", hold: "36.00", available: "35.99" },
  });
  expect(decide({ available: fen(3600n) })).toMatchObject({ admitted: true });
});

test("an empty or overdrawn wallet buys nothing, not even what is free", () => {
  for (const available of [fen(0n), fen(-1n)]) {
    expect(decide({ available, hourly: fen(0n) })).toMatchObject({ code: "insufficient_credit" });
  }
});

test("no admission is over a limit, or holds more than there is", () => {
  const amounts = fc.bigInt({ min: -1000n, max: 10_000n });
  const uses = fc.nat({ max: 100 });
  fc.assert(
    fc.property(amounts, amounts, uses, fc.nat({ max: 100_000 }), (has, costs, vcpus, seconds) => {
      const hourly: Fen = fen(costs < 0n ? -costs : costs);
      const used = { ...none, vcpus };
      const answer = decide({ available: fen(has), hourly, used, secondsMax: seconds + 1 });
      if (!answer.admitted) return;
      expect(answer.hold <= has && answer.hold <= hourly && answer.hold >= 0n).toBe(true);
      expect(overQuota({ ...none, vcpus: shape.vcpus }, defaultLimits, used)).toEqual([]);
    }),
  );
});
