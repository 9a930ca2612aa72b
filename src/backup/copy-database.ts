/**
 * The rows of one Millrace database into another that is empty, such as those of the embedded one into
 * a PostgreSQL that somebody else runs. Both have the tables of this program first. What must stay true:
 *
 * - All or nothing: one transaction, and what arrived is compared with what was there, row by row, before
 *   it ends.
 * - Nothing is copied over anything: a database in which somebody has worked is refused.
 * - Values pass as PostgreSQL's own text, which is exact for every type; none is read here.
 *
 * It needs no superuser: it owns the tables, so it may set triggers and foreign keys aside meanwhile.
 */
import pg from "pg";
import { z } from "zod";

import { migrate } from "#db/migrate.ts";
import { Failure } from "#kernel/failure.ts";

const rowsPerStep = 1_000;
/** What the migrations themselves write. */
const ownTable = "schema_migration";

/** So that both servers write, and compare, the same text for the same value. */
const sameText =
  "set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set extra_float_digits = 1; set bytea_output = 'hex'";

export interface CopyOptions {
  readonly from: string;
  readonly to: string;
  readonly migrationsDirectory: string;
  readonly signal: AbortSignal;
}

/** Rows of each table that were copied. */
export async function copyDatabase(options: CopyOptions): Promise<ReadonlyMap<string, number>> {
  await migrate(options.from, options.migrationsDirectory);
  await migrate(options.to, options.migrationsDirectory);
  const source = new pg.Client({ connectionString: options.from });
  const target = new pg.Client({ connectionString: options.to });
  await source.connect();
  try {
    await target.connect();
    try {
      await source.query(sameText);
      await target.query(sameText);
      await source.query("begin isolation level repeatable read read only");
      await target.query("begin");
      const copied = await copyAll(source, target, options);
      await target.query("commit");
      await target.query("analyze");
      return copied;
    } finally {
      // A transaction that did not get to its end goes with its connection.
      await target.end();
    }
  } finally {
    await source.end();
  }
}

async function copyAll(
  source: pg.Client,
  target: pg.Client,
  { signal }: CopyOptions,
): Promise<Map<string, number>> {
  await requireUnused(target);
  const tables = await tablesOf(target);
  requireSame(tables, await tablesOf(source));
  const aside = await setAside(target, tables);
  const copied = new Map<string, number>();
  for (const table of tables) {
    signal.throwIfAborted();
    await copyTable(source, target, table, signal);
    const there = await summary(source, table);
    const here = await summary(target, table);
    if (there.count !== here.count || there.digest !== here.digest) {
      throw new Failure(
        "internal",
        `The table ${table.name} did not arrive as it was: ${here.count} of ${there.count} rows. Nothing was copied.`,
      );
    }
    copied.set(table.name, Number(there.count));
  }
  await copySequences(source, target);
  await aside.putBack();
  return copied;
}

