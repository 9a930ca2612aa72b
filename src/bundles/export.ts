/**
 * A month's bundle as bytes, for whoever checks it without us (verify/). The same state of the database
 * gives the same bytes. Events are read page by page while they are sent, so its size is no matter.
 */
import type { Db, Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { eventsWhere } from "#flow/meter/event-rows.ts";
import { saltedText } from "#flow/meter/event.ts";
import { consistencyHashes, hashesOf } from "#flow/meter/proofs.ts";
import type { ChargeLine } from "#flow/rate/lines.ts";
import type { LocalMonth } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { formatFen } from "#kernel/money.ts";
import { formatRational } from "#kernel/rational.ts";
import { assert } from "#kernel/assert.ts";
import { toBase64 } from "#tlog/base64.ts";
import { multiProofSpans } from "#tlog/multi-proof.ts";
import { nodeSha256 } from "#tlog/node-crypto.ts";
import { leavesPerRecord, type WrittenRecord } from "#verify/format.ts";
import { BundleWriter } from "#verify/write.ts";

import { readContent, type Content } from "./content.ts";

const eventsPerPage = 2000;

export interface BundleAsk {
  readonly tenantId: string;
  readonly month: LocalMonth;
  /** The size of a checkpoint that somebody kept; the bundle then proves that the log goes on from it. */
  readonly keptSize: number | undefined;
}

/** Everything but the events is read before the first byte. */
export async function exportBundle(db: Db, ask: BundleAsk): Promise<AsyncGenerator<Uint8Array>> {
  const { tenantId } = ask;
  const { records, leaves } = await db.tenant(
    tenantId,
    async (tx) => {
      const content = await readContent(tx, ask);
      return { records: await recordsOf(tx, content, ask.keptSize), leaves: content.leaves };
    },
    { isolation: "repeatable read", readOnly: true },
  );
  const indexes = leaves.map((each) => each.leaf_index);
  return write({ records, indexes, tenantId, reads: db.reads(tenantId) });
}

async function* write(of: {
  readonly records: readonly WrittenRecord[];
  readonly indexes: readonly number[];
  readonly tenantId: string;
  readonly reads: Queryable;
}): AsyncGenerator<Uint8Array> {
  const { records, indexes, tenantId, reads } = of;
  const writer = new BundleWriter(nodeSha256);
  for (const record of records) yield writer.record(record);
  for (let at = 0; at < indexes.length; at += eventsPerPage) {
    const page = indexes.slice(at, at + eventsPerPage);
    const where = sql`e.tenant_id = ${tenantId} and l.leaf_index = any(${page}::int8[])`;
    const order = sql`l.leaf_index`;
    // oxlint-disable-next-line no-await-in-loop -- page after page
    const events = await eventsWhere(reads, { where, limit: eventsPerPage, order });
    assert(events.length === page.length, "an event that was logged stays");
    yield writer.events(events.map(({ event, salt }) => saltedText(event, salt)));
  }
  yield writer.end();
}

async function recordsOf(
  db: Queryable,
  content: Content,
  keptSize: number | undefined,
): Promise<WrittenRecord[]> {
  const { tenant, month, zone, ratedFrom, invoice, key, leaves, assigned } = content;
  const { uncounted, after } = assigned;
  const indexes = leaves.map((each) => each.leaf_index);
  const records: WrittenRecord[] = [];
  const state = invoice === undefined ? "provisional" : "final";
  records.push({ record: "bundle", version: 1, month, timeZone: zone, tenant, state, ratedFrom });
  if (key !== undefined) records.push({ record: "key", key });
  records.push(...(await logRecords(db, content, keptSize)));
  records.push(...priceRecords(content), ...content.items.map(orderRecord));
  records.push(...content.lines.map((line) => lineRecord(line, content)));
  if (uncounted.length > 0) records.push({ record: "uncounted", leaves: [...uncounted] });
  if (after.length > 0) records.push({ record: "after", leaves: [...after] });
  if (typeof invoice?.sha256 === "string") {
    records.push({ record: "invoice", number: invoice.number, sha256: invoice.sha256 });
  }
  records.push({ record: "statement", statement: { ...content.statement } });
  records.push(...leafRecords(content), ...(await inclusionRecords(db, indexes, content)));
  records.push({ record: "events", count: indexes.length });
  return records;
}

async function logRecords(
  db: Queryable,
  { checkpoints }: Content,
  keptSize: number | undefined,
): Promise<WrittenRecord[]> {
  const sizes = checkpoints.map(({ size }) => size);
  const newest = sizes.at(-1) ?? 0;
  if (keptSize !== undefined && keptSize > newest) {
    throw new Failure(
      "wrong_state",
      `Your checkpoint has ${keptSize} leaves and the log's newest has ${newest}. If the checkpoint is this log's, that should never be: keep it.`,
      { details: { kept: keptSize, newest } },
    );
  }
  const pairs = sizes.slice(1).map((to, index) => ({ from: sizes[index] ?? 0, to }));
  if (keptSize !== undefined && keptSize > 0 && !sizes.includes(keptSize)) {
    pairs.push({ from: keptSize, to: sizes.find((size) => size > keptSize) ?? newest });
  }
  const proofs: WrittenRecord[] = [];
  for (const { from, to } of pairs) {
    // oxlint-disable-next-line no-await-in-loop -- one connection; two or three
    const hashes = await consistencyHashes(db, { older: from, newer: to });
    proofs.push({ record: "consistency", from, to, hashes: hashes.map((hash) => toBase64(hash)) });
  }
  return [...checkpoints.map(({ note }) => ({ record: "checkpoint", note }) as const), ...proofs];
}

function priceRecords(content: Content): WrittenRecord[] {
  const { profiles, contracts, tiers, funding, lines } = content;
  const funded = new Set(lines.flatMap((line) => (funding.before(line) ?? []).map(({ id }) => id)));
  return [
    ...profiles.map((profile) => ({
      record: "profile" as const,
      ...profile,
      body: { ...profile.body },
    })),
    ...contracts.map(({ sku, from, text }) => ({
      record: "contract" as const,
      sku,
      from,
      price: text,
    })),
    ...tiers.map((tier) => ({ record: "tier" as const, ...tier })),
    ...funding.packages
      .filter(({ id }) => funded.has(id))
      .map(({ id, usableFrom, usableThrough, principal, bonus }) => ({
        record: "package" as const,
        id,
        usableFrom,
        usableThrough,
        principal: formatFen(principal),
        bonus: formatFen(bonus),
      })),
  ];
}

function orderRecord(item: Content["items"][number]): WrittenRecord {
  return {
    record: "order" as const,
    id: item.id,
    kind: item.kind,
    sku: item.sku,
    at: item.at,
    data: { ...item.data },
    listPrice: formatFen(item.listPrice),
    discounts: item.discounts.map(({ rule, amount }) => ({ rule, amount: formatFen(amount) })),
    amount: formatFen(item.amount),
    refundOf: item.refundOf,
  };
}

function lineRecord(line: ChargeLine, { assigned, funding }: Content): WrittenRecord {
  const leaves = assigned.ofLine(line);
  const funds = funding.before(line);
  const { paid, postedAt } = line;
  return {
    record: "line" as const,
    day: line.serviceDay,
    sku: line.sku,
    revision: line.revision,
    billedMonth: line.billedMonth,
    postedAt: postedAt ?? null,
    ...(leaves === undefined ? {} : { leaves: [...leaves] }),
    ...(postedAt === undefined
      ? {
          quantity: formatRational(line.quantity),
          jobQuantity: formatRational(line.jobQuantity),
        }
      : {}),
    paid: {
      packages: paid.packages.map(shareOf),
      ended: paid.ended.map(shareOf),
      wallet: formatFen(paid.wallet),
      receivable: formatFen(paid.receivable),
      promotion: formatFen(paid.promotion),
    },
    ...(funds === undefined
      ? {}
      : { funds: funds.map(({ id: packageId, ...had }) => shareOf({ packageId, ...had })) }),
  };
}

function shareOf({ packageId, principal, bonus }: ChargeLine["paid"]["packages"][number]) {
  return { id: packageId, principal: formatFen(principal), bonus: formatFen(bonus) };
}

function leafRecords({ leaves }: Content): WrittenRecord[] {
  const records: WrittenRecord[] = [];
  for (let at = 0; at < leaves.length; at += leavesPerRecord) {
    const some = leaves.slice(at, at + leavesPerRecord);
    records.push({
      record: "leaves" as const,
      indexes: some.map((each) => each.leaf_index),
      hashes: toBase64(Buffer.concat(some.map((each) => each.leaf_hash))),
    });
  }
  return records;
}

async function inclusionRecords(
  db: Queryable,
  indexes: readonly number[],
  { checkpoints }: Content,
): Promise<WrittenRecord[]> {
  const size = checkpoints.at(-1)?.size;
  if (size === undefined || indexes.length === 0) return [];
  const hashes = await hashesOf(db, multiProofSpans(indexes, size), size);
  return [{ record: "inclusion", size, hashes: toBase64(Buffer.concat(hashes)) }];
}
