/**
 * What it costs: the price of now by its lines, and what was used by day, as it goes onto the bill.
 * Bills are by day and SKU over all of a tenant; their lines lead to the events and the proof.
 */
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useApi } from "#console/api/queries.ts";
import { useMay, useTimeZone } from "#console/api/session.ts";
import { BarChart } from "#console/components/chart.tsx";
import { DateRange, dayBefore, todayIn } from "#console/components/date-range.tsx";
import { Money } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { dayText, useSearchParams } from "#console/components/search-params.ts";
import { TotalRow } from "#console/components/total-row.tsx";
import { useNow } from "#console/components/when.tsx";
import { UseCost } from "#console/components/use-cost.tsx";
import { useText } from "#console/i18n/index.ts";
import { Notice, Skeleton } from "#console/ui/feedback.tsx";
import { Card, Row, Stack } from "#console/ui/layout.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Muted } from "#console/ui/text.tsx";

import type { Lease } from "./actions.ts";
import { usageOf, type DaySeries } from "./usage-of.ts";

export function CostTab({ lease }: { readonly lease: Lease }): ReactNode {
  const { t } = useText();
  const may = useMay();
  return (
    <Stack>
      <Lines price={lease.price} />
      {may("billing.read") ? (
        <Used lease={lease} />
      ) : (
        <Notice tone="info">{t("lease.needsBilling")}</Notice>
      )}
    </Stack>
  );
}

function Lines({ price }: { readonly price: AnswerOf<"getLease">["price"] }): ReactNode {
  const { t } = useText();
  return (
    <Card title={t("lease.priceLines")}>
      <div className="table-wrap">
        <table className="table" aria-label={t("lease.priceLines")}>
          <thead>
            <tr>
              <th scope="col">SKU</th>
              <th scope="col" className="end">
                {t("lease.units")}
              </th>
              <th scope="col" className="end">
                {t("lease.unitPrice")}
              </th>
              <th scope="col" className="end">
                {t("common.perHour")}
              </th>
            </tr>
          </thead>
          <tbody>
            {price.lines.map((line) => (
              <tr key={line.sku}>
                <th scope="row">{line.sku}</th>
                <td className="end tabular">{line.units}</td>
                <td className="end tabular">
                  {line.unitPrice ?? "—"} / {line.unit}
                </td>
                <td className="end">
                  <Money amount={line.hourly} />
                </td>
              </tr>
            ))}
            <TotalRow label={t("lease.together")} columns={3} amount={price.hourly} />
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function Used({ lease }: { readonly lease: Lease }): ReactNode {
  const { t } = useText();
  const today = todayIn(useTimeZone(), useNow(true, 60_000));
  const [{ from = dayBefore(today, 6), through = today }, setSearch] = useSearchParams({
    from: dayText,
    through: dayText,
  });
  const sums = useApi(
    "getUsageSums",
    { query: { from, through, bucket: "day", by: "resource" } },
    { keepsLast: true },
  );
  const { data, error } = sums;
  return (
    <Card title={t("lease.usedByDay")}>
      <Stack gap="sm">
        <DateRange
          value={{ from, through }}
          today={today}
          onChange={(range) => setSearch({ ...range })}
        />
        {error === null ? null : <ProblemBox error={error} onRetry={() => void sums.refetch()} />}
        {data === undefined ? (
          error === null ? (
            <Skeleton label={t("common.loading")} />
          ) : null
        ) : (
          <>
            <UseCost of={lease.id} sums={data} price={lease.price} />
            <Charts series={usageOf(data, lease.id)} days={data.buckets} />
            {data.isCut ? <Notice tone="attention">{t("lease.usageCut")}</Notice> : null}
          </>
        )}
        <Row>
          <TextLink to="/billing/usage" search={{ from, through }}>
            {t("lease.toUsage")}
          </TextLink>
          <TextLink to="/billing/verify">{t("lease.toProof")}</TextLink>
        </Row>
        <Muted size="xs">{t("lease.billText")}</Muted>
      </Stack>
    </Card>
  );
}

/** A chart for each SKU: their units differ, so they do not stand on one another. */
function Charts({
  series,
  days,
}: {
  readonly series: readonly DaySeries[];
  readonly days: readonly string[];
}): ReactNode {
  const { t } = useText();
  if (series.length === 0) return <Muted>{t("lease.noUsage")}</Muted>;
  return series.map(({ sku, unit, quantities }) => (
    <BarChart
      key={sku}
      label={`${sku} (${unit})`}
      names={[...days]}
      height={140}
      series={[{ label: `${sku}, ${unit}`, values: quantities.map(Number) }]}
      text={(_value, _series, index) => `${quantities[index] ?? "0"} ${unit}`}
    />
  ));
}
