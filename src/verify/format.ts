/**
 * The form of a bundle: lines of canonical JSON (RFC 8785) in UTF-8, each a record that names its
 * kind, in this order. Between `events` and `end` stand the events, each exactly the bytes of its leaf
 * in the metering log, by leaf index. docs/VERIFY.md describes it for people.
 *
 * What must stay true: nothing that can be worked out from the events is believed here; what a record
 * claims besides (prices, which revision an event came for, who paid) is compared or said to be a
 * claim.
 */
import { z } from "zod";

import { isLocalDay, isLocalMonth, localDay, localMonth } from "#kernel/calendar.ts";
import { fenFromText } from "#kernel/money.ts";
import { rationalFromText } from "#kernel/rational.ts";
import { fromBase64 } from "#tlog/base64.ts";

export const bundleVersion = 1;
/** Bytes of the SHA-256 of a record that stand in the last record. */
export const digestBytes = 8;
/** Leaves named by one record. */
export const leavesPerRecord = 4096;
/** In one bundle. */
export const eventsMax = 2_000_000;

const day = z
  .string()
  .refine(isLocalDay, "not a day")
  .transform((text) => localDay(text));
const month = z
  .string()
  .refine(isLocalMonth, "not a month")
  .transform((text) => localMonth(text));
const count = z.int().min(0);
const bytes = z.string().transform((text, context): Uint8Array => {
  const decoded = fromBase64(text);
  if (decoded !== undefined) return decoded;
  context.addIssue("not base64");
  return z.NEVER;
});
const money = z.string().transform((text, context) => {
  const amount = fenFromText(text);
  if (amount !== undefined) return amount;
  context.addIssue("not an amount");
  return z.NEVER;
});
const number = z.string().transform((text, context) => {
  const value = rationalFromText(text);
  if (value !== undefined) return value;
  context.addIssue("not a number");
  return z.NEVER;
});
const share = z.strictObject({ bonus: money, id: z.string(), principal: money });
const leafIndexes = z.array(count);

export const headerRecord = z.strictObject({
  record: z.literal("bundle"),
  version: z.literal(bundleVersion),
  month,
  /** Of the tenant, for ever since his first rating. */
  timeZone: z.string(),
  tenant: z.strictObject({ id: z.uuid(), name: z.string() }),
  /** `provisional`: the month has no invoice yet. */
  state: z.enum(["final", "provisional"]),
  /** The first local day that was rated at all; null before one was. */
  ratedFrom: day.nullable(),
});

export const keyRecord = z.strictObject({ record: z.literal("key"), key: z.string() });

export const checkpointRecord = z.strictObject({
  record: z.literal("checkpoint"),
  note: z.string(),
});

export const consistencyRecord = z.strictObject({
  record: z.literal("consistency"),
  from: count,
  to: count,
  hashes: z.array(bytes),
});

export const profileRecord = z.strictObject({
  record: z.literal("profile"),
  id: z.string(),
  name: z.string(),
  version: z.int(),
  activeFrom: day,
  body: z.record(z.string(), z.unknown()),
});

/** What the tenant agreed to pay for a SKU instead of the list price. */
export const contractRecord = z.strictObject({
  record: z.literal("contract"),
  sku: z.string(),
  from: day,
  price: number.nullable(),
});

/** From the first instant of a day on. */
export const tierRecord = z.strictObject({
  record: z.literal("tier"),
  from: day,
  tier: z.enum(["normal", "gold", "diamond"]),
});

/** A package that paid, or could have paid, as it was bought. */
export const packageRecord = z.strictObject({
  record: z.literal("package"),
  id: z.string(),
  usableFrom: day,
  usableThrough: day,
  principal: money,
  bonus: money,
});

export const orderRecord = z.strictObject({
  record: z.literal("order"),
  id: z.string(),
  kind: z.enum(["package", "subscription", "renewal", "upgrade", "expansion", "service"]),
  sku: z.string(),
  at: z.int(),
  data: z.record(z.string(), z.union([z.string(), z.number()])),
  listPrice: money,
  discounts: z.array(z.strictObject({ amount: money, rule: z.string() })),
  amount: money,
  refundOf: z.string().nullable(),
});

export const lineRecord = z.strictObject({
  record: z.literal("line"),
  day,
  sku: z.string(),
  revision: count,
  billedMonth: month,
  /** Epoch milliseconds; null while it is provisional. */
  postedAt: z.int().nullable(),
  /** Its events, where an earlier revision has those that are not named. */
  leaves: leafIndexes.optional(),
  /** Of a provisional line, in base units: what goes on is in no event yet. */
  quantity: number.optional(),
  jobQuantity: number.optional(),
  paid: z.strictObject({
    packages: z.array(share),
    /** Given back for packages that had ended. */
    ended: z.array(share),
    wallet: money,
    receivable: money,
    promotion: money,
  }),
  /** What packages had before this line, in the order in which they pay. */
  funds: z.array(share).optional(),
});

/** Events that came too late to be rated (R-LATE-3). */
export const uncountedRecord = z.strictObject({
  record: z.literal("uncounted"),
  leaves: leafIndexes,
});

/** Events that came after the lines of their day, and are on none yet. */
export const afterRecord = z.strictObject({ record: z.literal("after"), leaves: leafIndexes });

export const invoiceRecord = z.strictObject({
  record: z.literal("invoice"),
  number: z.string(),
  /** Of the statement, as it is printed on the invoice. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

export const statementRecord = z.strictObject({
  record: z.literal("statement"),
  statement: z.record(z.string(), z.unknown()),
});

export const leavesRecord = z.strictObject({
  record: z.literal("leaves"),
  indexes: leafIndexes.max(leavesPerRecord),
  /** Packed, 32 bytes each. */
  hashes: bytes,
});

/** Of all leaves in the tree of the last checkpoint (tlog/multi-proof.ts), packed. */
export const inclusionRecord = z.strictObject({
  record: z.literal("inclusion"),
  size: count,
  hashes: bytes,
});

export const eventsRecord = z.strictObject({
  record: z.literal("events"),
  count: count.max(eventsMax),
});

export const endRecord = z.strictObject({
  record: z.literal("end"),
  /** The first bytes of the SHA-256 of each record before, events left out, packed. */
  digests: bytes,
  /** Of the text of `digests`, whole, in hexadecimal. */
  seal: z.string(),
});

/** The kinds, in the order in which they stand. */
export const recordKinds = [
  "bundle",
  "key",
  "checkpoint",
  "consistency",
  "profile",
  "contract",
  "tier",
  "package",
  "order",
  "line",
  "uncounted",
  "after",
  "invoice",
  "statement",
  "leaves",
  "inclusion",
  "events",
  "end",
] as const;
export type RecordKind = (typeof recordKinds)[number];

export const anyRecord = z.discriminatedUnion("record", [
  headerRecord,
  keyRecord,
  checkpointRecord,
  consistencyRecord,
  profileRecord,
  contractRecord,
  tierRecord,
  packageRecord,
  orderRecord,
  lineRecord,
  uncountedRecord,
  afterRecord,
  invoiceRecord,
  statementRecord,
  leavesRecord,
  inclusionRecord,
  eventsRecord,
  endRecord,
]);
export type BundleRecord = z.output<typeof anyRecord>;
/** As it is written; the end writes itself. */
export type WrittenRecord = Exclude<z.input<typeof anyRecord>, { record: "end" }>;
export type RecordOf<K extends RecordKind> = Extract<BundleRecord, { record: K }>;
