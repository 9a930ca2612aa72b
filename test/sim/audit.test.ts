/**
 * Every mutation is audited in its own transaction: whatever was changed has its entry and whatever
 * was taken back has none, also when connections break in the middle and a client asks again. And
 * what one tenant has, another cannot even find.
 */
import { setTimeout as wait } from "node:timers/promises";

import { expect, test } from "vitest";
import { z } from "zod";

import type { Client } from "#client/client.ts";
import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";

import { jobCloud } from "./job-cloud.ts";
import { randomFrom, seeds, type Random } from "./random.ts";

const cloud = await jobCloud();
const { db } = cloud;
await cloud.start();
const asksCount = 80;

const pair = z.object({ what: z.string(), n: z.int() });

async function askSomething(api: Client, random: Random, leases: string[]): Promise<void> {
  const leaseId = random.maybePick(leases) ?? "";
  const params = { leaseId };
  const kinds = ["stop", "start", "reboot", "resize", "snapshot", "release"] as const;
  const kind = leaseId === "" || random.chance(0.35) ? "create" : random.pick(kinds);
  switch (kind) {
    case "create": {
      const body = { name: `vm-${random.below(1e6)}`, flavor: "nano", image: "tiny" };
      leases.push((await api.call("createLease", { body })).lease.id);
      return;
    }
    case "stop":
      await api.call("stopLease", { params, body: { graceSeconds: 0 } });
      return;
    case "start":
      await api.call("startLease", { params });
      return;
    case "reboot":
      await api.call("rebootLease", { params });
      return;
    case "resize":
      await api.call("resizeLease", { params, body: { flavor: random.pick(["micro", "nano"]) } });
      return;
    case "snapshot":
      await api.call("createSnapshot", { params, body: { name: "s", withMemory: false } });
      return;
    case "release":
      await api.call("releaseLease", { params });
      return;
  }
}

/** Ends the connection of somebody who is in the middle of a transaction, if there is one. */
async function breakOne(of: Db): Promise<void> {
  await of.rows(
    sql`select pg_terminate_backend(pid) as ended from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()
        and backend_type = 'client backend' and state in ('active', 'idle in transaction') and xact_start is not null limit 1`,
    z.object({ ended: z.boolean() }),
  );
}

test("who releases what is being released is answered, and adds nothing to the audit log", async () => {
  const body = { name: "released-twice", flavor: "nano", image: "tiny" };
  const { lease } = await cloud.api.call("createLease", { body });
  const release = () => cloud.api.call("releaseLease", { params: { leaseId: lease.id } });
  const [one, other] = await Promise.all([release(), release()]);
  expect(other.operation.id).toBe(one.operation.id);
  const entries = await db.rows(
    sql`select outcome as what, count(*)::int as n from audit_entry
      where action = 'lease.release' and target = ${lease.id} group by 1`,
    pair,
  );
  expect(entries).toEqual([{ what: "done", n: 1 }]);
});

test.each(seeds(1))(
  "what is done is audited, and nothing else, seed %i",
  { timeout: 60_000 },
  async (seed) => {
    const random = randomFrom(seed);
    const leases: string[] = [];
    const asking = { over: false };
    const storm = (async (): Promise<void> => {
      while (!asking.over) {
        await breakOne(db).catch(() => undefined);
        await wait(100);
      }
    })();
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let count = 0; count < asksCount / 4; count += 1) {
          try {
            await askSomething(cloud.api, random, leases);
          } catch (error) {
            if (!(error instanceof Failure)) throw error;
          }
        }
      }),
    );
    asking.over = true;
    await storm;
    const done = await db.rows(
      sql`select replace(action, 'snapshot.create', 'lease.snapshot') as what, count(*)::int as n
      from audit_entry where outcome = 'done' and action ~ '^(lease|snapshot)[.]'
      group by 1 order by 1`,
      pair,
    );
    const changed = await db.rows(
      sql`select 'lease.' || o.kind as what, count(*)::int as n from operation o
      join request r on r.tenant_id = o.tenant_id and r.id = o.request_id and r.kind = 'lease'
      group by 1 order by 1`,
      pair,
    );
    expect(done).toEqual(changed);
    expect(done.find(({ what }) => what === "lease.create")?.n).toBeGreaterThan(5);
    // Who else asks for one of these leases is told that there is none.
    for (const leaseId of leases.slice(0, 5)) {
      const params = { leaseId };
      for (const ask of [
        () => cloud.stranger.call("getLease", { params }),
        () => cloud.stranger.call("releaseLease", { params }),
        () => cloud.stranger.call("stopLease", { params, body: { graceSeconds: 0 } }),
      ]) {
        await expect(ask()).rejects.toMatchObject({ code: "not_found" });
      }
    }
  },
);
