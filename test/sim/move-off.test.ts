/**
 * Where a lease goes when its host is put into maintenance and others are in maintenance too. The platform
 * knows nothing of that: left to itself it takes the first host that has room.
 */
import { expect, test, vi } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { listHosts, setMaintenance, setSchedulable } from "#flow/place/hosts.ts";

import { jobCloud } from "./job-cloud.ts";

const timeout = 240_000;
const cloud = await jobCloud({ hosts: ["h1", "h2", "h3"] });

function eventually<T>(look: () => Promise<T>): Promise<T> {
  return vi.waitFor(look, { timeout: 90_000, interval: 50 });
}

async function hostOf(leaseId: string): Promise<string> {
  const { host } = await cloud.db.one(
    sql`select h.name as host from placement p join host h on h.id = p.host_id
      where p.request_id = ${leaseId} and p.state = 'full'`,
    z.object({ host: z.string() }),
  );
  return host;
}

test(
  "H-29: off a host in maintenance nothing moves to another one in maintenance",
  { timeout },
  async () => {
    await cloud.start();
    const body = { name: "kept", flavor: "nano", image: "tiny" };
    const params = { leaseId: (await cloud.api.call("createLease", { body })).lease.id };
    await eventually(async () => {
      expect(await cloud.api.call("getLease", { params })).toMatchObject({ state: "running" });
    });
    const hosts = await listHosts(cloud.db, { limit: 9, after: undefined }, 0);
    const first = await hostOf(params.leaseId);
    // Each of them is the only open one once, whichever the platform would take.
    for (const open of hosts.filter(({ name }) => name !== first)) {
      // oxlint-disable no-await-in-loop -- one after the other
      const from = await hostOf(params.leaseId);
      const closed = hosts.filter(({ name }) => name !== open.name);
      // Its own is the last: until then it is to stay.
      for (const { id, name } of closed)
        if (name !== from) await setMaintenance(cloud.db, id, true);
      for (const { id, name } of closed)
        if (name === from) await setMaintenance(cloud.db, id, true);
      await eventually(async () => expect(await hostOf(params.leaseId)).toBe(open.name));
      for (const { id } of hosts) await setSchedulable(cloud.db, id, true);
      // oxlint-enable no-await-in-loop
    }
    const { items } = await cloud.api.call("listLeaseEvents", { params });
    expect(items.filter(({ kind }) => kind === "moved")).toHaveLength(2);
    await cloud.api.call("releaseLease", { params });
  },
);
