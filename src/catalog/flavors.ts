/** The flavors: rows of `flavor`, whose `fields` are checked by flavor-rules.ts before they enter. */
import { v7 as uuid } from "uuid";
import { z } from "zod";

import { createFlavorBody, flavorFields, type Flavor } from "#contract/schemas/catalog.ts";
import { oldestFirst, type PageAsk } from "#db/keyset.ts";
import { brokenConstraint, type Queryable } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";

import { brokenFlavorRules } from "./flavor-rules.ts";
import { brokenRulesOfPool } from "./pool-rules.ts";
import { poolNamed } from "./pool-rows.ts";
import { flavorPresets } from "./presets.ts";

const row = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string(),
    fields: flavorFields,
    state: z.enum(["offered", "retired"]),
    created_at: instant,
  })
  .transform(({ fields, created_at, ...rest }): Flavor => {
    return { ...fields, ...rest, createdAt: new Date(created_at).toISOString() };
  });

const columns = sql`id, name, description, fields, state, created_at`;

export type NewFlavor = z.output<typeof createFlavorBody>;

export async function addFlavor(db: Queryable, flavor: NewFlavor): Promise<Flavor> {
  const { name, description, ...fields } = flavor;
  const rules = [
    ...brokenFlavorRules(fields),
    ...(fields.pool === null ? [] : brokenRulesOfPool(fields, await poolNamed(db, fields.pool))),
  ];
  if (rules.length > 0) {
    throw new Failure(
      "rule_violation",
      `The flavor ${name} breaks ${rules.length === 1 ? "a rule" : `${rules.length} rules`}: ${rules.map((rule) => rule.message).join("; ")}.`,
      { details: { rules } },
    );
  }
  try {
    return await db.one(
      sql`insert into flavor (id, name, description, fields, state)
        values (${uuid()}, ${name}, ${description}, ${JSON.stringify(fields)}, 'offered')
        returning ${columns}`,
      row,
    );
  } catch (error) {
    if (brokenConstraint(error) !== "flavor_name_key") throw error;
    throw new Failure(
      "conflict",
      `There is a flavor ${name} already; retire it or choose another name.`,
      {
        cause: error,
      },
    );
  }
}

export async function addPresetFlavors(db: Queryable): Promise<void> {
  for (const preset of flavorPresets) {
    const { name, description, ...fields } = createFlavorBody.parse(preset);
    await db.execute(
      sql`insert into flavor (id, name, description, fields, state)
        values (${uuid()}, ${name}, ${description}, ${JSON.stringify(fields)}, 'offered')
        on conflict (name) do nothing`,
    );
  }
}

/** The flavor by that name that can be ordered now; a refusal lists what there is. */
export async function offeredFlavor(db: Queryable, name: string): Promise<Flavor> {
  const found = await db.maybe(
    sql`select ${columns} from flavor where name = ${name} and state = 'offered'`,
    row,
  );
  if (found !== undefined) return found;
  const offered = await offeredFlavors(db);
  throw new Failure("rule_violation", `No flavor ${JSON.stringify(name)} is offered.`, {
    details: { offered: offered.map((flavor) => flavor.name) },
  });
}

export function offeredFlavors(db: Queryable): Promise<Flavor[]> {
  return db.rows(sql`select ${columns} from flavor where state = 'offered' order by id`, row);
}

/** Those that can be ordered and are sold from this pool. */
export function flavorsOfPool(db: Queryable, pool: string): Promise<Flavor[]> {
  return db.rows(
    sql`select ${columns} from flavor where state = 'offered' and fields->>'pool' = ${pool}
      order by id`,
    row,
  );
}

export function listFlavors(db: Queryable, ask: PageAsk): Promise<Flavor[]> {
  const position = { at: sql`created_at`, id: sql`id` };
  return db.rows(
    sql`select ${columns} from flavor where ${oldestFirst(position, ask)}
      order by created_at, id limit ${ask.limit}`,
    row,
  );
}

export async function retireFlavor(db: Queryable, name: string): Promise<void> {
  const count = await db.execute(sql`update flavor set state = 'retired' where name = ${name}`);
  if (count === 0) throw new Failure("not_found", `There is no flavor ${JSON.stringify(name)}.`);
}
