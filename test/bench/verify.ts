/**
 * Offline verification against the hashing of the same bytes, in one process and one run. The bundle
 * is a real one: events through the meter's rows, the sequencer, the rater, the closing and the export.
 *
 * Issue limit: 100,000 events in at most five times the time of hashing their bytes.
 * `node --conditions=source test/bench/verify.ts [events]`
 */
import process from "node:process";
import { buffer } from "node:stream/consumers";

import { v7 as newId } from "uuid";

import { exportBundle } from "#bundles/export.ts";
import { newCustomer, signer } from "#bundles/sample.ts";
import { usageAccounts } from "#flow/meter/accounts.ts";
import { insertEvents, type EventDraft } from "#flow/meter/event-store.ts";
import { meterSource } from "#flow/meter/event.ts";
import { sequence, signIfNeeded } from "#flow/meter/sequencer.ts";
import { addDays, dayStart, localDay, localMonth, type LocalDay } from "#kernel/calendar.ts";
import { billingZone } from "#kernel/zone.ts";
import { hashLength } from "#tlog/hash.ts";
import { formatKey } from "#tlog/keys.ts";
import { nodeHasher, nodeSha256, nodeVerify } from "#tlog/node-crypto.ts";
import { verifyBundle } from "#verify/verify.ts";

import { benchDatabase, type BenchDatabase } from "./database.ts";

const hourMs = 3_600_000;
const first = localDay("2026-04-01");
const nights = 29;
const skus = [
  ["gpu.T4", 1n],
  ["cpu.core", 8n],
  ["mem.gib", 32n],
] as const;
const eventsPerInsert = 5000;
const rounds = 5;

export interface VerifyFigures {
  readonly events: number;
  readonly bytes: number;
  /** CPU milliseconds, the least of some rounds. */
  readonly hashMs: number;
  readonly verifyMs: number;
}

/** On an empty database of its own. */
export async function benchVerify({ db }: BenchDatabase, events: number): Promise<VerifyFigures> {
  const customer = await newCustomer(db, "verified", billingZone);
  const { tenantId } = customer;
  await db.transaction((tx) => usageAccounts(tx, [tenantId]));
  const drafts = nightsOf(tenantId, events);
  for (let at = 0; at < drafts.length; at += eventsPerInsert) {
    const some = drafts.slice(at, at + eventsPerInsert);
    // oxlint-disable-next-line no-await-in-loop -- one connection
    await db.transaction((tx) =>
      insertEvents(tx, some, dayStart(billingZone, addDays(first, nights))),
    );
  }
  // oxlint-disable-next-line no-await-in-loop -- batch after batch
  while (((await sequence(db)) ?? 0) > 0);
  const now = dayStart(billingZone, addDays(first, 30)) + 49 * hourMs;
  await signIfNeeded(db, { signer, now });
  await customer.pass(now);
  const chunks = await exportBundle(db, {
    tenantId,
    month: localMonth("2026-04"),
    keptSize: undefined,
  });
  const bytes = new Uint8Array(await buffer(chunks));
  const spans = eventSpans(bytes);
  const hashMs: number[] = [];
  const verifyMs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    hashMs.push(cpuMs(() => hashAll(bytes, spans)));
    verifyMs.push(cpuMs(() => proved(bytes)));
  }
  return {
    events: spans.length,
    bytes: bytes.length,
    hashMs: Math.min(...hashMs),
    verifyMs: Math.min(...verifyMs),
  };
}

export function verifyText({ events, bytes, hashMs, verifyMs }: VerifyFigures): string {
  const ratio = (verifyMs / hashMs).toFixed(2);
  return `offline verification, ${events} events, ${(bytes / 1e6).toFixed(0)} MB: ${verifyMs.toFixed(0)} ms CPU; hashing the events ${hashMs.toFixed(0)} ms; ${ratio} x (limit 5)`;
}

/** Machines that ran from ten in the evening to one in the morning: two segments each. */
function nightsOf(tenantId: string, events: number): EventDraft[] {
  const drafts: EventDraft[] = [];
  for (let index = 0; drafts.length < events; index += 1) {
    const [sku, units] = skus[index % skus.length] ?? skus[0];
    const day = addDays(first, index % nights);
    const id = newId();
    drafts.push(draftOf({ tenantId, id, number: 1, day, sku, units, hours: [22, 24] }));
    const next = addDays(day, 1);
    drafts.push(draftOf({ tenantId, id, number: 2, day: next, sku, units, hours: [0, 1] }));
  }
  return drafts;
}

function draftOf(of: {
  readonly tenantId: string;
  readonly id: string;
  readonly number: number;
  readonly day: LocalDay;
  readonly sku: string;
  readonly units: bigint;
  readonly hours: readonly [number, number];
}): EventDraft {
  const { tenantId, id, day, sku, units } = of;
  const start = dayStart(billingZone, day);
  const [from, until] = of.hours.map((hour) => start + hour * hourMs);
  const use = {
    tenantId,
    projectId: id,
    requestId: id,
    instanceId: id,
    intervalId: id,
    work: "lease",
    plan: "on_demand",
    sku,
    units,
    slice: 1,
    from: from ?? 0,
    until: until ?? 0,
    billable: true,
    reason: of.number === 2 ? "stopped" : null,
  } as const;
  const event = {
    kind: "recorded",
    source: meterSource,
    id: `${id}/${of.number}`,
    at: use.until,
    ...use,
  } as const;
  return { event, use, day, counted: true };
}

/** Where each event begins and ends. */
function eventSpans(bytes: Uint8Array): (readonly [number, number])[] {
  const spans: (readonly [number, number])[] = [];
  const event = new TextEncoder().encode('{"event"');
  for (let at = 0; at < bytes.length;) {
    const until = bytes.indexOf(0x0a, at);
    if (event.every((byte, index) => bytes[at + index] === byte)) spans.push([at, until]);
    at = until + 1;
  }
  return spans;
}

function hashAll(bytes: Uint8Array, spans: readonly (readonly [number, number])[]): void {
  const digest = new Uint8Array(hashLength);
  for (const [from, until] of spans) nodeSha256(bytes.subarray(from, until), digest, 0);
}

function proved(bytes: Uint8Array): void {
  const crypto = { sha256: nodeSha256, hasher: nodeHasher(), verify: nodeVerify };
  const trust = { key: formatKey(signer.key), checkpoint: undefined };
  const { isProved, failures } = verifyBundle(bytes, { crypto, trust });
  if (!isProved) throw new Error(JSON.stringify(failures.slice(0, 3)));
}

function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

if (import.meta.main) {
  const bench = await benchDatabase();
  try {
    const figures = await benchVerify(bench, Number(process.argv[2] ?? 100_000));
    process.stdout.write(`${verifyText(figures)}\n`);
  } finally {
    await bench.remove();
  }
}
