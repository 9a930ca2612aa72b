/** What the API asks of the rest of a process, where there is no rest. */
import type { Services } from "#api/services.ts";
import { changesOf } from "#db/changes.ts";

export const emptyServices: Services = {
  system: {
    version: "test",
    startedAt: 0,
    sites: () => Promise.resolve([]),
    loops: () => [],
    waits: () => Promise.resolve([]),
    findings: () => Promise.resolve([]),
    checks: () => Promise.resolve([]),
  },
  storageDirectory: "/nowhere",
  paymentMethods: ["bank_transfer", "test"],
  projects: { holdings: () => Promise.resolve([]) },
  changes: changesOf({ on: () => () => undefined, close: () => Promise.resolve() }),
};
