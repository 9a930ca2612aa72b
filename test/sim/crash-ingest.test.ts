/**
 * A crash at any write of taking usage in and of sealing it: the sender sends again what was not
 * answered, the next process goes on, and what was used is counted once, with one leaf each.
 */
import { expect, test } from "vitest";
import { v7 as newId } from "uuid";
import { z } from "zod";

import { seedPriceProfile } from "#catalog/price-profiles.ts";
import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { timeText } from "#flow/meter/event.ts";
import { ingestEvents } from "#flow/meter/ingest.ts";
import { sentValues } from "#flow/meter/sent.ts";
import { checkLog } from "#flow/meter/log-check.ts";
import { sequence, signIfNeeded } from "#flow/meter/sequencer.ts";
import { checkUsageDays } from "#flow/meter/usage-days.ts";
import { dayStart, localDay } from "#kernel/calendar.ts";
import { billingZone } from "#kernel/zone.ts";
import { noteKey, type Signer } from "#tlog/keys.ts";
import { nodeSha256, nodeSigningKey } from "#tlog/node-crypto.ts";
import { testDatabase } from "#test/database.ts";

import { differences, tell, type Books, type Story } from "./crash.ts";

const { db, url, observer } = await testDatabase();
await db.transaction(seedPriceProfile);

const hour = 3_600_000;
const day = dayStart(billingZone, localDay("2026-05-04"));
const { publicKey, sign } = nodeSigningKey(new Uint8Array(32).fill(7));
const signer: Signer = {
  key: noteKey(nodeSha256, { name: "test/log", kind: "log", publicKey }),
  sign,
};
/** Each checkpoint is signed later than the one before it, in whatever story. */
let now = day + 48 * hour;

interface Scene {
  readonly tenants: readonly string[];
  readonly events: readonly unknown[];
  readonly signAt: number;
}

function envelope(id: string, at: number): Record<string, unknown> {
  return {
    specversion: "1.0",
    source: "/meters/rack-7",
    id,
    time: timeText(at),
    datacontenttype: "application/json",
  };
}

async function prepare(): Promise<Scene> {
  const tenants = [newId(), newId()];
  for (const id of tenants) {
    await db.execute(sql`
      insert into tenant (id, kind, name, display_name, time_zone, created_at)
      values (${id}, 'customer', ${id}, 'Acme', 'Asia/Shanghai', 'epoch')`);
  }
  const [tenant = "", other = ""] = tenants;
  const usage = (name: string, of: string, from: number): unknown => {
    const until = from + hour;
    const holder = newId();
    return {
      ...envelope(`${tenant}/${name}`, until),
      type: "compute.usage.recorded.v1",
      data: {
        tenant: of,
        project: holder,
        request: holder,
        instance: holder,
        interval: holder,
        work: "lease",
        plan: "on_demand",
        sku: "gpu.T4",
        unit: "GPU",
        units: "2",
        slice: 1,
        from: timeText(from),
        until: timeText(until),
        billable: true,
        reason: null,
      },
    };
  };
  const takenBack = {
    ...envelope(`${tenant}/b/back`, day + 30 * hour),
    type: "compute.usage.retracted.v1",
    data: { tenant, retracts: `${tenant}/b`, reason: "measured twice" },
  };
  const events = [
    usage("a", tenant, day),
    usage("b", tenant, day + hour),
    usage("c", other, day + hour),
    takenBack,
    // Waits to be looked at: there is no such tenant, and it is from last year.
    usage("d", newId(), day),
    usage("e", tenant, day - 366 * 24 * hour),
  ];
  now += hour;
  return { tenants, events, signAt: now };
}

async function books({ tenants: [tenant = "", other = ""] }: Scene): Promise<Books> {
  const name = (text: string): string => text.replaceAll(tenant, "T").replaceAll(other, "O");
  const read = async (statement: Parameters<Db["rows"]>[0]): Promise<string[]> => {
    const rows = await db.rows(statement, z.object({ text: z.string() }));
    return rows.map(({ text }) => name(text)).toSorted();
  };
  const like = `${tenant}/%`;
  return {
    usage_event: await read(
      sql`select concat_ws(' ', e.id, e.kind, e.counted, l.leaf_index is not null) as text
        from usage_event e left join log_entry l on l.received = e.received where e.id like ${like}`,
    ),
    usage_day: await read(
      sql`select concat_ws(' ', tenant_id, day, sku, unit_seconds) as text from usage_day
        where tenant_id = any(${[tenant, other]}::uuid[])`,
    ),
    usage_review: await read(
      sql`select concat_ws(' ', event_id, reason, state) as text from usage_review
        where event_id like ${like}`,
    ),
    waiting: await read(
      sql`select e.id as text from usage_event e join log_pending p on p.received = e.received
        where e.id like ${like}`,
    ),
  };
}

async function wrongNow(): Promise<readonly object[]> {
  const problems = [...(await checkLog(db)), ...(await checkUsageDays(db))];
  return problems.map((problem) => ({ problem }));
}

const story: Story<Scene> = {
  prepare,
  books,
  remains: wrongNow,
  steps: [
    // Two batches, as a sender might cut them.
    {
      does: (process, { events, signAt }) =>
        process.transaction((tx) =>
          ingestEvents(tx, sentValues(events.slice(0, 2)), { now: signAt }),
        ),
    },
    {
      does: (process, { events, signAt }) =>
        process.transaction((tx) => ingestEvents(tx, sentValues(events.slice(2)), { now: signAt })),
    },
    { does: (process) => sequence(process, 3) },
    { does: (process) => sequence(process) },
    { does: (process, { signAt }) => signIfNeeded(process, { signer, now: signAt }) },
  ],
};

test(
  "MT-04: a crash at any write of taking usage in and of sealing it: nothing is lost, nothing is there twice",
  { timeout: 60_000 },
  async () => {
    const cluster = { url, observer };
    const undisturbed = await tell(cluster, story, undefined);
    expect(undisturbed.books["usage_event"]).toHaveLength(5);
    expect(undisturbed.books["waiting"]).toEqual([]);
    expect(undisturbed.passed).toBeGreaterThan(20);
    for (let deathAt = 0; deathAt < undisturbed.passed; deathAt += 1) {
      const told = await tell(cluster, story, deathAt);
      const wrong = [...told.remains, ...differences(undisturbed.books, told.books)];
      expect({ wrong, deathAt, diedAt: told.diedAt }).toMatchObject({ wrong: [] });
    }
    expect(await wrongNow()).toEqual([]);
  },
);
