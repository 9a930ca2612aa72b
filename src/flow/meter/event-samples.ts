/** Random events, for tests. */
import fc from "fast-check";

import type { UsageEvent } from "./event.ts";

const second = fc.integer({ min: 1_500_000_000, max: 2_000_000_000 });

export const anyEvent: fc.Arbitrary<UsageEvent> = fc
  .record({
    kind: fc.constantFrom("recorded", "recorded", "retracted"),
    source: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,40}$/),
    id: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,40}$/),
    tenantId: fc.uuid(),
    projectId: fc.uuid(),
    requestId: fc.uuid(),
    instanceId: fc.uuid(),
    intervalId: fc.uuid(),
    work: fc.constantFrom("lease", "job"),
    plan: fc.constantFrom("on_demand", "subscription"),
    sku: fc.constantFrom("gpu.T4", "cpu.core", "mem.gib", "storage"),
    units: fc.bigInt({ min: 1n, max: 10n ** 18n - 1n }),
    slice: fc.integer({ min: 1, max: 1_000_000 }),
    start: second,
    seconds: fc.integer({ min: 1, max: 90_000 }),
    at: second,
    billable: fc.boolean(),
    reason: fc.option(fc.stringMatching(/^[A-Za-z0-9 ._:/-]{1,40}$/)),
    retracts: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,40}$/),
  })
  .map(({ kind, source, id, at, start, seconds, retracts, ...use }): UsageEvent => {
    const identity = { source, id, at: at * 1000 };
    if (kind === "retracted") {
      const { tenantId, reason } = use;
      return { kind, ...identity, tenantId, retracts, reason: reason ?? "corrected" };
    }
    return {
      kind: "recorded",
      ...identity,
      ...use,
      from: start * 1000,
      until: (start + seconds) * 1000,
    };
  });
