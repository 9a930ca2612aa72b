/**
 * A database whose process dies at a chosen statement, or after a chosen commit: what was not
 * committed is gone, and whoever waited gets no answer. The database itself goes on.
 */
import type { Db, Queryable, Tx } from "#db/pool.ts";

export interface Fuse {
  /** The nth statement from now on is the last one, or the nth commit. */
  readonly arm: (at: { readonly statement: number } | { readonly commit: number }) => void;
  readonly disarm: () => void;
  readonly blown: () => boolean;
}

class Killed extends Error {}

export function brittleDb(db: Db): { readonly db: Db; readonly fuse: Fuse } {
  let statements = Infinity;
  let commits = Infinity;
  let isBlown = false;
  const die = (): never => {
    isBlown = true;
    throw new Killed("killed");
  };
  const statement = (): void => {
    if (isBlown) die();
    statements -= 1;
    if (statements <= 0) die();
  };
  const commit = (): void => {
    if (isBlown) die();
    commits -= 1;
    if (commits <= 0) die();
  };
  const counted = (on: Queryable): Queryable => ({
    rows: async (text, row) => {
      statement();
      return on.rows(text, row);
    },
    one: async (text, row) => {
      statement();
      return on.one(text, row);
    },
    maybe: async (text, row) => {
      statement();
      return on.maybe(text, row);
    },
    execute: async (text) => {
      statement();
      return on.execute(text);
    },
  });
  const within = (tx: Tx): Tx => ({
    ...counted(tx),
    nudge: (channel) => {
      statement();
      tx.nudge(channel);
    },
  });
  const brittle: Db = {
    ...counted(db),
    transaction: async (work, how) => {
      const result = await db.transaction((tx) => work(within(tx)), how);
      commit();
      return result;
    },
    tenant: async (tenantId, work, how) => {
      const result = await db.tenant(tenantId, (tx) => work(within(tx)), how);
      commit();
      return result;
    },
    reads: (tenantId) => counted(db.reads(tenantId)),
    pool: db.pool,
    url: db.url,
    close: () => db.close(),
  };
  const disarm = (): void => {
    statements = Infinity;
    commits = Infinity;
    isBlown = false;
  };
  return {
    db: brittle,
    fuse: {
      arm: (at) => {
        disarm();
        if ("statement" in at) statements = at.statement;
        else commits = at.commit;
      },
      disarm,
      blown: () => isBlown,
    },
  };
}
