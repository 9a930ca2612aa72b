/**
 * Who this installation is at platforms that others use too. The id is the database's (migration 0214),
 * so all processes of an installation have it, and it moves where the database moves.
 */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";

export async function installationId(db: Queryable): Promise<string> {
  const { id } = await db.one(sql`select id from installation`, z.object({ id: z.uuid() }));
  return id;
}
