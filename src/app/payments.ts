/** The ways to pay that the configuration names. */
import type { Config } from "#config/config.ts";
import { bankTransfer } from "#payments/bank-transfer.ts";
import type { PaymentProvider } from "#payments/provider.ts";
import { testProvider } from "#payments/test-provider.ts";

export function paymentProviders(
  { bankAccount, testPayments }: Pick<Config, "bankAccount" | "testPayments">,
  now: () => number,
): PaymentProvider[] {
  return [bankTransfer(bankAccount), ...(testPayments === "on" ? [testProvider(now)] : [])];
}
