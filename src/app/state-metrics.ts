/**
 * What the operator is to be woken for, as Prometheus metrics; docs/operate/alerts.yml has the rules.
 * They are asked at each scrape, so nothing of them can be stale. What must stay true: a scrape ends
 * in time and shows the rest, whatever the database does; that it does not answer is a figure itself.
 */
import { Gauge } from "prom-client";
import { z } from "zod";

import { freeBytes } from "#config/data-directory.ts";
import type { Db } from "#db/pool.ts";
import { awaySince, isKept } from "#catalog/sites.ts";
import { sql } from "#db/sql.ts";
import { openAlerts } from "#notices/store.ts";
import type { Observer } from "#observe/observer.ts";

/** Prometheus gives a scrape up after 10 s, if nobody told it otherwise. */
const answerTimeoutMs = 4_000;

interface Reading {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Figure {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** No readings when it cannot be known now. */
  readonly read: () => Promise<readonly Reading[]>;
}

export function stateMetrics(context: {
  readonly observer: Observer;
  readonly db: Db;
  readonly dataDirectory: string;
  readonly now: () => number;
}): void {
  const { observer, db, now } = context;
  const figures: readonly Figure[] = [
    {
      name: "millrace_database_up",
      help: "Whether the database answers: 1 or 0",
      labels: [],
      read: async () => {
        const answer = await inTime(db.execute(sql`select 1`));
        return [{ labels: {}, value: answer === undefined ? 0 : 1 }];
      },
    },
    {
      name: "millrace_alerts_open",
      help: "Open alerts by kind and severity; see: millrace alert list",
      labels: ["kind", "severity"],
      read: async () =>
        ((await inTime(openAlerts(db))) ?? []).map(({ kind, severity, count }) => ({
          labels: { kind, severity },
          value: count,
        })),
    },
    {
      name: "millrace_site_reachable",
      help: "Whether a site answered when it was looked at last, not too long ago: 1 or 0",
      labels: ["site"],
      read: async () =>
        ((await inTime(sites(db, now()))) ?? []).map(({ name, reachable }) => ({
          labels: { site: name },
          value: reachable ? 1 : 0,
        })),
    },
    {
      name: "millrace_queue_waiting",
      help: "Leases and attempts of jobs that wait for capacity",
      labels: [],
      read: async () => {
        const line = await inTime(queue(db));
        return line === undefined ? [] : [{ labels: {}, value: line.waiting }];
      },
    },
    {
      name: "millrace_queue_oldest_seconds",
      help: "How long the oldest of them has waited",
      labels: [],
      read: async () => {
        const line = await inTime(queue(db));
        if (line === undefined) return [];
        const waitedMs = line.since === null ? 0 : Math.max(0, now() - line.since.getTime());
        return [{ labels: {}, value: waitedMs / 1_000 }];
      },
    },
    {
      name: "millrace_host_cpu_pressure_percent",
      help: "Percent of the last minute in which work on a host waited for a CPU",
      labels: ["site", "host"],
      read: async () =>
        ((await inTime(pressures(db))) ?? []).map(({ site, name, percent }) => ({
          labels: { site, host: name },
          value: percent,
        })),
    },
    {
      name: "millrace_gpus_throttled",
      help: "Devices of a host that run slower than they could",
      labels: ["site", "host"],
      read: async () =>
        ((await inTime(throttledGpus(db))) ?? []).map(({ site, name, count }) => ({
          labels: { site, host: name },
          value: count,
        })),
    },
    {
      name: "millrace_data_free_bytes",
      help: "Free bytes on the disk of the data directory",
      labels: [],
      read: async () => {
        const free = await inTime(freeBytes(context.dataDirectory));
        return free === undefined ? [] : [{ labels: {}, value: free }];
      },
    },
  ];
  for (const figure of figures) addGauge(observer, figure);
}

function addGauge({ metrics }: Observer, { name, help, labels, read }: Figure): void {
  // oxlint-disable-next-line no-new -- it registers itself
  new Gauge({
    name,
    help,
    labelNames: [...labels],
    registers: [metrics],
    async collect() {
      const readings = await read();
      // An alert that was resolved is no reading any more. A gauge without labels begins with a zero,
      // which would say something that nobody knows.
      this.reset();
      if (labels.length === 0) this.remove();
      for (const { labels: of, value } of readings) this.set(of, value);
    },
  });
}

/** `undefined` if it fails or takes too long: a scrape tells what it can. */
async function inTime<T>(question: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), answerTimeoutMs);
  try {
    return await Promise.race([question, late.promise]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

const siteRow = z.object({ name: z.string(), reachable: z.boolean() });

function sites(db: Db, at: number): Promise<z.output<typeof siteRow>[]> {
  return db.rows(
    sql`select name, reachable and ${awaySince(sql`site`, at)} is null as reachable from site
      where ${isKept(sql`site`)}`,
    siteRow,
  );
}

const pressureRow = z.object({ site: z.string(), name: z.string(), percent: z.number() });

function pressures(db: Db): Promise<z.output<typeof pressureRow>[]> {
  return db.rows(
    sql`select site, name, cpu_pressure_percent::float8 as percent from host
      where cpu_pressure_percent is not null order by site, name`,
    pressureRow,
  );
}

const throttledRow = z.object({ site: z.string(), name: z.string(), count: z.int() });

function throttledGpus(db: Db): Promise<z.output<typeof throttledRow>[]> {
  return db.rows(
    sql`select h.site, h.name, count(*) filter (where d.throttled)::int as count
      from host h join gpu_device d on d.host_id = h.id where d.present
      group by h.id order by h.site, h.name`,
    throttledRow,
  );
}

const queueRow = z.object({ waiting: z.int(), since: z.date().nullable() });

function queue(db: Db): Promise<z.output<typeof queueRow>> {
  return db.one(
    sql`select count(*)::int as waiting, min(enqueued_at) as since from queue_entry
      where state = 'waiting'`,
    queueRow,
  );
}
