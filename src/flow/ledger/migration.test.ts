/** A book that was kept before wallets had a floor: what they were below zero is owed. */
import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import pg from "pg";
import { expect, test } from "vitest";

import { emptyDatabase } from "#test/database.ts";

const directory = resolve(import.meta.dirname, "../../../db/migrations");
const own = 130;
const [rich, poor] = ["a", "b"].map((digit) => `${digit.repeat(8)}-0000-4000-8000-000000000000`);

function numbered(isWanted: (number: number) => boolean): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(".sql") && isWanted(Number(name.slice(0, 4))))
    .toSorted()
    .map((name) => readFileSync(join(directory, name), "utf8"));
}

test("R-LED-1: wallets below zero become receivables by a journal of their own", async () => {
  const client = new pg.Client({ connectionString: await emptyDatabase() });
  await client.connect();
  try {
    for (const script of numbered((number) => number < own)) {
      // oxlint-disable-next-line no-await-in-loop -- in order
      await client.query(script);
    }
    for (const [id, paid, used] of [
      [rich, 500, 200],
      [poor, 500, 730],
    ]) {
      // oxlint-disable-next-line no-await-in-loop -- two tenants
      await client.query(`begin;
        insert into tenant (id, kind, name, display_name, time_zone, created_at)
          values ('${id}', 'customer', '${id}', 'T', 'UTC', now());
        insert into account (tenant_id, kind)
          select '${id}', unnest(array['wallet', 'held', 'revenue', 'cash']);
        insert into journal (tenant_id, id, key, kind, description, at)
          values ('${id}', '${id}', 'k', 'credit', '', now());
        insert into posting (tenant_id, journal_id, line, account_kind, amount)
          values ('${id}', '${id}', 1, 'cash', -${paid}), ('${id}', '${id}', 2, 'revenue', ${used}),
            ('${id}', '${id}', 3, 'wallet', ${Number(paid) - Number(used)});
        commit`);
    }
    for (const script of numbered((number) => number === own)) {
      // oxlint-disable-next-line no-await-in-loop -- one
      await client.query(`begin; ${script}; commit`);
    }
    const { rows } = await client.query(
      `select left(tenant_id::text, 1) as t, kind, balance::int4 as fen from account
        where kind in ('wallet', 'receivable') order by 1, 2 desc`,
    );
    expect(rows).toEqual([
      { t: "a", kind: "wallet", fen: 300 },
      { t: "b", kind: "wallet", fen: 0 },
      { t: "b", kind: "receivable", fen: -230 },
    ]);
  } finally {
    await client.end();
  }
});
