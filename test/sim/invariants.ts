/**
 * What must always hold (DESIGN.md, section 4), as questions to the rows and to the platform. Each
 * gives sentences about what is broken; none means that it holds.
 */
import { raw } from "sql-template-tag";
import { z } from "zod";

import type { Db } from "#db/pool.ts";
import { sql, type Sql } from "#db/sql.ts";
import { checkLedger } from "#flow/ledger/check.ts";
import { meter, type MeterChange, type MeteredTransition } from "#flow/meter/decide.ts";
import { transitionsAfter } from "#flow/meter/store.ts";
import { checkUsageDays } from "#flow/meter/usage-days.ts";
import { holdsCompute } from "#providers/simulated/capacity.ts";
import type { SimulatedPlatform } from "#providers/simulated/platform.ts";

const found = z.object({ finding: z.string() });

async function ask(db: Db, statement: Sql): Promise<string[]> {
  return (await db.rows(statement, found)).map(({ finding }) => finding);
}

/** At any moment, also in the middle of trouble. */
export async function brokenNow(db: Db): Promise<string[]> {
  return [
    ...(await overlappingUsage(db)),
    ...(await wrongEvents(db)),
    ...(await checkUsageDays(db)),
    ...(await oversold(db)),
    ...(await twoMachinesForOne(db)),
    ...(await checkLedger(db)).map(({ problem }) => problem),
  ];
}

/** Invariant 2: of one instance and resource, no two intervals overlap, and none is after the end. */
function overlappingUsage(db: Db): Promise<string[]> {
  return ask(
    db,
    sql`select 'usage of ' || a.sku || ' of ' || a.instance_id || ' overlaps' as finding
      from usage_interval a join usage_interval b on b.tenant_id = a.tenant_id
        and b.instance_id = a.instance_id and b.sku = a.sku and b.source_seq > a.source_seq
      where a.ended_at is null or a.ended_at > b.started_at
      union all
      select 'usage of ' || u.sku || ' after the end of ' || u.instance_id
      from usage_interval u join transition t on t.tenant_id = u.tenant_id
        and t.instance_id = u.instance_id and t.kind = 'deleted'
        join meter_cursor c on c.tenant_id = u.tenant_id and c.instance_id = u.instance_id
          and c.metered_seq >= t.seq
      where u.ended_at is null or u.ended_at > t.at`,
  );
}

/**
 * Invariant 2 for events: those that stand join to the part of the interval that is cut, second by
 * second, each within one local day.
 */
export function wrongEvents(db: Db): Promise<string[]> {
  return ask(
    db,
    sql`with standing as (
        select e.*, a.time_zone from usage_event e
          join usage_account a on a.tenant_id = e.tenant_id
        where e.kind = 'recorded' and not exists (
          select from usage_event r where r.source = e.source and r.retracts = e.id)
      ), joined as (
        select interval_id, min(used_from) as since, max(used_until) as until,
          bool_and(billable) as billable, sum(used_until - used_from) as length
        from standing group by interval_id)
      select 'events of ' || u.id || ': ' || coalesce(j.length::text, 'none') as finding
      from usage_interval u left join joined j on j.interval_id = u.id
      where case when j.length is null
        then date_trunc('second', u.cut_until) > date_trunc('second', u.started_at)
        else j.since <> date_trunc('second', u.started_at)
          or j.until <> date_trunc('second', u.cut_until)
          or j.length <> j.until - j.since
          or u.cut_next_at is null and j.billable <> u.billable end
      union all
      select 'the event ' || id || ' is not of ' || day from standing
      where (used_from at time zone time_zone)::date <> day
        or ((used_until - interval '1 second') at time zone time_zone)::date <> day
      union all
      select 'the interval ' || id || ' ended and is not cut' from usage_interval
      where ended_at is not null and cut_next_at is not null and cut_next_at > 'epoch'`,
  );
}

