/** VAT inside the price: net and tax of a gross total, once per invoice, never per line (R-TAX-1). */
import { subtractFen, type Fen } from "#kernel/money.ts";
import { add, divide, one, rational } from "#kernel/rational.ts";
import { roundToFen } from "#kernel/rounding.ts";

import type { PriceProfile } from "./profile.ts";

export interface TaxSplit {
  readonly gross: Fen;
  readonly net: Fen;
  readonly vat: Fen;
}

/** `net + vat` is `gross` to the fen, for credits (negative) too. */
export function splitVat(profile: PriceProfile, gross: Fen): TaxSplit {
  const net = roundToFen(divide(rational(gross, 100n), add(one, profile.vat.rate)));
  return { gross, net, vat: subtractFen(gross, net) };
}
