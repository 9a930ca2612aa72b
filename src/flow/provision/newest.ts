/** Pages of leases and of jobs: the same filters, the same order. */
import { newestFirst, type PageAsk } from "#db/keyset.ts";
import { sql, type Sql } from "#db/sql.ts";

export interface RequestFilter<State extends string> {
  readonly tenantId: string;
  readonly state?: State | undefined;
  readonly projectId?: string | undefined;
  readonly name?: string | undefined;
  /** A part of the name. */
  readonly nameHas?: string | undefined;
  /** All but those in this state. */
  readonly not?: State | undefined;
}

/** `rows` selects from `request r`, ends with a condition, and gives `id`, `state`, `created_at`. */
export function newestRequests(rows: Sql, filter: RequestFilter<string>, ask: PageAsk): Sql {
  const position = { at: sql`v.created_at`, id: sql`v.id` };
  return sql`select * from (${rows} and r.tenant_id = ${filter.tenantId}
      ${when(filter.projectId, (projectId) => sql`and r.project_id = ${projectId}`)}
      ${when(filter.name, (name) => sql`and r.name = ${name}`)}
      ${when(filter.nameHas, (part) => sql`and position(${part} in r.name) > 0`)}) v
    where ${newestFirst(position, ask)}
      ${when(filter.state, (state) => sql`and v.state = ${state}`)}
      ${when(filter.not, (state) => sql`and v.state <> ${state}`)}
    order by v.created_at desc, v.id desc limit ${ask.limit}`;
}

function when<T>(value: T | undefined, part: (value: T) => Sql): Sql {
  return value === undefined ? sql`` : part(value);
}