/** Invariant 4. */
function oversold(db: Db): Promise<string[]> {
  return ask(
    db,
    sql`select 'host ' || h.name || ' is oversold: '
        || jsonb_agg(jsonb_build_array(p.state, p.milli_cpus, p.shape))::text as finding
      from host h join placement p on p.host_id = h.id and p.state <> 'none'
      group by h.id
      having sum(p.milli_cpus) filter (where p.state = 'full') > h.cpus * 1000
        or sum(p.memory_bytes) filter (where p.state = 'full') > h.memory_bytes
        or sum(p.disk_bytes) > h.disk_bytes
        or sum((p.shape->>'memoryMiB')::int8) filter (where p.state = 'full'
          and p.shape->>'hugePages' = '2Mi') > coalesce((h.huge_pages->>'2Mi')::int8, 0) * 2
      union all
      select 'GPU ' || c.device_id || ' is oversold'
      from gpu_claim c join gpu_device d on d.host_id = c.host_id and d.id = c.device_id
      group by d.host_id, d.id, c.device_id, d.isolation
      having sum(1.0 / c.slice) > 1.000001
        or d.isolation = 'soft' and count(distinct c.tenant_id) > 1`,
  );
}

/** Invariant 5, as far as rows show it. */
function twoMachinesForOne(db: Db): Promise<string[]> {
  return ask(
    db,
    sql`select 'request ' || request_id || ' holds ' || count(*) || ' places' as finding
      from placement where state <> 'none' group by request_id having count(*) > 1
      union all
      select 'request ' || request_id || ' has ' || count(*) || ' instances'
      from instance where state <> 'gone' group by request_id having count(*) > 1`,
  );
}

/** What is still to be done; nothing once all faults are over and everybody had time. */
export function unsettled(db: Db): Promise<string[]> {
  return ask(
    db,
    sql`select 'call ' || (call->>'key') || ' of ' || id || ' is open in ' || state as finding
      from instance where state <> 'gone' and call is not null
      union all
      select i.id || ' is ' || i.state || ', wanted ' || r.wanted || ' turn ' || r.turn
          || ', placed ' || p.state || ' turn ' || p.turn || ', pace ' || i.pace::text
      from instance i join request r on r.tenant_id = i.tenant_id and r.id = i.request_id
        join placement p on p.tenant_id = i.tenant_id and p.instance_id = i.id
        left join queue_entry q on q.tenant_id = r.tenant_id and q.request_id = r.id
          and q.turn = r.turn
      where i.state <> 'gone' and not (
        r.ended_at is null and (
          r.wanted = 'running' and i.state = 'running'
          or r.wanted = 'stopped' and i.state = 'stopped' and p.state = 'disk'
          or r.wanted = 'running' and i.state = 'stopped' and p.state = 'disk'
            and q.state = 'waiting' and q.refusal is not null))
      union all
      select 'request ' || r.id || ' wants ' || r.wanted || ' and has no machine'
      from request r left join queue_entry q on q.tenant_id = r.tenant_id
        and q.request_id = r.id and q.turn = r.turn
      where r.ended_at is null and r.wanted <> 'stopped'
        and not exists (select from instance i where i.tenant_id = r.tenant_id
          and i.request_id = r.id and i.state <> 'gone')
        and not (r.wanted = 'running' and q.state = 'waiting' and q.refusal is not null)
      union all
      select 'operation ' || o.kind || ' of ' || o.request_id || ' goes on' from operation o
        join request r on r.tenant_id = o.tenant_id and r.id = o.request_id
      where o.state = 'running' and not (o.kind in ('create', 'start')
        and exists (select from queue_entry q where q.tenant_id = r.tenant_id
          and q.request_id = r.id and q.turn = r.turn and q.state = 'waiting'))
      union all
      select 'placement of ended ' || request_id || ' is ' || p.state from placement p
        join request r on r.tenant_id = p.tenant_id and r.id = p.request_id
      where r.ended_at is not null and p.state <> 'none'
      union all
      select 'transitions of ' || i.id || ' are not metered' from instance i
        left join meter_cursor c on c.tenant_id = i.tenant_id and c.instance_id = i.id
      where (i.metering->>'seq')::int > coalesce(c.metered_seq, 0)`,
  );
}

