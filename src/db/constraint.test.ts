import { expect, test } from "vitest";
import { z } from "zod";

import { Failure } from "#kernel/failure.ts";
import { testDatabase } from "#test/database.ts";

import { explained } from "./constraint.ts";
import { sql } from "./sql.ts";

const { db } = await testDatabase();
await db.execute(sql`create table thing (name text constraint thing_name unique)`);
await db.execute(sql`insert into thing values ('a')`);

const again = (): Promise<number> => db.execute(sql`insert into thing values ('a')`);

test("a broken constraint is explained by its name", async () => {
  const explanations = { thing_name: () => new Failure("conflict", "taken") };
  await expect(explained(again(), explanations)).rejects.toMatchObject({ code: "conflict" });
});

test("what is not in the table stays what it is", async () => {
  await expect(explained(again(), {})).rejects.toMatchObject({ code: "23505" });
  const rows = z.object({ n: z.bigint() });
  const count = db.one(sql`select count(*) as n from thing`, rows);
  await expect(explained(count, {})).resolves.toEqual({ n: 1n });
});
