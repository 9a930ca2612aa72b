/**
 * Which of a tenant's work lies where, for work that keeps near to some of it or apart from some. What
 * must stay true: that one keeps apart from a group holds for both sides, whoever comes first; who is
 * near to his own group begins it if he is its oldest; members of one gang are no neighbors of each
 * other, as their gang says how they lie.
 */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import type { WaitingEntry } from "#flow/queue/store.ts";

/** What an entry says of its neighbors, and what they need to know of it. */
export type Social = Pick<
  WaitingEntry,
  "tenantId" | "requestId" | "gangId" | "group" | "near" | "apart" | "nearGroups" | "apartGroups"
>;

/** Most work has no wish of that kind. */
export function isSocial({ group, near, apart, nearGroups, apartGroups }: Social): boolean {
  return group !== null || near.length + apart.length + nearGroups.length + apartGroups.length > 0;
}

const neighborRow = z
  .object({
    tenant_id: z.string(),
    request_id: z.string(),
    gang_id: z.string().nullable(),
    group_name: z.string().nullable(),
    apart_groups: z.array(z.string()),
    host_id: z.string(),
  })
  .transform((row) => ({
    tenantId: row.tenant_id,
    requestId: row.request_id,
    gangId: row.gang_id,
    group: row.group_name,
    apartGroups: row.apart_groups,
    hostId: row.host_id,
  }));
export type Neighbor = z.output<typeof neighborRow>;

const oldestRow = z.object({ id: z.string() });

/** Where it may lie: `undefined` as long as nothing that it wants to be near to has a host. */
export interface Around {
  readonly only?: readonly string[];
  readonly not: readonly string[];
}

export class Neighbors {
  readonly #byId = new Map<string, Neighbor>();
  readonly #inGroup = new Map<string, Set<Neighbor>>();
  readonly #shunning = new Map<string, Set<Neighbor>>();
  readonly #oldest: ReadonlySet<string>;

  /** `oldest`: ids of requests (of gangs) that may begin the group that they are near to. */
  constructor(placed: readonly Neighbor[] = [], oldest: readonly string[] = []) {
    for (const neighbor of placed) this.add(neighbor);
    this.#oldest = new Set(oldest);
  }

  add(neighbor: Neighbor): void {
    const { tenantId, requestId, group, apartGroups } = neighbor;
    this.#byId.set(requestId, neighbor);
    if (group !== null) into(this.#inGroup, `${tenantId}/${group}`, neighbor);
    for (const name of apartGroups) into(this.#shunning, `${tenantId}/${name}`, neighbor);
  }

  remove(requestId: string): void {
    const neighbor = this.#byId.get(requestId);
    if (neighbor === undefined) return;
    this.#byId.delete(requestId);
    for (const set of this.#inGroup.values()) set.delete(neighbor);
    for (const set of this.#shunning.values()) set.delete(neighbor);
  }

  around(entry: Social): Around | undefined {
    const { tenantId, requestId, gangId, group, near, apart, nearGroups, apartGroups } = entry;
    const isOther = (each: Neighbor): boolean =>
      each.requestId !== requestId && (gangId === null || each.gangId !== gangId);
    const named = (ids: readonly string[]): Neighbor[] =>
      ids.flatMap((id) => this.#byId.get(id) ?? []).filter((each) => each.tenantId === tenantId);
    const grouped = (
      sets: ReadonlyMap<string, ReadonlySet<Neighbor>>,
      groups: readonly string[],
    ): Neighbor[] => groups.flatMap((name) => [...(sets.get(`${tenantId}/${name}`) ?? [])]);
    const not = hostsOf(
      [
        ...named(apart),
        ...grouped(this.#inGroup, apartGroups),
        ...grouped(this.#shunning, group === null ? [] : [group]),
      ].filter(isOther),
    );
    if (near.length + nearGroups.length === 0) return { not };
    const only = hostsOf([...named(near), ...grouped(this.#inGroup, nearGroups)].filter(isOther));
    if (only.length > 0) return { only: only.filter((id) => !not.includes(id)), not };
    const begins =
      group !== null && nearGroups.includes(group) && this.#oldest.has(gangId ?? requestId);
    return begins ? { not } : undefined;
  }
}

/** As it stands now; in a transaction that has the hosts locked, as it stays on those. */
export async function neighborsOf(db: Queryable, entries: readonly Social[]): Promise<Neighbors> {
  const social = entries.filter(isSocial);
  if (social.length === 0) return new Neighbors();
  const tenantIds = [...new Set(social.map(({ tenantId }) => tenantId))];
  const ids = [...new Set(social.flatMap(({ near, apart }) => [...near, ...apart]))];
  const placed = await db.rows(
    sql`select p.tenant_id, p.request_id, r.gang_id, r.group_name, r.apart_groups, p.host_id
      from placement p join request r on r.tenant_id = p.tenant_id and r.id = p.request_id
      where p.state = 'full' and p.tenant_id = any(${tenantIds}::uuid[])
        and (r.group_name is not null or r.apart_groups <> '{}' or r.id = any(${ids}::uuid[]))`,
    neighborRow,
  );
  const oldest = await db.rows(
    sql`select distinct on (tenant_id, group_name) id from request
      where tenant_id = any(${tenantIds}::uuid[]) and group_name is not null and ended_at is null
        and wanted = 'running' and group_name = any(near_groups)
      order by tenant_id, group_name, id`,
    oldestRow,
  );
  return new Neighbors(
    placed,
    oldest.map(({ id }) => id),
  );
}

/** What is placed on paper, as a neighbor of those after it. */
export function placedAs(entry: Social, hostId: string): Neighbor {
  const { tenantId, requestId, gangId, group, apartGroups } = entry;
  return { tenantId, requestId, gangId, group, apartGroups: [...apartGroups], hostId };
}

function into(sets: Map<string, Set<Neighbor>>, key: string, neighbor: Neighbor): void {
  const set = sets.get(key) ?? new Set<Neighbor>();
  sets.set(key, set.add(neighbor));
}

function hostsOf(neighbors: readonly Neighbor[]): string[] {
  return [...new Set(neighbors.map(({ hostId }) => hostId))];
}
