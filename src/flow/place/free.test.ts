import fc from "fast-check";
import { expect, test } from "vitest";

import type { Shape } from "#kernel/shape.ts";

import type { HostState } from "./decide.ts";
import { howManyFit, withPlaced } from "./free.ts";

const gib = 2 ** 30;

const empty: HostState = {
  id: "h1",
  name: "h1",
  up: true,
  schedulable: true,
  milliCpus: 8_000,
  memoryBytes: 16 * gib,
  diskBytes: 100 * gib,
  milliCpusUsed: 0,
  memoryBytesUsed: 0,
  diskBytesUsed: 0,
  hugePagesMiB: { "2Mi": 4096, "1Gi": 0 },
  hugePagesMiBUsed: { "2Mi": 0, "1Gi": 0 },
  labels: {},
  devices: [
    {
      id: "g0",
      model: "T4",
      isolation: "hard",
      slicesMax: 4,
      slice: 0,
      claims: 0,
      tenants: [],
    },
    {
      id: "g1",
      model: "T4",
      isolation: "soft",
      slicesMax: 4,
      slice: 0,
      claims: 0,
      tenants: [],
    },
  ],
  antiAffineTenants: [],
};

function shape(change: Partial<Shape> = {}): Shape {
  return {
    flavor: "test",
    vcpus: 1,
    cpu: { sockets: 1, cores: 1, threads: 1 },
    memoryMiB: 1024,
    diskGiB: 1,
    gpu: null,
    serviceClass: "standard",
    overcommitPercent: 100,
    hugePages: "none",
    hostLabels: {},
    antiAffinity: false,
    tolerations: [],
    ...change,
  };
}

test("counts until the first resource is used up", () => {
  expect(howManyFit([empty], { tenantId: "me", shape: shape() })).toEqual({
    count: 8,
    hostIds: ["h1"],
    isolation: "none",
  });
  expect(howManyFit([empty], { tenantId: "me", shape: shape({ memoryMiB: 8192 }) }).count).toBe(2);
  expect(howManyFit([empty], { tenantId: "me", shape: shape({ hugePages: "2Mi" }) }).count).toBe(4);
  expect(howManyFit([empty], { tenantId: "me", shape: shape({ antiAffinity: true }) }).count).toBe(
    1,
  );
  expect(howManyFit([], { tenantId: "me", shape: shape() }).count).toBe(0);
});

test("R-GPU-02: slices and whole devices, and how they are kept apart", () => {
  const quarter = shape({ gpu: { model: "T4", count: 1, slice: 4 } });
  expect(howManyFit([empty], { tenantId: "me", shape: quarter })).toMatchObject({
    count: 8,
    isolation: "soft",
  });
  const whole = shape({ gpu: { model: "T4", count: 1, slice: 1 } });
  expect(howManyFit([empty], { tenantId: "me", shape: whole }).count).toBe(2);
});

test("as many as are said to fit do, and never one more", () => {
  const asks = fc.record({
    vcpus: fc.integer({ min: 1, max: 5 }),
    memoryMiB: fc.integer({ min: 256, max: 9000 }),
    diskGiB: fc.integer({ min: 1, max: 60 }),
    slice: fc.constantFrom(0, 1, 2, 4),
    overcommitPercent: fc.integer({ min: 100, max: 150 }),
  });
  fc.assert(
    fc.property(asks, ({ slice, ...sizes }) => {
      const of = shape({ ...sizes, gpu: slice === 0 ? null : { model: "T4", count: 1, slice } });
      const ask = { tenantId: "me", shape: of };
      const { count } = howManyFit([empty], ask);
      let host = empty;
      for (let placed = 0; placed < count; placed += 1) {
        const free = host.devices.find((each) => each.claims < Math.max(1, slice));
        host = withPlaced(host, ask, slice === 0 || free === undefined ? [] : [free.id]);
      }
      expect(host.milliCpusUsed).toBeLessThanOrEqual(host.milliCpus);
      expect(host.memoryBytesUsed).toBeLessThanOrEqual(host.memoryBytes);
      expect(host.diskBytesUsed).toBeLessThanOrEqual(host.diskBytes);
      expect(howManyFit([host], ask).count).toBe(0);
    }),
  );
});
