/**
 * Months that stay open because the metering log has never been signed: their bills would name entries
 * that nobody can check (R-LOG-1), so they wait, and the operator is told for as long as they do. A log
 * that was signed once and is behind is told by whoever keeps the log.
 */
import type { Db } from "#db/pool.ts";
import type { LocalMonth } from "#kernel/calendar.ts";
import { raiseAlert, resolveAlert } from "#notices/store.ts";

const alertKey = "invoices-unsigned";

export interface Closed {
  readonly written: number;
  /** Not written, as nothing of the log was ever signed. */
  readonly unsigned: number;
}

export async function sayIfNeverSigned(
  db: Db,
  { written, unsigned, month, at }: Closed & { readonly month: LocalMonth; readonly at: number },
): Promise<void> {
  if (unsigned > 0) {
    await raiseAlert(db, {
      key: alertKey,
      kind: "invoices_unsigned",
      severity: "critical",
      data: { count: unsigned, month },
      at,
    });
  } else if (written > 0) {
    await resolveAlert(db, { key: alertKey, by: "invoice", at });
  }
}
