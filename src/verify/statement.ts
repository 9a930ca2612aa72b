/**
 * The bill itself: made again out of the rated lines and the order items, and compared field by field
 * with the one in the bundle. The first difference of each line is named.
 */
import type { PriceBook } from "#catalog/price-book.ts";
import { composeStatement } from "#flow/invoice/compose.ts";
import type { Statement } from "#flow/invoice/decide.ts";
import { dayOf, monthOf } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { formatFen, negateFen, sumFen } from "#kernel/money.ts";
import type { TimeZone } from "#kernel/zone.ts";
import { toBase64 } from "#tlog/base64.ts";
import type { Checkpoint } from "#tlog/checkpoint.ts";
import type { Sha256 } from "#tlog/hash.ts";
import { canonicalJson } from "#tlog/leaf.ts";

import type { Findings } from "./findings.ts";
import type { RecordOf } from "./format.ts";
import type { Bundle } from "./read.ts";
import { lineName, type Rerated } from "./rerate.ts";
import { sha256Hex } from "./write.ts";

export interface StatementCheck {
  readonly rerated: readonly Rerated[];
  readonly book: PriceBook;
  readonly zone: TimeZone;
  readonly checkpoints: readonly Checkpoint[];
}

export interface CheckedStatement {
  /** Of the canonical text of the bill in the bundle, and of the one that was made again. */
  readonly sha256: string;
  readonly remadeSha256: string | undefined;
}

/** The bill as the events make it; `undefined` where they make none. */
function remakeStatement(
  bundle: Bundle,
  { rerated, book, zone, checkpoints }: StatementCheck,
  findings: Findings,
): Statement | undefined {
  const { month, tenant } = bundle.header;
  const lines = rerated
    .filter(({ record }) => record.billedMonth === month)
    .toSorted(({ record: a }, { record: b }) => (orderOf(a) < orderOf(b) ? -1 : 1));
  const tallies = new Map(lines.map(({ record, tally }) => [lineName(record), { record, tally }]));
  const orders = bundle.all("order");
  const checkpoint = namedCheckpoint(bundle, checkpoints);
  try {
    return composeStatement(
      book,
      { tenant, timeZone: zone, range: { kind: "billed", month } },
      {
        lines: lines.map(({ line }) => ({ ...line, isPosted: line.postedAt !== undefined })),
        items: orders,
        leavesOf: ({ serviceDay: day, sku, revision }) => {
          const name = `line ${day} ${sku}${revision === 0 ? "" : ` revision ${revision}`}`;
          const found = tallies.get(name);
          if (found?.tally === undefined || found.record.postedAt === null) return null;
          const { count, first, last } = found.tally;
          return { count, first, last };
        },
        checkpoint,
      },
    );
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    findings.fail("statement_unmade", "statement", { what: error.message });
    return undefined;
  }
}

export function checkStatement(
  bundle: Bundle,
  of: StatementCheck & { readonly sha256: Sha256 },
  findings: Findings,
): CheckedStatement {
  const said = bundle.all("statement")[0]?.statement ?? {};
  const text = canonicalJson(said);
  const sha256 = sha256Hex(of.sha256, text);
  const [invoice] = bundle.all("invoice");
  if (invoice !== undefined && invoice.sha256 !== sha256) {
    const values = { found: sha256, number: invoice.number, wanted: invoice.sha256 };
    findings.fail("invoice_hash", `invoice ${invoice.number}`, values);
  }
  checkOrders(bundle, of.zone, findings);
  const made = remakeStatement(bundle, of, findings);
  if (made !== undefined) compareStatements(said, made, findings);
  checkCheckpoint(said, { ...of, hasEvents: bundle.leafIndexes.length > 0 }, findings);
  const remade = made === undefined ? undefined : canonicalJson(made);
  return { sha256, remadeSha256: remade === undefined ? undefined : sha256Hex(of.sha256, remade) };
}

function orderOf({ day, sku, revision }: RecordOf<"line">): string {
  return `${day} ${sku} ${String(revision).padStart(6, "0")}`;
}

/** That of the bill, if it is one of the signed ones. */
function namedCheckpoint(
  bundle: Bundle,
  checkpoints: readonly Checkpoint[],
): { readonly size: number; readonly root: string } | null {
  const said = saidCheckpoint(bundle.all("statement")[0]?.statement ?? {});
  const found = checkpoints.find(({ size }) => size === said?.size);
  return found === undefined ? null : { size: found.size, root: toBase64(found.root) };
}

