/** Whole passes over a real database: what a customer may hold, and what that counts. */
import { v7 as uuid } from "uuid";
import { expect, test } from "vitest";

import { setLimit, setQueueCap } from "#flow/queue/limit-store.ts";
import { testDatabase } from "#test/database.ts";
import { at, hourMs, placing } from "#test/placing.ts";
import { addOwner, ask, finish, placesOf, waitsFor } from "#test/waiting.ts";

import { countUse, readUsed } from "./running.ts";

const { db } = await testDatabase();
const { clock, hosts, pass } = placing(db);

test("S-13: nobody holds more than the share that one customer may have of a model", async () => {
  await hosts(4);
  await setQueueCap(db, { gpuModel: "*", percent: 50 });
  const [greedy, other] = [await addOwner(db), await addOwner(db)];
  const ids = [];
  for (let n = 0; n < 4; n += 1) ids.push(await ask(db, greedy, { gpus: 1, ...at(n) }));
  const his = await ask(db, other, { gpus: 1, ...at(10) });
  await pass();
  expect((await placesOf(db, ids)).filter((place) => place !== null)).toHaveLength(2);
  expect(await placesOf(db, [his])).toEqual(["h0"]);
  expect(await waitsFor(db, ids[3] ?? "")).toBe("quota_held");
  // The operator says more of this customer.
  await setLimit(db, {
    tenantId: greedy.tenantId,
    projectId: null,
    gpuModel: "A100",
    milliMax: 3000,
    monthHoursMax: null,
    monthFenMax: null,
    id: uuid(),
    at: clock.now,
  });
  await pass();
  expect((await placesOf(db, ids)).filter((place) => place !== null)).toHaveLength(3);
});

test.each([
  ["GPUs of a project", { gpuModel: "A100", milliMax: 1000 }, "quota_held"],
  ["GPU-hours of a month", { monthHoursMax: 3 }, "budget_hours"],
  ["money of a month", { monthFenMax: 3000n }, "budget_money"],
] as const)("S-13: a limit on %s holds work back, and says so", async (_, limit, code) => {
  await hosts(8);
  const owner = await addOwner(db);
  const none = { gpuModel: null, milliMax: null, monthHoursMax: null, monthFenMax: null };
  await setLimit(db, { ...owner, ...none, ...limit, id: uuid(), at: clock.now });
  const job = { gpus: 1, limitSeconds: 2 * 3600, hourly: "10.00" };
  const [one, two] = [
    await ask(db, owner, { ...job, ...at(0) }),
    await ask(db, owner, { ...job, ...at(1) }),
  ];
  await pass();
  expect(await placesOf(db, [one, two])).toEqual(["h0", null]);
  expect(await waitsFor(db, two)).toBe(code);
});

test("S-13: what ran counts against the month's hours, and a jump of the clock adds ten minutes at most", async () => {
  await hosts(1);
  const owner = await addOwner(db);
  const id = await ask(db, owner, { gpus: 1, ...at(0) });
  await pass();
  const hours = async (): Promise<number> => {
    const [used] = await readUsed(db, clock.now);
    return (used?.monthUnitMs ?? 0) / 1000 / hourMs;
  };
  clock.now += 6 * 60_000;
  await countUse(db, clock.now);
  expect(await hours()).toBeCloseTo(0.1, 5);
  await countUse(db, clock.now);
  expect(await hours()).toBeCloseTo(0.1, 5);
  clock.now += 100 * hourMs;
  await countUse(db, clock.now);
  expect(await hours()).toBeCloseTo(0.1 + 1 / 6, 5);
  await finish(db, id, clock.now);
});
