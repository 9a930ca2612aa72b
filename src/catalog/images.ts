/** The images that machines start from; a driver builds or imports the bytes. */
import { v7 as uuid } from "uuid";
import { z } from "zod";

import { image } from "#contract/schemas/catalog.ts";
import { json } from "#db/json.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";

const row = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string(),
    default_user: z.string(),
    min_memory_mib: z.int(),
    min_disk_gib: z.int(),
    takes_user_data: z.boolean(),
    gpu_driver: z.string().nullable(),
    frameworks: image.shape.frameworks,
    state: image.shape.state,
  })
  .transform(
    ({
      default_user,
      min_memory_mib,
      min_disk_gib,
      takes_user_data,
      gpu_driver,
      ...rest
    }): Image => {
      return {
        ...rest,
        takesUserData: takes_user_data,
        gpuDriver: gpu_driver,
        defaultUser: default_user,
        minMemoryMiB: min_memory_mib,
        minDiskGiB: min_disk_gib,
      };
    },
  );

export type Image = z.output<typeof image>;

const columns = sql`id, name, description, default_user, min_memory_mib, min_disk_gib,
  takes_user_data, gpu_driver, frameworks, state`;

export function images(db: Queryable): Promise<Image[]> {
  return db.rows(sql`select ${columns} from image order by name`, row);
}

/** An image that can be ordered: ready, or being built, in which case the machine waits for it. */
export async function usableImage(db: Queryable, name: string): Promise<Image> {
  const found = await db.maybe(sql`select ${columns} from image where name = ${name}`, row);
  if (found !== undefined && (found.state === "ready" || found.state === "building")) return found;
  const all = await images(db);
  throw new Failure(
    "rule_violation",
    found === undefined
      ? `There is no image ${JSON.stringify(name)}.`
      : found.state === "failed"
        ? `The image ${name} could not be built; that is tried again by itself. The operator sees why ` +
          "with: millrace system"
        : `The image ${name} is ${found.state}.`,
    { details: { usable: all.filter((each) => each.state === "ready").map((each) => each.name) } },
  );
}

/** What the operator says of an image; `undefined` stays as it is. Throws `not_found`. */
export async function updateImage(
  db: Queryable,
  name: string,
  said: {
    readonly gpuDriver?: string | null | undefined;
    readonly frameworks?: Image["frameworks"] | undefined;
  },
): Promise<Image> {
  const before = await db.maybe(sql`select ${columns} from image where name = ${name}`, row);
  if (before === undefined) {
    throw new Failure("not_found", `There is no image ${JSON.stringify(name)}.`);
  }
  const { gpuDriver = before.gpuDriver, frameworks = before.frameworks } = said;
  await db.execute(sql`
    update image set gpu_driver = ${gpuDriver},
      frameworks = ${frameworks === null ? null : json(frameworks)}
    where name = ${name}`);
  return { ...before, gpuDriver, frameworks };
}

/** What a driver says of its images; the name is the identity. */
export async function recordImage(
  db: Queryable,
  said: Omit<Image, "id" | "gpuDriver" | "frameworks">,
): Promise<void> {
  await db.execute(
    sql`insert into image
        (id, name, description, default_user, min_memory_mib, min_disk_gib, takes_user_data, state)
      values (${uuid()}, ${said.name}, ${said.description}, ${said.defaultUser},
        ${said.minMemoryMiB}, ${said.minDiskGiB}, ${said.takesUserData}, ${said.state})
      on conflict (name) do update set description = excluded.description,
        default_user = excluded.default_user, min_memory_mib = excluded.min_memory_mib,
        min_disk_gib = excluded.min_disk_gib, takes_user_data = excluded.takes_user_data,
        state = case when image.state = 'retired' then image.state else excluded.state end`,
  );
}

/**
 * All that a site has; machines of others are not placed there. Before it is said the first time,
 * any may be.
 */
export async function recordSiteImages(
  tx: Tx,
  { site, images: names }: { readonly site: string; readonly images: readonly string[] },
): Promise<void> {
  const gone = await tx.execute(sql`
    delete from site_image where site = ${site} and not image = any(${[...names]}::text[])`);
  const added = await tx.execute(sql`
    insert into site_image (site, image) select ${site}, unnest(${[...names]}::text[])
    on conflict do nothing`);
  if (gone + added > 0) tx.nudge("capacity");
}
