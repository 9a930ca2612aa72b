/** A database that was unpacked is started and read once before anybody trusts it. */
import pg from "pg";
import { z } from "zod";

import { startEmbedded, type EmbeddedLog } from "#db/embedded.ts";
import { checkPages } from "#db/page-checksum.ts";
import { Failure } from "#kernel/failure.ts";

export interface CheckedDatabase {
  /** Rows of each table, as the database counted them. */
  readonly rows: ReadonlyMap<string, number>;
  readonly pages: number;
}

const tableRow = z.object({ name: z.string() });
const countRow = z.object({ count: z.coerce.number() });

/** The first start makes the copy consistent; what cannot be read now would never be. */
export async function checkDatabase(
  directory: string,
  options: { readonly log: EmbeddedLog; readonly signal: AbortSignal },
): Promise<CheckedDatabase> {
  const embedded = await startEmbedded({ directory, log: options.log, signal: options.signal });
  try {
    const client = new pg.Client({
      connectionString: embedded.adminUrl.replace(/[^/]*$/, "millrace"),
    });
    await client.connect();
    try {
      const rows = await countRows(client);
      await client.query("checkpoint");
      const { pages, damaged } = await checkPages(embedded.cluster, options.signal);
      if (damaged.length === 0) return { rows, pages };
      throw new Failure(
        "invalid_request",
        `The backup holds a damaged database (${damaged.map((page) => page.file).join(", ")}): the ` +
          `database was damaged before the backup was made. Use an older backup.`,
      );
    } finally {
      await client.end();
    }
  } finally {
    await embedded.stop();
  }
}

async function countRows(client: pg.Client): Promise<Map<string, number>> {
  const { rows } = await client.query(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname not in ('pg_catalog', 'information_schema') order by 1`,
  );
  const counts = new Map<string, number>();
  for (const { name } of z.array(tableRow).parse(rows)) {
    const counted = await client.query(`select count(*) from ${name}`);
    counts.set(name, countRow.parse(counted.rows[0]).count);
  }
  return counts;
}
