/**
 * The hosts as they are apart from what is held of them, for asking whether something could ever fit:
 * kept by this process for as long as the database says that none of them has changed (`host_version`).
 *
 * What must stay true: what is kept is never older than the version it is kept under, because the
 * version is read first and every change replaces it in its own transaction. What is held of hosts is
 * that of any moment, so this is for `couldEverFit` and its like, and for no placement.
 */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";

import type { HostState } from "./host-state.ts";
import { hostStates } from "./hosts-read.ts";

interface Kept {
  readonly version: string;
  readonly hosts: readonly HostState[];
}

/** Ids of versions are unique, whichever database they are of, so one that is the same is the same. */
let kept: Kept | undefined;

/** The same array as before while nothing has changed. */
export async function keptHosts(db: Queryable): Promise<readonly HostState[]> {
  const { id } = await db.one(sql`select id from host_version`, z.object({ id: z.string() }));
  if (kept?.version === id) return kept.hosts;
  // Whether their sites answer is no part of it, nor does it make a new version.
  const hosts = await hostStates(db, 0);
  kept = { version: id, hosts };
  return hosts;
}
