/** Zone > pod > cluster > host, with primary and secondary storage (CS-01 to CS-07). */
import type { z } from "zod";

import { placeTree as placeTreeSchema } from "#contract/schemas/catalog.ts";
import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";

import { isKept } from "./sites.ts";

export type PlaceTree = z.output<typeof placeTreeSchema>;

export function placeTree(db: Queryable): Promise<PlaceTree> {
  return db.one(
    sql`select coalesce(jsonb_agg(jsonb_build_object(
        'name', z.name,
        'secondaryStorage', coalesce((select jsonb_agg(jsonb_build_object('name', s.name,
            'kind', s.kind) order by s.name) from storage_pool s where s.zone_id = z.id), '[]'),
        'pods', coalesce((select jsonb_agg(jsonb_build_object(
            'name', p.name,
            'subnet', p.subnet::text,
            'clusters', coalesce((select jsonb_agg(jsonb_build_object(
                'name', c.name,
                'site', c.site,
                'primaryStorage', coalesce((select jsonb_agg(jsonb_build_object('name', s.name,
                    'kind', s.kind, 'sizeGiB', s.size_bytes / 1073741824) order by s.name)
                  from storage_pool s where s.cluster_id = c.id), '[]'),
                'hosts', coalesce((select jsonb_agg(h.name order by h.name) from host h
                  where h.cluster_id = c.id), '[]')) order by c.name)
              from cluster c join site t on t.name = c.site and ${isKept(sql`t`)}
              where c.pod_id = p.id), '[]')) order by p.name)
          from pod p where p.zone_id = z.id), '[]')) order by z.name), '[]') as zones
      from zone z`,
    placeTreeSchema,
  );
}
