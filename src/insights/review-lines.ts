/** The charge lines of some days as a review reads them. */
import type { Queryable } from "#db/pool.ts";
import { chargeLines } from "#flow/rate/charge-lines.ts";
import { quantityInUnits } from "#flow/rate/lines.ts";
import type { LocalDay } from "#kernel/calendar.ts";
import { addFen, sumFen } from "#kernel/money.ts";

import type { ReviewLine } from "./review.ts";

export async function reviewLines(
  db: Queryable,
  tenantId: string,
  { from, through }: { readonly from: LocalDay; readonly through: LocalDay },
): Promise<ReviewLine[]> {
  const lines = await chargeLines(db, tenantId, { kind: "days", from, through });
  return lines.map((line) => ({
    day: line.serviceDay,
    sku: line.sku,
    quantity: quantityInUnits(line),
    unit: line.unit,
    amount: line.amount,
    jobAmount: line.jobAmount,
    paidByPackages: sumFen(
      line.paid.packages.map(({ principal, bonus }) => addFen(principal, bonus)),
    ),
  }));
}
