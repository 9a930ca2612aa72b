/** What the server wrote down of its platforms: whether they answer, and what they lack. */
import type pg from "pg";
import { z } from "zod";

import { siteAwayAfterMs } from "#catalog/sites.ts";
import { siteFinding } from "#providers/site-finding.ts";

const siteRow = z.object({
  name: z.string(),
  kind: z.string(),
  version: z.string(),
  reachable: z.boolean(),
  trouble: z.string().nullable(),
  findings: z.array(siteFinding),
  /** When it answered last, and whether that is so long ago that it counts as away. */
  seenAt: z.date().nullable(),
  isAway: z.boolean(),
});

export type SiteFacts = z.output<typeof siteRow>;

/** None in a database that is still to be brought up to date. */
export async function readSites(client: pg.Client): Promise<readonly SiteFacts[]> {
  const { rows } = await client.query(
    `select exists (select from information_schema.columns
      where table_schema = 'public' and table_name = 'site' and column_name = 'findings') as there`,
  );
  if (!z.object({ there: z.boolean() }).parse(rows[0]).there) return [];
  const sites = await client.query(
    `select name, kind, version, reachable, trouble, findings, inventory_at as "seenAt",
      coalesce(inventory_at < now() - $1 * interval '1 ms', false) as "isAway"
      from site where to_jsonb(site)->>'retired_at' is null order by name`,
    [siteAwayAfterMs],
  );
  return z.array(siteRow).parse(sites.rows);
}
