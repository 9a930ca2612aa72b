/**
 * Whether those who share a host or a device disturb each other (S-14): what the platform shows of it is
 * kept with the host, and beyond the operator's bound it is an alert. What must stay true: it is raised
 * when the bound is passed and resolved when there is clearly less, so that a figure near it is told once.
 */
import { z } from "zod";

import type { Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { jobPolicy } from "#flow/admit/job-policy.ts";
import { raiseAlert, resolveAlert } from "#notices/store.ts";
import type { Host } from "#providers/provider.ts";

/** Of the bound; below it the alert is over. */
const calmShare = 0.8;
const by = "inventory";

const hostRow = z.object({
  id: z.string(),
  open: z.boolean(),
  percent: z.number().nullable(),
});

export async function watchInterference(
  tx: Tx,
  seen: { readonly site: string; readonly hosts: readonly Host[]; readonly at: number },
): Promise<void> {
  const { cpuPressurePercentMax: limit } = await jobPolicy(tx);
  for (const host of seen.hosts) {
    await watchCpu(tx, { ...seen, host, limit });
    await watchGpus(tx, { ...seen, host });
  }
}

async function watchCpu(
  tx: Tx,
  of: { readonly site: string; readonly host: Host; readonly limit: number; readonly at: number },
): Promise<void> {
  const { site, host, limit, at } = of;
  const percent = host.cpuPressurePercent ?? null;
  const key = `contended:${site}:${host.id}`;
  const known = await tx.maybe(
    sql`select h.id, h.cpu_pressure_percent::float8 as percent,
        exists (select from alert where key = ${key} and resolved_at is null) as open
      from host h where h.site = ${site} and h.native_id = ${host.id}`,
    hostRow,
  );
  if (known === undefined) return;
  // Whole points: not every look is news for the database.
  if (Math.round(known.percent ?? -1) !== Math.round(percent ?? -1)) {
    await tx.execute(sql`update host set cpu_pressure_percent = ${percent} where id = ${known.id}`);
  }
  if (percent !== null && percent > limit && !known.open) {
    const data = { host: host.id, percent: Math.round(percent), limit };
    await raiseAlert(tx, { key, kind: "host_contended", severity: "warning", data, at });
  }
  if (known.open && (percent ?? 0) < limit * calmShare) await resolveAlert(tx, { key, by, at });
}

const gpuRow = z.object({ id: z.string(), throttled: z.boolean(), machines: z.int() });

/** A device that is slow and serves several is what disturbs; alone it is the owner's own doing. */
async function watchGpus(
  tx: Tx,
  { site, host, at }: { readonly site: string; readonly host: Host; readonly at: number },
): Promise<void> {
  const throttled = new Set(host.gpus.filter((gpu) => gpu.throttled === true).map(({ id }) => id));
  const known = await tx.rows(
    sql`select d.id, d.throttled, count(c.instance_id)::int as machines
      from gpu_device d join host h on h.id = d.host_id
        left join gpu_claim c on c.host_id = d.host_id and c.device_id = d.id
      where h.site = ${site} and h.native_id = ${host.id}
        and (d.throttled or d.id = any(${[...throttled]}))
      group by d.host_id, d.id`,
    gpuRow,
  );
  for (const { id, throttled: before, machines } of known) {
    const slow = throttled.has(id);
    const key = `throttled:${site}:${host.id}:${id}`;
    if (slow !== before) {
      await tx.execute(sql`
        update gpu_device d set throttled = ${slow} from host h
        where h.id = d.host_id and h.site = ${site} and h.native_id = ${host.id} and d.id = ${id}`);
    }
    if (slow && !before) {
      const data = { host: host.id, device: id, machines };
      await raiseAlert(tx, { key, kind: "gpu_throttled", severity: "warning", data, at });
    }
    if (!slow && before) await resolveAlert(tx, { key, by, at });
  }
}