const machineRow = z.object({
  id: z.string(),
  state: z.string(),
  placement: z.string(),
  vcpus: z.int(),
  memory: z.int(),
});

/** Invariants 5 and 8 at the platform: what is there is what the rows say, and nothing else. */
export async function differsFromPlatform(db: Db, platform: SimulatedPlatform): Promise<string[]> {
  const rows = await db.rows(
    sql`select i.id, i.state, p.state as placement, (i.shape->>'vcpus')::int as vcpus,
        (i.shape->>'memoryMiB')::int as memory
      from instance i join placement p on p.tenant_id = i.tenant_id and p.instance_id = i.id
      where i.state <> 'gone'`,
    machineRow,
  );
  const machines = new Map(platform.machines().map((machine) => [machine.spec.id, machine]));
  const findings: string[] = [];
  for (const row of rows) {
    const machine = machines.get(row.id);
    machines.delete(row.id);
    if (machine === undefined) findings.push(`${row.id} is ${row.state} and not at the platform`);
    else if (holdsCompute(machine) !== (row.state === "running")) {
      findings.push(`${row.id} is ${row.state} and ${machine.power} at the platform`);
    } else if ((row.placement === "full") !== (row.state === "running")) {
      findings.push(`${row.id} is ${row.state} and placed ${row.placement}`);
    } else {
      const cpus = machine.cpu.sockets * machine.cpu.cores * machine.cpu.threads;
      const sizes = `${cpus} CPUs, ${machine.memoryBytes / 2 ** 20} MiB`;
      const wanted = `${row.vcpus} CPUs, ${row.memory} MiB`;
      const pending = machine.pendingCpu !== null || machine.pendingMemoryBytes !== null;
      if (sizes !== wanted && !pending) findings.push(`${row.id} has ${sizes}, metered ${wanted}`);
    }
  }
  return [...findings, ...[...machines.keys()].map((id) => `nobody wants the machine ${id}`)];
}

/** The instants at which machines became ready and stopped, as the platform alone knows them. */
export interface Facts {
  readonly ready: ReadonlySet<string>;
  readonly stopped: ReadonlySet<string>;
}

/** Watches the platform itself, beside and before whoever is tested. */
export function recordFacts(platform: SimulatedPlatform): {
  readonly facts: Facts;
  readonly look: () => void;
} {
  const ready = new Set<string>();
  const stopped = new Set<string>();
  return {
    facts: { ready, stopped },
    look: () => {
      for (const { spec, readyAt, stop } of platform.machines()) {
        if (readyAt !== null) ready.add(`${spec.id} ${readyAt}`);
        if (stop !== null) stopped.add(`${spec.id} ${stop.at}`);
      }
    },
  };
}

const instanceRow = z.object({ tenant_id: z.string(), id: z.string(), request_id: z.string() });
const intervalRow = z.object({
  sku: z.string(),
  units: z.bigint(),
  slice: z.int(),
  started_at: z.date(),
  ended_at: z.date().nullable(),
  source_seq: z.int(),
});

/**
 * Invariant 2: the intervals are those that the transitions tell, whatever pieces they were metered
 * in; transitions never run backwards, and are the platform's facts, where somebody recorded them.
 */
export async function wrongUsage(db: Db, facts?: Facts): Promise<string[]> {
  const findings: string[] = [];
  for (const row of await db.rows(
    sql`select tenant_id, id, request_id from instance`,
    instanceRow,
  )) {
    const of = {
      tenantId: row.tenant_id,
      instanceId: row.id,
      requestId: row.request_id,
      projectId: "",
      kind: "lease",
    } as const;
    const transitions = await transitionsAfter(db, of, 0);
    const stored = await db.rows(
      sql`select sku, units, slice, started_at, ended_at, source_seq from usage_interval
        where instance_id = ${row.id} order by sku, source_seq`,
      intervalRow,
    );
    const told = intervalsOf(meter("lease", [], transitions));
    const kept = stored.map((each) =>
      text(each.sku, each.source_seq, each.started_at.getTime(), each.ended_at?.getTime()),
    );
    if (JSON.stringify(told) !== JSON.stringify(kept)) {
      findings.push(`usage of ${row.id}: told ${told.join(", ")}; kept ${kept.join(", ")}`);
    }
    findings.push(...wrongTransitions(row.id, transitions, facts));
  }
  return findings;
}

