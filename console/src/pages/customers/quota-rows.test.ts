/** A quota's form sends what differs, and GPUs as a whole. */
import { expect, test } from "vitest";

import { quotaChange, quotaRows, type Quantities } from "./quota-rows.ts";

const limits: Quantities = {
  vcpus: 8,
  memoryMiB: 1024,
  diskGiB: 100,
  leases: 5,
  jobs: 10,
  snapshots: 3,
  storageGiB: 50,
  gpus: { A100: 2 },
};

test("rows are the fields in their order, then the models of GPU by name", () => {
  const used = { ...limits, vcpus: 4, gpus: { T4: 1 } };
  const rows = quotaRows(limits, used);
  expect(rows[0]).toEqual({ of: "vcpus", limit: 8, used: 4 });
  expect(rows.slice(-2)).toEqual([
    { of: { gpu: "A100" }, limit: 2, used: 0 },
    { of: { gpu: "T4" }, limit: 0, used: 1 },
  ]);
});

test("what is the same or empty is not sent", () => {
  expect(quotaChange(limits, { fields: { vcpus: 8 }, gpus: { A100: 2, T4: 0 } })).toBeUndefined();
  expect(quotaChange(limits, { fields: {}, gpus: { A100: undefined } })).toBeUndefined();
  expect(quotaChange(limits, { fields: { vcpus: 16, leases: 5 }, gpus: {} })).toEqual({
    vcpus: 16,
  });
});

test("a model that changes brings the others along, a cleared one stays as it was", () => {
  const gpus = { A100: undefined, T4: 4, H100: 0 };
  expect(quotaChange(limits, { fields: {}, gpus })).toEqual({ gpus: { A100: 2, T4: 4 } });
  expect(quotaChange(limits, { fields: {}, gpus: { A100: 0 } })).toEqual({ gpus: { A100: 0 } });
});
