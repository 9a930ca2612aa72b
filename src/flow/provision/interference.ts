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

interface Seen {
  readonly site: string;
  readonly hosts: readonly Host[];
  readonly at: number;
}

/** Of all hosts at once: every pass over a site comes by. */
export async function watchInterference(tx: Tx, seen: Seen): Promise<void> {
  const { cpuPressurePercentMax: limit } = await jobPolicy(tx);
  await watchCpus(tx, seen, limit);
  await watchGpus(tx, seen);
}

const hostRow = z.object({
  id: z.string(),
  native_id: z.string(),
  percent: z.number().nullable(),
  open: z.boolean(),
});

async function watchCpus(tx: Tx, { site, hosts, at }: Seen, limit: number): Promise<void> {
  const said = new Map(hosts.map((host) => [host.id, host.cpuPressurePercent ?? null]));
  const prefix = `contended:${site}:`;
  const rows = await tx.rows(
    sql`select h.id, h.native_id, h.cpu_pressure_percent::float8 as percent,
        a.key is not null as open
      from host h left join alert a
        on a.key = ${prefix} || h.native_id and a.resolved_at is null
      where h.site = ${site}
        and (h.cpu_pressure_percent is not null or a.key is not null
          or h.native_id = any(${hosts.flatMap(({ id, cpuPressurePercent: is }) => (is === undefined ? [] : [id]))}::text[]))`,
    hostRow,
  );
  const known = rows.filter(({ native_id: name }) => said.has(name));
  const other = known.flatMap(({ id, native_id: name, percent: before }) => {
    const percent = said.get(name) ?? null;
    // Whole points: not every look is news for the database.
    return Math.round(before ?? -1) === Math.round(percent ?? -1) ? [] : [{ id, percent }];
  });
  if (other.length > 0) {
    await tx.execute(sql`
      update host h set cpu_pressure_percent = s.percent
      from unnest(${other.map(({ id }) => id)}::uuid[],
        ${other.map(({ percent }) => percent)}::float8[]) as s(id, percent)
      where h.id = s.id`);
  }
  for (const { native_id: host, open } of known) {
    const percent = said.get(host) ?? null;
    const key = prefix + host;
    if (percent !== null && percent > limit && !open) {
      const data = { host, percent: Math.round(percent), limit };
      await raiseAlert(tx, { key, kind: "host_contended", severity: "warning", data, at });
    }
    if (open && (percent ?? 0) < limit * calmShare) await resolveAlert(tx, { key, by, at });
  }
}

const gpuRow = z.object({
  host_id: z.string(),
  host: z.string(),
  id: z.string(),
  slow: z.boolean(),
  machines: z.int(),
});

/** A device that is slow and serves several is what disturbs; alone it is the owner's own doing. */
async function watchGpus(tx: Tx, { site, hosts, at }: Seen): Promise<void> {
  const slow = hosts.flatMap(({ id: host, gpus }) =>
    gpus.filter((gpu) => gpu.throttled === true).map(({ id }) => ({ host, id })),
  );
  const changed = await tx.rows(
    sql`with slow as (select * from unnest(${slow.map(({ host }) => host)}::text[],
          ${slow.map(({ id }) => id)}::text[]) as s(host, id))
      select d.host_id, h.native_id as host, d.id, s.id is not null as slow,
        (select count(*)::int from gpu_claim c where c.host_id = d.host_id and c.device_id = d.id)
          as machines
      from gpu_device d join host h on h.id = d.host_id
        left join slow s on s.host = h.native_id and s.id = d.id
      where h.site = ${site} and h.native_id = any(${hosts.map(({ id }) => id)}::text[])
        and d.throttled <> (s.id is not null)`,
    gpuRow,
  );
  for (const { host_id: hostId, host, id, slow: isSlow, machines } of changed) {
    const key = `throttled:${site}:${host}:${id}`;
    await tx.execute(sql`
      update gpu_device set throttled = ${isSlow} where host_id = ${hostId} and id = ${id}`);
    if (isSlow) {
      const data = { host, device: id, machines };
      await raiseAlert(tx, { key, kind: "gpu_throttled", severity: "warning", data, at });
    } else await resolveAlert(tx, { key, by, at });
  }
}
