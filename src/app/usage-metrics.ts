/**
 * What machines really use, beside what they hold, as Prometheus metrics (MT-03); the dashboard is
 * docs/operate/grafana/usage.json. Samples never make a charge: bills follow our own records of who
 * held what (flow/meter), and the samples cross-check those. What must stay true: a machine that works
 * and is not metered, or is metered and cannot be seen, is a figure that an alert watches.
 */
import { Gauge } from "prom-client";
import { z } from "zod";

import type { Db } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { shapeRow } from "#flow/admit/rows.ts";
import type { LoopDefinition } from "#loops/loop.ts";
import type { Observer } from "#observe/observer.ts";
import type { Provider, Sample } from "#providers/provider.ts";

const periodMs = 15_000;
const callTimeoutMs = 10_000;
const machinesPerCall = 200;
/** Figures by machine for so many of a site, the newest first; sums by tenant have all of them. */
const machinesShownMax = 1_000;
/** A machine may be seen before its metering is written, and go before it ends. */
const settlesMs = 60_000;
const mib = 2 ** 20;

const machineRow = z
  .object({
    id: z.string(),
    tenant: z.string(),
    kind: z.enum(["lease", "job"]),
    name: z.string(),
    shape: shapeRow,
    state: z.string(),
    state_since: instant,
    metered: z.boolean(),
  })
  .transform(({ state_since: since, ...rest }) => ({ ...rest, since }));
type Machine = z.output<typeof machineRow>;

interface Seen {
  readonly machine: Machine;
  readonly sample: Sample | undefined;
  /** CPUs in use since the look before; `undefined` on the first. */
  readonly cores: number | undefined;
  readonly seconds: number;
}

type Sampled = Pick<Provider, "site" | "samples">;

export interface UsageMetrics {
  loopFor(provider: Sampled): LoopDefinition;
}

export function usageMetrics({
  db,
  observer,
  now,
}: {
  readonly db: Db;
  readonly observer: Observer;
  readonly now: () => number;
}): UsageMetrics {
  const sites = new Map<string, readonly Seen[]>();
  for (const figure of figures) addGauge(observer, sites, figure);
  return {
    loopFor: (provider) => {
      let before = new Map<string, Sample>();
      return {
        name: `usage ${provider.site}`,
        periodMs,
        channels: [],
        pass: async (signal) => {
          const machines = await machinesOf(db, provider.site);
          const samples = await samplesOf(provider, machines, signal);
          sites.set(
            provider.site,
            machines.map((machine) => {
              const sample = samples.get(machine.id);
              const cores = coresBetween(before.get(machine.id), sample);
              return { machine, sample, cores, seconds: Math.max(0, now() - machine.since) / 1000 };
            }),
          );
          before = samples;
          return "rest";
        },
      };
    },
  };
}

function machinesOf(db: Db, site: string): Promise<Machine[]> {
  return db.rows(
    sql`select i.id, t.name as tenant, i.kind, r.name, i.shape, i.state, i.state_since,
        exists (select from usage_interval u where u.tenant_id = i.tenant_id
          and u.instance_id = i.id and u.sku <> 'storage' and u.ended_at is null) as metered
      from instance i join tenant t on t.id = i.tenant_id
      join request r on r.tenant_id = i.tenant_id and r.id = i.request_id
      where i.site = ${site} and i.state in ('running', 'stopping')
      order by i.created_at desc, i.id`,
    machineRow,
  );
}

async function samplesOf(
  provider: Sampled,
  machines: readonly Machine[],
  signal: AbortSignal,
): Promise<Map<string, Sample>> {
  const found = new Map<string, Sample>();
  for (let at = 0; at < machines.length && !signal.aborted; at += machinesPerCall) {
    const ids = machines.slice(at, at + machinesPerCall).map(({ id }) => id);
    const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(callTimeoutMs)]) };
    // oxlint-disable-next-line no-await-in-loop -- one call at a time
    for (const sample of await provider.samples(call, ids)) found.set(sample.machineId, sample);
  }
  return found;
}

