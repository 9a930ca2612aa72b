/**
 * Checks a bundle: that its events are in the signed log, and that they and the prices make the bill.
 * Pure: no database, no network, no clock; SHA-256 and Ed25519 are handed in, so a browser can run it.
 *
 * What must stay true: `isProved` only if nothing at all was found wrong; whatever was not checked is
 * in `notes`, in words.
 */
import { isTimeZone, timeZone } from "#kernel/zone.ts";
import { toBase64 } from "#tlog/base64.ts";
import { formatKey } from "#tlog/keys.ts";

import { Findings, type Failed, type Unproved } from "./findings.ts";
import { checkInclusion, checkLog, type CheckedLog, type Crypto, type Trust } from "./log.ts";
import { checkPayments } from "./payments.ts";
import { readBundle, type Bundle } from "./read.ts";
import { pricesOf, rerate } from "./rerate.ts";
import { checkStatement, type CheckedStatement } from "./statement.ts";
import { sumEvents } from "./usage.ts";

export type { Crypto, Trust } from "./log.ts";

export interface Verdict {
  readonly isProved: boolean;
  /** Where the file could be read at all. */
  readonly bill: VerifiedBill | undefined;
  readonly failures: readonly Failed[];
  /** In all; of very many only the first are listed. */
  readonly failureCount: number;
  readonly notes: readonly Unproved[];
}

export interface VerifiedBill {
  readonly tenant: string;
  readonly month: string;
  readonly timeZone: string;
  readonly state: "final" | "provisional";
  /** What the bill says; proved only if `isProved`. */
  readonly total: string;
  readonly lines: number;
  readonly events: number;
  readonly invoice: string | undefined;
  readonly statementSha256: string;
  /** Of the bill that events and prices make. */
  readonly remadeSha256: string | undefined;
  readonly key: string | undefined;
  readonly isKeyPinned: boolean;
  readonly checkpoints: readonly { readonly size: number; readonly root: string }[];
  readonly isCheckpointCompared: boolean;
}

export function verifyBundle(
  bytes: Uint8Array,
  { crypto, trust }: { readonly crypto: Crypto; readonly trust: Trust },
): Verdict {
  const findings = new Findings();
  const bundle = readBundle(bytes, crypto.sha256, findings);
  const bill = bundle === undefined ? undefined : check(bundle, { crypto, trust }, findings);
  const { failures, notes, count } = findings;
  return {
    isProved: count === 0 && bill !== undefined,
    bill,
    failures,
    failureCount: count,
    notes,
  };
}

function check(
  bundle: Bundle,
  { crypto, trust }: { readonly crypto: Crypto; readonly trust: Trust },
  findings: Findings,
): VerifiedBill | undefined {
  const { header, leafIndexes } = bundle;
  if (!isTimeZone(header.timeZone)) {
    const what = `${header.timeZone} is no time zone`;
    findings.fail("malformed", "line 1 of the file (bundle)", { what });
    return undefined;
  }
  const events = bundle.events.starts.length - 1;
  if (events !== leafIndexes.length) {
    findings.fail("events_missing", "events", { wanted: leafIndexes.length, found: events });
  }
  const zone = timeZone(header.timeZone);
  const log = checkLog(bundle, { crypto, trust }, findings);
  const { hasher } = crypto;
  const usage = sumEvents(bundle, { zone, hasher }, findings);
  checkInclusion(bundle, { hasher, newest: log.checkpoints.at(-1) }, findings);
  const prices = pricesOf(bundle, findings);
  const rerated = rerate(bundle, { usage, prices }, findings);
  checkPayments(bundle, rerated, findings);
  const { checkpoints } = log;
  const of = { rerated, book: prices.book, zone, checkpoints, sha256: crypto.sha256 };
  const statement = checkStatement(bundle, of, findings);
  findings.note("prices_claimed");
  if (header.state === "provisional") findings.note("provisional");
  return billOf(bundle, { log, trust, statement });
}

function billOf(
  bundle: Bundle,
  of: {
    readonly log: CheckedLog;
    readonly trust: Trust;
    readonly statement: CheckedStatement;
  },
): VerifiedBill {
  const { header, leafIndexes } = bundle;
  const statement = bundle.all("statement")[0]?.statement ?? {};
  const { total, lines } = statement;
  return {
    tenant: header.tenant.name,
    month: header.month,
    timeZone: header.timeZone,
    state: header.state,
    total: typeof total === "string" ? total : "?",
    lines: Array.isArray(lines) ? lines.length : 0,
    events: leafIndexes.length,
    invoice: bundle.all("invoice")[0]?.number,
    statementSha256: of.statement.sha256,
    remadeSha256: of.statement.remadeSha256,
    key: of.log.key === undefined ? undefined : formatKey(of.log.key),
    isKeyPinned: of.trust.key !== undefined,
    checkpoints: of.log.checkpoints.map(({ size, root }) => ({ size, root: toBase64(root) })),
    isCheckpointCompared: of.trust.checkpoint !== undefined,
  };
}