function saidCheckpoint(
  statement: Readonly<Record<string, unknown>>,
): { readonly size: number; readonly root: string } | undefined {
  const { checkpoint } = statement;
  if (typeof checkpoint !== "object" || checkpoint === null) return undefined;
  if (!("size" in checkpoint && "root" in checkpoint)) return undefined;
  const { size, root } = checkpoint;
  return typeof size === "number" && typeof root === "string" ? { size, root } : undefined;
}

/** The bill's checkpoint is signed, and what was posted for it was in the log by then. */
function checkCheckpoint(
  said: Readonly<Record<string, unknown>>,
  of: StatementCheck & { readonly hasEvents: boolean },
  findings: Findings,
): void {
  const named = saidCheckpoint(said);
  if (named === undefined) return;
  const found = of.checkpoints.find(({ size }) => size === named.size);
  if (found === undefined || toBase64(found.root) !== named.root) {
    findings.fail("statement_checkpoint", "statement", { ...named });
    return;
  }
  for (const { record, tally } of of.rerated) {
    if (record.postedAt === null || tally === undefined || tally.last < found.size) continue;
    if (record.billedMonth !== monthNamed(said)) continue;
    const values = { leaf: tally.last, size: found.size };
    findings.fail("leaf_after_checkpoint", lineName(record), values);
  }
}

function monthNamed({ from }: Readonly<Record<string, unknown>>): string {
  return typeof from === "string" ? from.slice(0, 7) : "";
}

function checkOrders(bundle: Bundle, zone: TimeZone, findings: Findings): void {
  const orders = bundle.all("order");
  for (const order of orders) {
    const { id, listPrice, discounts, amount, at } = order;
    const place = `order item ${id} (${order.kind} ${order.sku})`;
    const wanted = sumFen([listPrice, ...discounts.map((each) => each.amount)]);
    if (wanted !== amount) {
      const values = { wanted: formatFen(wanted), found: formatFen(amount) };
      findings.fail("order_amount", place, values);
    }
    const day = dayOf(zone, at);
    if (monthOf(day) !== bundle.header.month) findings.fail("order_month", place, { day });
  }
  const refunds = Map.groupBy(orders, ({ refundOf }) => refundOf);
  for (const order of orders) {
    const back = sumFen((refunds.get(order.id) ?? []).map(({ amount }) => amount));
    if (order.refundOf !== null || order.amount >= negateFen(back)) continue;
    findings.fail("order_refund", `order item ${order.id}`, { item: order.id });
  }
}

/** Each line by itself, so that one wrong price does not hide another. */
function compareStatements(
  said: Readonly<Record<string, unknown>>,
  made: Statement,
  findings: Findings,
): void {
  const wanted: unknown = JSON.parse(JSON.stringify(made));
  const before = findings.count;
  const lines = Array.isArray(said["lines"]) ? said["lines"] : [];
  for (let index = 0; index < Math.max(lines.length, made.lines.length); index += 1) {
    const line = made.lines[index];
    const place =
      line === undefined
        ? `statement, line ${index + 1}`
        : `statement, line ${index + 1}: ${line.date} ${line.sku}`;
    differ(lines[index], line, place, findings);
  }
  if (typeof wanted !== "object" || wanted === null) return;
  for (const [key, value] of Object.entries(wanted)) {
    if (key !== "lines") differ(said[key], value, `statement, ${key}`, findings);
  }
  for (const key of Object.keys(said)) {
    if (!(key in wanted)) differ(said[key], undefined, `statement, ${key}`, findings);
  }
  if (findings.count === before && canonicalJson(said) !== JSON.stringify(made)) {
    findings.fail("statement_differs", "statement", { found: "other bytes", wanted: "these" });
  }
}

/** Every leaf of the two values that differs. */
function differ(found: unknown, wanted: unknown, place: string, findings: Findings): void {
  if (isTable(found) && isTable(wanted)) {
    for (const key of new Set([...Object.keys(found), ...Object.keys(wanted)])) {
      differ(found[key], wanted[key], `${place}: ${key}`, findings);
    }
    return;
  }
  const [a, b] = [shown(found), shown(wanted)];
  if (a !== b) findings.fail("statement_differs", place, { found: a, wanted: b });
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  return typeof value === "string" ? value : canonicalJson(value).slice(0, 200);
}
