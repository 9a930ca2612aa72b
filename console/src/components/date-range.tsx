/** A stretch of local days, or a whole month, in the tenant's zone. Values are what the API takes. */
import type { ReactNode } from "react";

import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { DateField } from "#console/ui/fields.tsx";

export interface DayRange {
  readonly from: string;
  /** Included. */
  readonly through: string;
}

export function DateRange({
  value,
  onChange,
  today,
}: {
  readonly value: DayRange;
  readonly onChange: (value: DayRange) => void;
  /** In the tenant's zone: `todayIn`. */
  readonly today: string;
}): ReactNode {
  const { t } = useText();
  const presets: readonly (readonly [label: string, range: DayRange])[] = [
    [t("common.range.days7"), { from: dayBefore(today, 6), through: today }],
    [t("common.range.days30"), { from: dayBefore(today, 29), through: today }],
    [t("common.range.month"), { from: `${today.slice(0, 7)}-01`, through: today }],
  ];
  return (
    <div className="filters" role="group" aria-label={t("common.range.label")}>
      <DateField
        label={t("common.range.from")}
        value={value.from}
        max={value.through}
        onChange={(from) => from !== "" && onChange({ ...value, from })}
      />
      <DateField
        label={t("common.range.through")}
        value={value.through}
        min={value.from}
        onChange={(through) => through !== "" && onChange({ ...value, through })}
      />
      <div className="header-group">
        {presets.map(([label, range]) => (
          <Button key={label} onClick={() => onChange(range)}>
            {label}
          </Button>
        ))}
      </div>
    </div>
  );
}

/** YYYY-MM-DD in a zone. */
export function todayIn(timeZone: string, nowMs: number): string {
  // The Swedish way to write a day is the one of ISO 8601.
  return new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short" }).format(nowMs);
}

export function dayBefore(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - days * 86_400_000).toISOString().slice(0, 10);
}
