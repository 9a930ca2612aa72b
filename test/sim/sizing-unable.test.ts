/** A platform that adds no CPUs to a machine that runs: nothing there is resized by itself. */
import { expect, test } from "vitest";

import { orderCloud } from "./order-cloud.ts";
import { recommended, sizeByUse, sizingLife } from "./sizing-life.ts";

const because = "it is too old";
const cloud = await orderCloud("2026-05-04T10:00:00", {
  capabilities: { resizeCpuLive: { can: false, because } },
});
const { rented, hours } = sizingLife(cloud);

test("S-03: where a resize would need a restart, it is recommended and not done", async () => {
  const of = await rented("small", { cpuShare: 0.97, memoryShare: 0.4 });
  await sizeByUse(of);
  await hours(8);
  const found = await recommended(of);
  expect(found).toMatchObject({
    advice: "grow",
    recommended: { flavor: "medium" },
    live: { can: false, because: expect.stringContaining(because) },
    automatic: { announced: null, resizedAt: null },
  });
  expect(found.automatic?.next).toContain(because);
  const machine = cloud.provider.platform.machine(of.instanceId);
  expect(machine).toMatchObject({ cpu: { cores: 1 }, pendingCpu: null });
});
