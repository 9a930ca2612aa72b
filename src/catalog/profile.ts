/**
 * The price profile: every figure that the commercial layer uses, as data. The JSON form is what
 * an operator edits, what the database keeps and what a bill is rebuilt from; parsing turns its
 * decimal strings into exact fractions and fen. A profile in force is never edited, only followed
 * by another version from a local midnight on (profile-store.ts).
 *
 * What must stay true: no figure is a float, unknown keys are refused, bands ascend and end
 * unbounded, and a SKU without a price has none (sku.ts), never a price of zero.
 */
import { z } from "zod";

import { fenFromText, type Fen } from "#kernel/money.ts";
import { compare, rationalFromText, zero, type Rational } from "#kernel/rational.ts";
import { isTimeZone, timeZone } from "#kernel/zone.ts";

import defaultProfileJson from "./default-profile.json" with { type: "json" };

const skusMax = 1000;
const bandsMax = 50;

const skuName = z
  .string()
  .regex(/^[a-z]+(?:\.[A-Za-z0-9_-]{1,40}){0,2}$/, "a SKU such as gpu.A100");

const nonNegative = z.string().transform((text, context): Rational => {
  const value = rationalFromText(text);
  if (value !== undefined && compare(value, zero) >= 0) return value;
  context.addIssue('not a decimal such as "0.5"');
  return z.NEVER;
});

const amount = z.string().transform((text, context): Fen => {
  const value = fenFromText(text);
  if (value !== undefined && value >= 0n) return value;
  context.addIssue('not an amount such as "12.50"');
  return z.NEVER;
});

const hours = z.int().min(0).max(8760);
const days = z.int().min(0).max(3660);
const months = z.int().min(1).max(1200);

function priceTable<T extends z.ZodType>(price: T) {
  return z
    .record(skuName, price)
    .refine((table) => Object.keys(table).length <= skusMax, `at most ${skusMax} SKUs`);
}

const band = z
  .strictObject({
    up_to_gpu_hours: nonNegative.nullable(),
    multiplier: nonNegative,
    flat: nonNegative.default(zero),
  })
  .transform(({ up_to_gpu_hours: upToHours, ...rest }) => ({ upToHours, ...rest }));

/**
 * Hours above the band before and up to `upToHours` cost `multiplier` times the list price, and
 * `flat` yuan once the band is entered.
 */
export type Band = z.output<typeof band>;

const bandsMode = z.enum(["graduated", "volume"]);

/**
 * Graduated: each hour is priced by the band it falls in. Volume: all hours by the band that the
 * total falls in, so that more hours can cost less (R-TIER-2 says why that is not the default).
 */
export type BandsMode = z.output<typeof bandsMode>;

const bands = z
  .array(band)
  .min(1)
  .max(bandsMax)
  .refine(
    (list) =>
      list.every(({ upToHours }, index) => {
        const before = list[index - 1]?.upToHours;
        if (upToHours === null) return index === list.length - 1;
        return index < list.length - 1 && compare(upToHours, before ?? zero) > 0;
      }),
    "bands ascend, and the last one, and only it, has no bound (null)",
  );

const vmContents = z.strictObject({
  vcpus: z.int().min(1).max(1024),
  memory_gib: z.int().min(1).max(65_536),
  gpu: z.strictObject({ model: z.string().max(32), count: z.int().min(1).max(16) }).nullable(),
});
export type VmContents = z.output<typeof vmContents>;

const defaultVmContents: Record<string, VmContents> = {
  "vm.a100x1": { vcpus: 8, memory_gib: 64, gpu: { model: "A100", count: 1 } },
  "vm.a100x2": { vcpus: 16, memory_gib: 128, gpu: { model: "A100", count: 2 } },
};

const bundle = z.strictObject({
  description: z.string().min(1).max(200),
  price: amount,
  /** Anchor months of 24x7 support. */
  support_24x7_months: z.int().min(0).max(120).default(0),
  model_optimizations: z.int().min(0).max(100).default(0),
});
export type Bundle = z.output<typeof bundle>;

