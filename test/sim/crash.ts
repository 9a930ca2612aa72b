/**
 * A process that stops at its n-th write. Its statements are counted as they leave it: it dies before
 * a write is sent, or after a transaction that wrote has committed and before it hears of it. Which
 * statement that is follows from the number alone, so a failure names one place and shows it again.
 *
 * What must stay true: dying at each number in turn, until one is never reached, is dying at every
 * write that there is.
 */
import { openDb, type Db } from "#db/pool.ts";
import { assert } from "#kernel/assert.ts";
import type { Observer } from "#observe/observer.ts";

export interface Process {
  readonly db: Db;
  readonly isDead: () => boolean;
  /** How many places to die it has passed. */
  readonly passed: () => number;
  /** The statement at which it died, for a failure's message. */
  readonly diedAt: () => string;
}

interface Cluster {
  readonly url: string;
  readonly observer: Observer;
}

/** `deathAt` counts from 0; `undefined` never dies. */
export function mortalProcess({ url, observer }: Cluster, deathAt: number | undefined): Process {
  const db = openDb({ url, connectionsMax: 4, observer, applicationName: "mortal" });
  let passed = 0;
  let diedAt: string | undefined;
  const pass = (text: string): void => {
    if (passed === deathAt) {
      diedAt = text;
      throw new Error("killed");
    }
    passed += 1;
  };
  db.pool.on("connect", (client) => {
    const query: unknown = Reflect.get(client, "query");
    assert(typeof query === "function", "a client answers queries");
    let [inTransaction, wrote] = [false, false];
    const send = async (given: readonly unknown[]): Promise<unknown> => {
      if (diedAt !== undefined) throw new Error("killed");
      const text = textOf(given[0]);
      const writes = isWrite(text);
      if (writes || (text === "commit" && wrote)) pass(`before: ${text}`);
      const result: unknown = await Reflect.apply(query, client, [...given]);
      if (text.startsWith("begin")) [inTransaction, wrote] = [true, false];
      wrote ||= writes;
      const lasts = text === "commit" ? wrote : writes && !inTransaction;
      if (text === "commit" || text === "rollback") [inTransaction, wrote] = [false, false];
      if (lasts) pass(`after: ${text}`);
      return result;
    };
    Object.defineProperty(client, "query", {
      // The pool's own `query` hands in a callback.
      value: (...given: readonly unknown[]): Promise<unknown> | undefined => {
        const last = given.at(-1);
        if (typeof last !== "function") return send(given);
        void send(given.slice(0, -1)).then(
          (result) => Reflect.apply(last, undefined, [undefined, result]),
          (error: unknown) => Reflect.apply(last, undefined, [error]),
        );
        return undefined;
      },
    });
  });
  return {
    db,
    isDead: () => diedAt !== undefined,
    passed: () => passed,
    diedAt: () => diedAt ?? "never",
  };
}

function textOf(statement: unknown): string {
  if (typeof statement === "string") return statement;
  assert(
    typeof statement === "object" && statement !== null && "text" in statement,
    "a statement has a text",
  );
  assert(typeof statement.text === "string", "a statement's text is text");
  return statement.text.trim();
}

function isWrite(text: string): boolean {
  const withoutLocks = text.replaceAll(/for (?:no key )?update/gi, "");
  return /\b(?:insert|update|delete|pg_notify|raise_alert|resolve_alert)\b/i.test(withoutLocks);
}

export interface Story<S> {
  /** What was there before, each time anew: other tenants than the last time. */
  readonly prepare: () => Promise<S>;
  /** In order; each may be done again. Outside of them the world goes on: `meanwhile`. */
  readonly steps: readonly {
    readonly does: (db: Db, scene: S) => Promise<unknown>;
    readonly meanwhile?: (scene: S) => Promise<unknown>;
  }[];
  /** What is to be the same whenever the process died. */
  readonly books: (scene: S) => Promise<Books>;
  /** What is wrong right after the death, before anybody goes on. */
  readonly remains: (scene: S) => Promise<readonly object[]>;
}

/** Rows as text, by table. */
export type Books = Readonly<Record<string, readonly string[]>>;

export interface Told {
  readonly books: Books;
  readonly passed: number;
  readonly diedAt: string;
  readonly remains: readonly object[];
}

/** Tells a story once. Who comes after the dead begins with the step in which he died. */
export async function tell<S>(
  cluster: Cluster,
  story: Story<S>,
  deathAt: number | undefined,
): Promise<Told> {
  const scene = await story.prepare();
  const first = mortalProcess(cluster, deathAt);
  const next = mortalProcess(cluster, undefined);
  let remains: readonly object[] = [];
  try {
    for (const { does, meanwhile } of story.steps) {
      await meanwhile?.(scene);
      const wasDead = first.isDead();
      try {
        await does(wasDead ? next.db : first.db, scene);
      } catch (error) {
        if (wasDead || !first.isDead()) throw error;
      }
      // A loop gathers its errors, so that a step may end well although the process is dead.
      if (wasDead || !first.isDead()) continue;
      await first.db.close();
      remains = await story.remains(scene);
      await does(next.db, scene);
    }
    const books = await story.books(scene);
    return { books, passed: first.passed(), diedAt: first.diedAt(), remains };
  } finally {
    if (!first.isDead()) await first.db.close();
    await next.db.close();
  }
}

/** What one has and the other has not, for people. */
export function differences(expected: Books, got: Books): string[] {
  return [...new Set([...Object.keys(expected), ...Object.keys(got)])].flatMap((table) => {
    const [a, b] = [expected[table] ?? [], got[table] ?? []];
    return [
      ...without(a, b).map((row) => `lost from ${table}: ${row}`),
      ...without(b, a).map((row) => `too much in ${table}: ${row}`),
    ];
  });
}

/** As often as they are there. */
function without(rows: readonly string[], others: readonly string[]): string[] {
  const rest = [...others];
  return rows.filter((row) => {
    const at = rest.indexOf(row);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}
