/** One lease that runs, by the flow itself; then many like it, row by row as multiply.ts makes their objects. */
import { setTimeout as wait } from "node:timers/promises";

import pg from "pg";
import { v7 as uuid } from "uuid";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { insertRequest } from "#flow/admit/requests.ts";
import { commitStarts } from "#flow/place/commit.ts";
import { enqueue, waitingEntries } from "#flow/queue/store.ts";
import { present } from "#kernel/assert.ts";
import { Failure } from "#kernel/failure.ts";
import { holdingRows } from "#test/holding-rows.ts";
import { aShape } from "#test/place-states.ts";

import type { BenchSite } from "./site.ts";

const lookMs = 50;
const restMs = 1_500;
const untilMs = 60_000;
const idRow = z.object({ id: z.string() });

interface One {
  readonly machineId: string;
  readonly requestId: string;
}

export async function runOne(
  { db, worker }: BenchSite,
  /** Patches that the cluster has been sent so far. */
  patches: () => Promise<number>,
): Promise<One> {
  const rows = await holdingRows(db);
  const { signal } = new AbortController();
  await worker.loop.pass(signal);
  const tenantId = await rows.newTenant();
  const shape = aShape({
    vcpus: 1,
    cpu: { sockets: 1, cores: 1, threads: 1 },
    memoryMiB: 512,
    diskGiB: 2,
  });
  const requestId = uuid();
  await insertRequest(db, {
    tenantId,
    projectId: tenantId,
    id: requestId,
    kind: "lease",
    name: "bench",
    createdBy: uuid(),
    shape,
    image: "tiny",
    loginUser: "root",
    sshKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH000000000000000000000000000 bench"],
    userData: undefined,
    restart: "on-failure",
    price: { hourly: "0.10" },
    priority: 30,
    workload: undefined,
    plan: "on_demand",
    at: Date.now(),
  });
  await enqueue(db, 10);
  const [entry] = await waitingEntries(db, { oldest: 10, first: 0 });
  const host = await db.one(sql`select id from host where native_id = 'bench-0'`, idRow);
  const start = { entry: present(entry, "the entry"), hostId: host.id };
  await commitStarts(db, [[start]], Date.now());
  const until = performance.now() + untilMs;
  for (;;) {
    await worker.loop.pass(signal);
    const running = await db.maybe(
      sql`select id from instance where request_id = ${requestId} and state = 'running'
        and call is null`,
      idRow,
    );
    if (running !== undefined) {
      await comesToRest(running.id);
      return { machineId: running.id, requestId };
    }
    if (performance.now() > until) throw new Failure("timeout", "The first machine did not run.");
    await wait(lookMs);
  }

  /** Nothing more is written of it here or there: what is made of it is as new as it is. */
  async function comesToRest(id: string): Promise<void> {
    const look = async (): Promise<string> => {
      await worker.loop.pass(signal);
      const row = await db.one(
        sql`select version::text as id from instance where id = ${id}`,
        idRow,
      );
      return `${row.id} ${await patches()}`;
    };
    for (let before = ""; ;) {
      const now = await look();
      if (now === before) return;
      before = now;
      await wait(restMs);
    }
  }
}

/** Each row with the ids, the name and the host of its number. */
export async function multiplyRows(
  url: string,
  one: One,
  of: { readonly machines: number; readonly nodes: number },
): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const table of ["request", "queue_entry", "placement", "instance"]) {
      // oxlint-disable-next-line no-await-in-loop -- each refers to the one before
      const { rows } = await client.query<{ columns: string }>(
        `select string_agg(column_name, ', ' order by ordinal_position) as columns
          from information_schema.columns where table_name = $1 and is_generated = 'NEVER'`,
        [table],
      );
      const columns = rows[0]?.columns ?? "";
      const key = table === "request" ? "id" : "request_id";
      // oxlint-disable-next-line no-await-in-loop
      await client.query(
        `insert into ${table} (${columns})
          select ${columns.replaceAll(/(\w+)/g, "r.$1")}
          from (select number, lpad(to_hex(number), 12, '0') as hex
              from generate_series(0, $3::int - 1) as number) n
            join host h on h.native_id = 'bench-' || (n.number % $4::int)
            join host first on first.native_id = 'bench-0'
            cross join ${table} t
            cross join lateral jsonb_populate_record(null::${table}, replace(replace(replace(replace(
              replace(to_jsonb(t)::text, $1, '00000000-0000-4000-8000-' || n.hex),
              $2, '00000000-0000-4000-9000-' || n.hex),
              '"bench"', '"bench-' || n.number || '"'),
              '"bench-0"', '"bench-' || (n.number % $4::int) || '"'),
              first.id::text, h.id::text)::jsonb) r
          where t.${key} = $2::uuid`,
        [one.machineId, one.requestId, of.machines, of.nodes],
      );
    }
    await client.query("analyze");
  } finally {
    await client.end();
  }
}