/** A counter that went back was started anew. */
function coresBetween(before: Sample | undefined, after: Sample | undefined): number | undefined {
  if (before === undefined || after === undefined || after.at <= before.at) return undefined;
  const seconds = (after.at - before.at) / 1000;
  return Math.max(0, after.cpuSeconds - before.cpuSeconds) / seconds;
}

interface Figure {
  readonly name: string;
  readonly help: string;
  readonly by: "machine" | "tenant" | "model" | "site";
  /** `undefined` where nothing is known. */
  readonly value: (seen: Seen) => number | undefined;
}

const figures: readonly Figure[] = [
  {
    name: "millrace_machine_cpu_cores",
    help: "CPUs that a machine keeps busy",
    by: "machine",
    value: ({ cores }) => cores,
  },
  {
    name: "millrace_machine_memory_bytes",
    help: "Memory of a machine that is resident on its host",
    by: "machine",
    value: ({ sample }) => sample?.residentBytes,
  },
  {
    name: "millrace_machine_running_seconds",
    help: "How long a machine has been running",
    by: "machine",
    value: ({ seconds }) => seconds,
  },
  {
    name: "millrace_tenant_cpu_cores",
    help: "CPUs that a tenant's machines keep busy",
    by: "tenant",
    value: ({ cores }) => cores,
  },
  {
    name: "millrace_tenant_cpu_cores_held",
    help: "CPUs that a tenant's running machines have: what is billed",
    by: "tenant",
    value: ({ machine }) => machine.shape.vcpus,
  },
  {
    name: "millrace_tenant_memory_bytes",
    help: "Memory of a tenant's machines that is resident on hosts",
    by: "tenant",
    value: ({ sample }) => sample?.residentBytes,
  },
  {
    name: "millrace_tenant_memory_bytes_held",
    help: "Memory that a tenant's running machines have: what is billed",
    by: "tenant",
    value: ({ machine }) => machine.shape.memoryMiB * mib,
  },
  {
    name: "millrace_gpus_held",
    help: "GPUs that running machines hold, slices as fractions, by model and tenant",
    by: "model",
    value: ({ machine: { shape } }) =>
      shape.gpu === null ? undefined : shape.gpu.count / shape.gpu.slice,
  },
  {
    name: "millrace_machines_unmetered",
    help: "Machines that run at the platform and are not metered",
    by: "site",
    value: ({ machine, sample, seconds }) =>
      Number(
        isLease(machine) && !machine.metered && sample !== undefined && seconds * 1000 > settlesMs,
      ),
  },
  {
    name: "millrace_machines_unseen",
    help: "Machines that are metered and that the platform does not show",
    by: "site",
    value: ({ machine, sample, seconds }) =>
      Number(machine.metered && sample === undefined && seconds * 1000 > settlesMs),
  },
];

/** A job's machine is metered only while its program runs (R-PAYG-6). */
function isLease({ kind, state }: Machine): boolean {
  return kind === "lease" && state === "running";
}

const labelsOf = {
  machine: ["site", "tenant", "kind", "name", "machine"],
  tenant: ["site", "tenant", "kind"],
  model: ["site", "tenant", "kind", "model"],
  site: ["site"],
} as const;

function addGauge(
  { metrics }: Observer,
  sites: ReadonlyMap<string, readonly Seen[]>,
  { name, help, by, value }: Figure,
): void {
  // oxlint-disable-next-line no-new -- it registers itself
  new Gauge({
    name,
    help,
    labelNames: [...labelsOf[by]],
    registers: [metrics],
    collect() {
      this.reset();
      for (const [site, all] of sites) {
        const shown = by === "machine" ? all.slice(0, machinesShownMax) : all;
        for (const seen of shown) {
          const read = value(seen);
          if (read !== undefined) this.inc(labels(site, by, seen.machine), read);
        }
      }
    },
  });
}

function labels(site: string, by: Figure["by"], machine: Machine): Record<string, string> {
  const { tenant, kind, name, id, shape } = machine;
  switch (by) {
    case "machine":
      return { site, tenant, kind, name, machine: id };
    case "tenant":
      return { site, tenant, kind };
    case "model":
      return { site, tenant, kind, model: shape.gpu?.model ?? "none" };
    case "site":
      return { site };
  }
}