export const priceProfileSchema = z.strictObject({
  id: z.string().min(1).max(100),
  currency: z.literal("CNY"),
  minor_digits: z.literal(2),
  timezone: z
    .string()
    .refine(isTimeZone, "not an IANA time zone")
    .transform((name) => timeZone(name)),
  rounding: z.literal("HALF_UP (half away from zero)"),
  payg_hourly: priceTable(nonNegative),
  payg_gpu_graduated_monthly_per_sku: bands,
  /** How the bands above are read. */
  payg_gpu_bands_mode: bandsMode.default("graduated"),
  packages: z.record(
    z.string().max(40),
    z.strictObject({ price: amount, bonus_rate: nonNegative, valid_months: months }),
  ),
  vm: priceTable(z.strictObject({ monthly: amount, annual: amount })),
  renewal_annual_multiplier_of_12x_monthly: z.strictObject({
    diamond: nonNegative,
    gold: nonNegative,
  }),
  renewal_grace_days: days,
  elastic_daily: priceTable(nonNegative),
  storage_gib_day: nonNegative,
  storage_gold_multiplier: nonNegative,
  storage_diamond_free_gib: nonNegative,
  support_24x7_monthly: amount,
  model_optimisation_range: z.tuple([amount, amount]),
  tier_thresholds: z.strictObject({
    gold_12m: amount,
    diamond_12m: amount,
    gold_3_months_each: amount,
    /** `null` switches the rule off (PRICING A-3). */
    gold_cumulative: amount.nullable(),
  }),
  tier_hold_months: months,
  platform_base_fee_monthly: amount,
  vat: z.strictObject({ rate: nonNegative, price_includes_vat: z.literal(true) }),
  late_usage_max_days: days,
  /** From the day on which an invoice is final to the last one on which it may be paid. */
  invoice_due_days: days.default(15),
  /** The rungs when money runs low (src/dunning). */
  dunning: z
    .strictObject({
      forecast_hours: hours,
      warning_hours: hours,
      no_new_work_hours: hours,
      grace_hours: hours,
      /** Of what was paid, net, in the last twelve months. */
      grace_debt_share: nonNegative,
      keep_days: days,
    })
    .prefault({
      forecast_hours: 72,
      warning_hours: 24,
      no_new_work_hours: 1,
      grace_hours: 24,
      grace_debt_share: "0.1",
      keep_days: 7,
    }),
  churn: z.strictObject({
    no_spend_months: months,
    drop_recent_days: days,
    drop_baseline_days: days,
    drop_ratio: nonNegative,
    drop_min_baseline_gpu_hours: nonNegative,
  }),
  // Switches of the contradictions and gaps of the price list (PRICING 4); what is said here is in
  // force where a profile says nothing.
  /** Terms of three months, at three monthly prices (R-VM-3). */
  quarterly_enabled: z.boolean().default(false),
  /** What a dedicated VM contains (R-VM-9). */
  vm_contents: priceTable(vmContents).default(defaultVmContents),
  /** How long a lapsed subscription is kept, stopped, before it is released (R-VM-10). */
  vm_kept_days: days.default(7),
  /** Within so many days of its start a subscription is given back whole; 0 is never. */
  cooling_off_days: days.default(0),
  /** What becomes of a package's rest (R-PKG-6, A-9). */
  on_expiry: z.enum(["forfeit", "extend"]).default("forfeit"),
  /** By how much `extend` puts the end off, each time. */
  on_expiry_extend_months: months.default(12),
  package_reminder_days: z.array(days).max(10).default([30, 7, 1]),
  /** Services sold together at a price of their own (R-VAS-2). */
  bundles: z.record(z.string().max(40), bundle).default({}),
  /** SKUs that the price list names without a price: shown, not sold. */
  on_request: z.array(skuName).max(skusMax).default([]),
});

/** Parsed: exact fractions in yuan, fen, and a checked zone. */
export type PriceProfile = z.output<typeof priceProfileSchema>;

export function parsePriceProfile(json: unknown): PriceProfile {
  return priceProfileSchema.parse(json);
}

/** What a fresh installation sells at; the figures and rules are those of the price document. */
export const defaultProfile: PriceProfile = parsePriceProfile(defaultProfileJson);

export { defaultProfileJson };
