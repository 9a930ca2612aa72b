/** Which fields of a price profile stand together, and which of them are amounts. Pure. */

type Profile = Readonly<Record<string, unknown>>;

const sections = {
  metered: [
    "payg_hourly",
    "storage_gib_day",
    "payg_gpu_graduated_monthly_per_sku",
    "payg_gpu_bands_mode",
    "on_request",
  ],
  machines: [
    "vm",
    "vm_contents",
    "quarterly_enabled",
    "elastic_daily",
    "renewal_annual_multiplier_of_12x_monthly",
    "renewal_grace_days",
    "vm_kept_days",
    "cooling_off_days",
  ],
  packages: ["packages", "on_expiry", "on_expiry_extend_months", "package_reminder_days"],
  tiers: [
    "tier_thresholds",
    "tier_hold_months",
    "storage_gold_multiplier",
    "storage_diamond_free_gib",
  ],
  services: [
    "support_24x7_monthly",
    "model_optimisation_range",
    "bundles",
    "platform_base_fee_monthly",
  ],
  rules: ["dunning", "churn", "late_usage_max_days", "invoice_due_days", "vat"],
} as const;

export type SectionName = keyof typeof sections | "other";

export interface Section {
  readonly name: SectionName;
  readonly fields: readonly (readonly [name: string, value: unknown])[];
}

/** In the order in which one reads them; what a newer server adds comes last. */
export function sectionsOf(profile: Profile): Section[] {
  const taken = new Set<string>();
  const named = Object.entries(sections).map(([name, fields]): Section => {
    const found = fields.filter((field) => field in profile);
    for (const field of found) taken.add(field);
    return { name: sectionName(name), fields: found.map((field) => [field, profile[field]]) };
  });
  const rest = Object.entries(profile).filter(([name]) => !taken.has(name));
  return [...named, { name: "other" as const, fields: rest }].filter(
    ({ fields }) => fields.length > 0,
  );
}

function sectionName(text: string): SectionName {
  const names: readonly SectionName[] = [
    "metered",
    "machines",
    "packages",
    "tiers",
    "services",
    "rules",
  ];
  return names.find((name) => name === text) ?? "other";
}

const heads = ["id", "currency", "minor_digits", "timezone", "rounding"];
const inner = [
  "price",
  "bonus_rate",
  "valid_months",
  "monthly",
  "annual",
  "up_to_gpu_hours",
  "multiplier",
  "flat",
  "gold_12m",
  "gold_3_months_each",
  "gold_cumulative",
  "diamond_12m",
  "forecast_hours",
  "warning_hours",
  "no_new_work_hours",
  "grace_hours",
  "grace_debt_share",
  "keep_days",
  "no_spend_months",
  "drop_recent_days",
  "drop_baseline_days",
  "drop_ratio",
  "rate",
  "price_includes_vat",
];
const order = new Map(
  [...heads, ...Object.values(sections).flat(), ...inner].map((name, index) => [name, index]),
);

/** Fields in the order in which one reads them, SKUs by name: the server keeps no order. */
export function ordered(profile: Profile): Profile {
  return Object.fromEntries(
    Object.entries(profile)
      .toSorted(([a], [b]) => rank(a) - rank(b) || byName.compare(a, b))
      .map(([name, value]) => [name, isRecord(value) ? ordered(value) : inOrder(value)]),
  );
}

const unranked = 1_000;
/** P5000 before P10000. */
const byName = new Intl.Collator("en", { numeric: true });

function rank(name: string): number {
  return order.get(name) ?? unranked;
}

function inOrder(value: unknown): unknown {
  return Array.isArray(value)
    ? value.map((each: unknown) => (isRecord(each) ? ordered(each) : each))
    : value;
}

const inYuan = new Set([
  "payg_hourly",
  "storage_gib_day",
  "vm",
  "elastic_daily",
  "price",
  "flat",
  "tier_thresholds",
  "support_24x7_monthly",
  "model_optimisation_range",
  "platform_base_fee_monthly",
]);

/** Whether a figure at this path of the profile is an amount. */
export function isAmount(path: readonly string[], value: unknown): value is string {
  return typeof value === "string" && path.some((name) => inYuan.has(name));
}

export interface Grid {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly [name: string, values: readonly unknown[]])[];
}

/** A table of things with the same fields: packages by code, bands one after the other. */
export function gridOf(value: unknown): Grid | undefined {
  const entries = Array.isArray(value)
    ? value.map((each: unknown, index): [string, unknown] => [String(index + 1), each])
    : Object.entries(value ?? {});
  const records = entries.flatMap(([name, each]) =>
    isRecord(each) ? [[name, each] as const] : [],
  );
  if (records.length === 0 || records.length < entries.length) return undefined;
  const columns = [...new Set(records.flatMap(([, each]) => Object.keys(each)))];
  return {
    columns,
    rows: records.map(([name, each]) => [name, columns.map((column) => each[column])]),
  };
}

export function isRecord(value: unknown): value is Profile {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