interface Table {
  /** Quoted where it needs to be. */
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

const columnRow = z.object({ table: z.string(), name: z.string(), type: z.string() });

/** Columns that the database computes are left to it. */
async function tablesOf(client: pg.Client): Promise<Table[]> {
  const found = await rows(
    client,
    columnRow,
    `select format('%I', c.relname) as "table", format('%I', a.attname) as name,
        format_type(a.atttypid, a.atttypmod) as type
      from pg_class c join pg_attribute a on a.attrelid = c.oid
      where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname <> '${ownTable}'
        and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
      order by c.relname, a.attname`,
  );
  const byName = Map.groupBy(found, ({ table }) => table);
  return [...byName].map(([name, columns]) => ({
    name,
    columns: columns.map((column) => ({ name: column.name, type: column.type })),
  }));
}

function requireSame(here: readonly Table[], there: readonly Table[]): void {
  const written = new Set(there.map((table) => JSON.stringify(table)));
  const strange = here.filter((table) => !written.delete(JSON.stringify(table)));
  if (strange.length === 0 && written.size === 0) return;
  throw new Failure(
    "conflict",
    `The two databases have other tables (${[...strange.map(({ name }) => name), ...written].slice(0, 3).join(", ")}). Nothing was copied.`,
  );
}

/** The first start of a Millrace makes an operator's key; before it only the migrations have written. */
async function requireUnused(target: pg.Client): Promise<void> {
  const [found] = await rows(
    target,
    z.object({ used: z.boolean() }),
    "select exists (select from api_key) or exists (select from tenant) as used",
  );
  if (found?.used !== true) return;
  throw new Failure(
    "conflict",
    "A Millrace has worked in that database already. Name one that is new, or drop it and create it again.",
  );
}

/**
 * Triggers would refuse rows that come out of their order, and foreign keys those whose other end is
 * yet to come. They are checked when they are put back, all of them.
 */
async function setAside(
  target: pg.Client,
  tables: readonly Table[],
): Promise<{ putBack(): Promise<void> }> {
  const keys = await rows(
    target,
    z.object({ table: z.string(), name: z.string(), definition: z.string() }),
    `select format('%I', r.relname) as "table", format('%I', c.conname) as name,
        pg_get_constraintdef(c.oid) as definition
      from pg_constraint c join pg_class r on r.oid = c.conrelid
      where c.contype = 'f' and c.conparentid = 0 and r.relnamespace = 'public'::regnamespace
      order by 1, 2`,
  );
  for (const { table, name } of keys) {
    await target.query(`alter table ${table} drop constraint ${name}`);
  }
  const each = async (word: "disable" | "enable"): Promise<void> => {
    for (const { name } of tables) await target.query(`alter table ${name} ${word} trigger user`);
  };
  await each("disable");
  await target.query(`truncate ${tables.map(({ name }) => name).join(", ")}`);
  return {
    putBack: async () => {
      await each("enable");
      for (const { table, name, definition } of keys) {
        await target.query(`alter table ${table} add constraint ${name} ${definition}`);
      }
    },
  };
}

const textRow = z.array(z.string().nullable());

async function copyTable(
  source: pg.Client,
  target: pg.Client,
  { name, columns }: Table,
  signal: AbortSignal,
): Promise<void> {
  const texts = columns.map((column) => `${column.name}::text`).join(", ");
  await source.query(`declare rows_of no scroll cursor for select ${texts} from ${name}`);
  const parameters = columns.map((_, at) => `$${at + 1}::text[]`).join(", ");
  const names = columns.map((column) => column.name).join(", ");
  const values = columns.map(({ type }, at) => `c${at}::${type}`).join(", ");
  const aliases = columns.map((_, at) => `c${at}`).join(", ");
  const insert = `insert into ${name} (${names}) overriding system value
    select ${values} from unnest(${parameters}) as r(${aliases})`;
  for (;;) {
    signal.throwIfAborted();
    const fetched = await source.query({
      text: `fetch ${rowsPerStep} from rows_of`,
      rowMode: "array",
    });
    const read = z.array(textRow).parse(fetched.rows);
    if (read.length === 0) break;
    await target.query(
      insert,
      columns.map((_, at) => read.map((row) => row[at] ?? null)),
    );
  }
  await source.query("close rows_of");
}

const summaryRow = z.object({ count: z.string(), digest: z.string() });

/** How many rows, and a sum of the hash of each, whatever their order. */
async function summary(
  client: pg.Client,
  { name, columns }: Table,
): Promise<z.output<typeof summaryRow>> {
  const texts = columns.map((column) => `${column.name}::text`).join(", ");
  const [found] = await rows(
    client,
    summaryRow,
    `select count(*)::text as count,
        coalesce(sum(hashtextextended(row(${texts})::text, 0)::numeric), 0)::text as digest
      from ${name}`,
  );
  return summaryRow.parse(found);
}

async function copySequences(source: pg.Client, target: pg.Client): Promise<void> {
  const sequences = await rows(
    source,
    z.object({ name: z.string(), last: z.string().nullable() }),
    "select format('%I', sequencename) as name, last_value::text as last from pg_sequences where schemaname = 'public'",
  );
  for (const { name, last } of sequences) {
    if (last !== null) await target.query("select setval($1::regclass, $2::bigint)", [name, last]);
  }
}

async function rows<T>(client: pg.Client, row: z.ZodType<T>, text: string): Promise<T[]> {
  return z.array(row).parse((await client.query(text)).rows);
}
