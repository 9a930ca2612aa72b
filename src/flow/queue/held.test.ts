import { expect, test } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { setWanted } from "#flow/admit/requests.ts";
import { testDatabase } from "#test/database.ts";
import { addOwner, ask } from "#test/waiting.ts";

import { holdBack } from "./held.ts";

const { db } = await testDatabase();

test("R-POOL-05: what asks again for reasons of its own may not use a reserve, though it did once", async () => {
  const owner = await addOwner(db);
  const id = await ask(db, owner, { at: 0 });
  const { tenantId } = owner;
  const afterFault = async (): Promise<boolean> => {
    const row = z.object({ after_fault: z.boolean() });
    return (await db.one(sql`select after_fault from request where id = ${id}`, row)).after_fault;
  };
  await setWanted(db, { tenantId, id, wanted: "running", nextTurn: true, at: 1 });
  await holdBack(db, { tenantId, requestId: id, until: null, afterFault: true });
  await setWanted(db, { tenantId, id, wanted: "stopped", at: 2 });
  expect(await afterFault()).toBe(true);
  await setWanted(db, { tenantId, id, wanted: "running", nextTurn: true, at: 3 });
  expect(await afterFault()).toBe(false);
});
