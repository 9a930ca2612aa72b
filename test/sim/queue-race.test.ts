/**
 * Random queues under two placers at once, over a real database: whatever comes, ends, fails or jumps,
 * no host is oversold, nothing holds two places, a gang is whole or not there, and in the end all that
 * fits runs. DESIGN.md, invariants 4 and 5.
 */
import { v7 as uuid } from "uuid";
import { expect, test } from "vitest";
import { z } from "zod";

import { openDb } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { placeLoop } from "#flow/place/loop.ts";
import {
  addHosts,
  addOwner,
  ask,
  finish,
  setHost,
  start,
  stop,
  type Owner,
} from "#test/waiting.ts";
import { testDatabase } from "#test/database.ts";

import { randomFrom, seeds } from "./random.ts";

const stepsPerSeed = 500;
const hostNames = ["a", "b", "c", "d"];
const hourMs = 3_600_000;
const { db, url, observer } = await testDatabase();
const finding = z.object({ finding: z.string() });

test.for(seeds(2))(
  "S-04, S-16: invariants hold at every step, seed %i",
  { timeout: 300_000 },
  async (seed) => {
    const other = openDb({ url, connectionsMax: 2, observer, applicationName: "second placer" });
    try {
      const dice = randomFrom(seed);
      let now = Date.UTC(2026, 4, 4);
      const loops = [db, other].map((on) => placeLoop({ db: on, now: () => now }));
      const { signal } = new AbortController();
      await addHosts(
        db,
        hostNames.map((name, n) => ({ name, cpus: 16, gpus: n * 2 })),
        now,
      );
      const owners = [await addOwner(db), await addOwner(db), await addOwner(db)];
      const alive: string[] = [];
      const leases: string[] = [];
      const pick = <T>(from: readonly T[]): T | undefined => dice.maybePick(from);
      const owner = (): Owner => pick(owners) ?? { tenantId: "", projectId: "" };

      const seeAll = (): Promise<unknown> =>
        db.execute(sql`update site set inventory_at = ${new Date(now)}`);

      const actions: readonly (() => Promise<unknown>)[] = [
        async () => alive.push(await ask(db, owner(), { ...job(), at: now })),
        async () => alive.push(await ask(db, owner(), { ...job(), at: now })),
        async () => {
          const id = await ask(db, owner(), { kind: "lease", gpus: dice.below(3), at: now });
          alive.push(id);
          leases.push(id);
        },
        async () => {
          const size = 2 + dice.below(3);
          const how = dice.below(2) === 0 ? "pack" : "spread";
          const gang = { id: uuid(), size, how } as const;
          const mine = owner();
          for (let n = 0; n < size; n += 1) {
            // oxlint-disable-next-line no-await-in-loop -- a placer may look in between
            alive.push(await ask(db, mine, { gpus: 1, gang, at: now }));
          }
        },
        async () => {
          const [group, neighbor] = dice.below(2) === 0 ? ["web", "db"] : ["db", "web"];
          const apartGroups = dice.below(2) === 0 ? [group] : [neighbor];
          const nearGroups = dice.below(3) === 0 ? [group] : [];
          alive.push(
            await ask(db, owner(), {
              group,
              apartGroups: apartGroups.filter((name) => !nearGroups.includes(name)),
              nearGroups,
              at: now,
            }),
          );
        },
        () => end(pick(alive)),
        () => end(pick(alive)),
        () => end(pick(alive)),
        async () => {
          const id = pick(leases);
          if (id !== undefined) await stop(db, id, now);
        },
        async () => {
          const id = pick(leases);
          if (id !== undefined) await start(db, id, now);
        },
        () => setHost(db, pick(hostNames) ?? "a", "down"),
        () => setHost(db, pick(hostNames) ?? "a", "up"),
        () => {
          // Also backwards. The site's own loop looks again at once; until then it is away.
          now += (dice.below(5) - 1) * hourMs;
          return seeAll();
        },
      ];

      for (let step = 0; step < stepsPerSeed; step += 1) {
        const act = pick(actions) ?? actions[0];
        // Both placers are at it while something changes.
        // oxlint-disable-next-line no-await-in-loop -- step by step
        await Promise.all([act?.(), ...loops.map((loop) => loop.pass(signal))]);
        // oxlint-disable-next-line no-await-in-loop -- at every step
        expect(await broken(), `step ${step} of seed ${seed}`).toEqual([]);
      }

      // Once everything is up and all else has ended, what waits starts, and then nothing is left.
      for (const name of hostNames) await setHost(db, name, "up");
      for (const id of alive.slice(0, -1)) await finish(db, id, now);
      const last = alive.at(-1);
      if (last !== undefined) await finish(db, last, now);
      const one = await ask(db, owners[0] ?? owner(), { gpus: 6, at: now });
      await Promise.all(loops.map((loop) => loop.pass(signal)));
      await Promise.all(loops.map((loop) => loop.pass(signal)));
      const states = await db.rows(
        sql`select request_id::text || ' ' || state as finding from queue_entry
        where state in ('waiting', 'placed') and request_id = ${one}
        union all select 'left: ' || request_id from placement
        where state <> 'none' and request_id <> ${one}`,
        finding,
      );
      expect(states).toEqual([{ finding: `${one} placed` }]);
      await finish(db, one, now);

      function job(): {
        gpus: number;
        slice: number;
        vcpus: number;
        limitSeconds: number;
        priority: 10 | 20 | 30;
      } {
        const gpus = dice.below(4);
        return {
          gpus,
          slice: gpus === 1 ? (pick([1, 2, 4]) ?? 1) : 1,
          vcpus: 1 + dice.below(6),
          limitSeconds: 60 + dice.below(20_000),
          priority: pick([10, 20, 30] as const) ?? 30,
        };
      }

      async function end(id: string | undefined): Promise<void> {
        if (id === undefined) return;
        alive.splice(alive.indexOf(id), 1);
        await finish(db, id, now);
      }

      async function broken(): Promise<string[]> {
        const found = await db.rows(
          sql`select 'host ' || h.name || ' is oversold' as finding
          from host h join placement p on p.host_id = h.id and p.state <> 'none' group by h.id
          having sum(p.milli_cpus) filter (where p.state = 'full') > h.cpus * 1000
            or sum(p.memory_bytes) filter (where p.state = 'full') > h.memory_bytes
            or sum(p.disk_bytes) > h.disk_bytes
          union all
          select 'GPU ' || device_id || ' is oversold' from gpu_claim group by host_id, device_id
          having sum(1.0 / slice) > 1.000001 or count(distinct slice) > 1
          union all
          select 'request ' || request_id || ' holds ' || count(*) || ' places'
          from placement where state <> 'none' group by request_id having count(*) > 1
          union all
          select 'request ' || p.request_id || ' lacks devices' from placement p
          where p.state = 'full' and jsonb_array_length(p.device_ids)
            <> (select count(*) from gpu_claim c where c.instance_id = p.instance_id)
          union all
          select 'devices of ' || p.request_id || ', which is ' || p.state from placement p
            join gpu_claim c on c.instance_id = p.instance_id where p.state <> 'full'
          union all
          select 'entry of ' || q.request_id || ' is placed and nothing is held' from queue_entry q
            join request r on r.id = q.request_id and r.turn = q.turn
          where q.state = 'placed' and r.ended_at is null and r.wanted = 'running' and not exists (
            select from placement p where p.request_id = q.request_id and p.turn = q.turn
              and p.state = 'full')
          union all
          select a.request_id || ' is beside ' || b.request_id || ', which are to be apart'
          from placement a join request r on r.id = a.request_id
            join placement b on b.host_id = a.host_id and b.tenant_id = a.tenant_id
              and b.request_id <> a.request_id
            join request o on o.id = b.request_id
          where a.state = 'full' and b.state = 'full' and o.group_name = any(r.apart_groups)
          union all
          select 'the gang ' || r.gang_id || ' is not whole' from request r
            join queue_entry q on q.request_id = r.id
          where r.gang_id is not null group by r.gang_id
          having count(*) filter (where q.state = 'placed') > 0
            and count(*) filter (where q.state = 'placed') < max(r.gang_size)
            and bool_or(q.state = 'waiting')`,
          finding,
        );
        return found.map((row) => row.finding);
      }
    } finally {
      await other.close();
    }
  },
);