function wrongTransitions(
  id: string,
  transitions: readonly MeteredTransition[],
  facts: Facts | undefined,
): string[] {
  const findings: string[] = [];
  let last = 0;
  for (const { kind, at, evidence } of transitions) {
    if (at < last) findings.push(`${id}: ${kind} runs backwards`);
    const seen = kind === "ready" ? facts?.ready : kind === "stopped" ? facts?.stopped : undefined;
    const byUs = evidence["reason"] === "released" || evidence["reason"] === "lost";
    if (seen !== undefined && !byUs && at > last && !seen.has(`${id} ${at}`)) {
      findings.push(`${id}: ${kind} at ${at} is not what the platform saw`);
    }
    last = at;
  }
  return findings;
}

function intervalsOf(changes: readonly MeterChange[]): string[] {
  const open = new Map<string, { from: number; seq: number }>();
  const made: { sku: string; seq: number; from: number; until: number | undefined }[] = [];
  for (const change of changes) {
    if (change.change === "open") {
      const { sku, startedAt } = change.interval;
      open.set(sku, { from: startedAt, seq: change.sourceSeq });
    } else {
      const started = open.get(change.sku);
      open.delete(change.sku);
      if (started !== undefined) {
        made.push({ sku: change.sku, ...started, until: change.endedAt });
      }
    }
  }
  for (const [sku, started] of open) made.push({ sku, ...started, until: undefined });
  return made
    .toSorted((a, b) => (a.sku < b.sku ? -1 : a.sku > b.sku ? 1 : a.seq - b.seq))
    .map((each) => text(each.sku, each.seq, each.from, each.until));
}

function text(sku: string, seq: number, from: number, until: number | undefined): string {
  return `${sku} #${seq} ${from} to ${until ?? "now"}`;
}

/** Once everything is released: nothing is held, open or left anywhere. */
export async function leftovers(db: Db, platform: SimulatedPlatform): Promise<string[]> {
  return [
    ...(await ask(
      db,
      sql`select 'hold of ' || tenant_id || ': ' || balance as finding from account
          where kind = 'held' and balance <> 0
        union all select 'hold of ' || tenant_id || ' on packages: ' || amount from package_hold
          where released_at is null
        union all select 'usage goes on: ' || sku from usage_interval where ended_at is null
        union all select 'claim on ' || device_id from gpu_claim
        union all select 'placement ' || state from placement where state <> 'none'
        union all select 'instance ' || state from instance where state <> 'gone'
        union all select 'request wants ' || wanted from request where ended_at is null
        union all select 'operation ' || kind from operation where state = 'running'
        union all select 'queue waits' from queue_entry where state = 'waiting'
        union all select 'snapshot ' || state from snapshot where state <> 'gone'`,
    )),
    ...platform.machines().map(({ spec }) => `machine ${spec.id} is left`),
  ];
}

const protectedTables = z.object({ name: z.string(), foreign: z.int() });

/** Invariant 7: as one tenant, no row of another is there, whatever the query. */
export async function visibleToOthers(db: Db, tenantId: string): Promise<string[]> {
  const names = await db.rows(
    sql`select c.relname as name, 0 as foreign from pg_class c
      join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
      where c.relrowsecurity and c.relkind = 'r' order by 1`,
    protectedTables,
  );
  const union = names
    .map(
      ({ name }) => `select '${name}' as name, count(*)::int as foreign from ${name}
      where tenant_id <> '${tenantId}'`,
    )
    .join(" union all ");
  const seen = await db.tenant(tenantId, (tx) => tx.rows(sql`${raw(union)}`, protectedTables));
  return seen.filter((each) => each.foreign > 0).map(({ name }) => `${name} shows others' rows`);
}
