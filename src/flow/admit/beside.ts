/**
 * Near to what, apart from what: checked when it is asked for, so that nothing is queued that says two
 * things at once or waits for nobody. Names of groups mean whoever is in them when it is placed.
 */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";

import type { Beside } from "./requests.ts";

export interface BesideAsk {
  readonly group?: string | undefined;
  readonly near: readonly string[];
  readonly apart: readonly string[];
}

const otherRow = z.object({
  id: z.string(),
  name: z.string(),
  group_name: z.string().nullable(),
  apart: z.array(z.string()),
  apart_groups: z.array(z.string()),
});
type Other = z.output<typeof otherRow>;

/** `members`: hosts that a gang wants for itself, one for each member; else 1. */
export interface Spread {
  readonly tenantId: string;
  readonly hosts: number;
}

/** Undefined for work that says nothing. Throws `not_found` and `rule_violation`. */
export async function besideOf(
  db: Queryable,
  ask: BesideAsk,
  { tenantId, hosts }: Spread,
): Promise<Beside | undefined> {
  const { group } = ask;
  if (group === undefined && ask.near.length + ask.apart.length === 0) return undefined;
  const both = ask.near.filter((name) => ask.apart.includes(name));
  if (both.length > 0) {
    throw contradiction(`It cannot be near to ${both.join(", ")} and apart from it.`, { both });
  }
  const near = parted(ask.near);
  const apart = parted(ask.apart);
  const others = await namedOthers(db, tenantId, {
    ids: [...near.ids, ...apart.ids],
    groups: near.groups,
  });
  requireKnown([...near.ids, ...apart.ids], others);
  requireSomebody(
    near.groups.filter((name) => name !== group),
    others,
  );
  const beside = {
    group: group ?? null,
    near: near.ids,
    apart: apart.ids,
    nearGroups: near.groups,
    apartGroups: apart.groups,
  };
  requirePossible(beside, others, hosts);
  return beside;
}

const uuid = z.uuid();
const groupName = z.string().regex(/^[a-z](?:[a-z0-9-]*[a-z0-9])?$/);

/** What looks like an id is one; a group's name is a DNS label. */
function parted(names: readonly string[]): { readonly ids: string[]; readonly groups: string[] } {
  const all = [...new Set(names)];
  const ids = all.filter((name) => uuid.safeParse(name).success);
  const groups = all.filter((name) => !ids.includes(name));
  const odd = groups.filter((name) => !groupName.safeParse(name).success);
  if (odd.length === 0) return { ids, groups };
  throw new Failure(
    "invalid_request",
    `near, apart: ${odd.map((name) => JSON.stringify(name)).join(", ")} is neither the name of a group (lower-case letters, digits and '-') nor an id.`,
    { details: { names: odd } },
  );
}

function namedOthers(
  db: Queryable,
  tenantId: string,
  { ids, groups }: { readonly ids: readonly string[]; readonly groups: readonly string[] },
): Promise<Other[]> {
  return db.rows(
    sql`select id, name, group_name, apart, apart_groups from request
      where tenant_id = ${tenantId} and ended_at is null
        and (id = any(${ids}::uuid[]) or group_name = any(${groups}::text[]))
      order by id limit 5000`,
    otherRow,
  );
}

function requireKnown(ids: readonly string[], others: readonly Other[]): void {
  const missing = ids.filter((id) => !others.some((other) => other.id === id));
  if (missing.length === 0) return;
  throw new Failure(
    "not_found",
    `There is no such lease or job, or it has ended: ${missing.join(", ")}.`,
    { details: { ids: missing } },
  );
}

/** It would wait until somebody joins the group, and nobody may. */
function requireSomebody(groups: readonly string[], others: readonly Other[]): void {
  const empty = groups.filter((name) => !others.some((other) => other.group_name === name));
  if (empty.length === 0) return;
  throw contradiction(
    `Nothing is in the group ${empty.join(", ")} that it could be near to; start that first.`,
    { groups: empty },
  );
}

function requirePossible(beside: Beside, others: readonly Other[], hosts: number): void {
  const { group, near, nearGroups, apart, apartGroups } = beside;
  const begins = group !== null && nearGroups.includes(group);
  const wanted = others.filter(
    ({ id, group_name }) =>
      near.includes(id) || (group_name !== null && nearGroups.includes(group_name)),
  );
  if (near.length + nearGroups.length === 0) return;
  const shunned = wanted.filter(
    (other) =>
      apart.includes(other.id) ||
      (other.group_name !== null && apartGroups.includes(other.group_name)) ||
      (group !== null && other.apart_groups.includes(group)),
  );
  if (wanted.length > 0 && shunned.length === wanted.length) {
    const names = shunned.map(({ name }) => name);
    throw contradiction(
      `All that it is to be near to is also kept apart from it: ${names.slice(0, 10).join(", ")}.`,
      { names: names.slice(0, 10) },
    );
  }
  if (!begins && hosts > wanted.length) {
    throw contradiction(
      `Its ${hosts} members are each to be on a host of their own, and what they are to be near to is on ${wanted.length} at most.`,
      { hosts, near: wanted.length },
    );
  }
}

function contradiction(message: string, details: Readonly<Record<string, unknown>>): Failure {
  return new Failure("rule_violation", message, { details });
}
