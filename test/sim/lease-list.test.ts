/** The list of leases: whose each is, a part of the name, and those that are gone only when asked for. */
import { expect, test } from "vitest";

import { orderCloud } from "./order-cloud.ts";

const cloud = await orderCloud("2026-04-01T09:00:00", { gpus: "A100=2" });

interface Ask {
  readonly nameHas?: string;
  readonly released?: "hidden";
  readonly state?: "released";
}

test("a list is narrowed by a part of the name; what was released is hidden when asked to; each says its owner", async () => {
  const { api } = await cloud.customer("1000.00");
  const made = [];
  for (const name of ["web-a", "web-b", "db"]) {
    // oxlint-disable-next-line no-await-in-loop -- their order is the list's
    made.push(await api.call("createLease", { body: { name, flavor: "nano" } }));
  }
  const { user } = await api.call("whoami");
  expect(made[0]?.lease.owner).toEqual({ id: user.id, name: user.name });
  const gone = made[0]?.lease.id ?? "";
  await api.call("releaseLease", { params: { leaseId: gone } });
  await cloud.until(async () => {
    const { state } = await api.call("getLease", { params: { leaseId: gone } });
    expect(state).toBe("released");
  });
  const named = async (query: Ask): Promise<string[]> =>
    (await api.call("listLeases", { query })).items.map(({ name }) => name);
  expect(await named({ nameHas: "eb-" })).toEqual(["web-b", "web-a"]);
  expect(await named({ nameHas: "eb-", released: "hidden" })).toEqual(["web-b"]);
  expect(await named({ nameHas: "%" })).toEqual([]);
  expect(await named({ state: "released", released: "hidden" })).toEqual(["web-a"]);
  expect(await named({})).toEqual(["db", "web-b", "web-a"]);
});
