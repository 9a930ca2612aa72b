import { expect, test } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { hostStates } from "#flow/place/hosts-read.ts";
import { usedBy } from "#flow/admit/quota.ts";

import { testDatabase } from "./database.ts";

const { db } = await testDatabase();

test("the schema applies and an empty cloud has no hosts and no use", async () => {
  expect(await hostStates(db, 0)).toEqual([]);
  const used = await usedBy(db, "00000000-0000-4000-8000-000000000000");
  expect(used).toMatchObject({ vcpus: 0, leases: 0, gpus: {} });
  const tables = await db.rows(
    sql`select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`,
    z.object({ relname: z.string() }),
  );
  expect(tables.length).toBeGreaterThan(15);
});
