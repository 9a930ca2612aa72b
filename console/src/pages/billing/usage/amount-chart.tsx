/** Amounts by stretch of days and SKU, as they are on the bill. */
import type { ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { BarChart } from "#console/components/chart.tsx";
import { fenOf, moneyText } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import {
  amountsBy,
  bucketName,
  type BucketSize,
  type DayRange,
} from "#console/pages/billing/buckets.ts";
import { Skeleton } from "#console/ui/feedback.tsx";
import { Muted } from "#console/ui/text.tsx";

const chartPx = 260;

export function AmountChart({
  range,
  bucket,
  onPick,
}: {
  readonly range: DayRange;
  readonly bucket: BucketSize;
  readonly onPick: (day: string) => void;
}): ReactNode {
  const { t } = useText();
  const statement = useApi("getStatement", { query: { ...range } }, { keepsLast: true });
  if (statement.error !== null) {
    return <ProblemBox error={statement.error} onRetry={() => void statement.refetch()} />;
  }
  if (statement.data === undefined)
    return <Skeleton height={chartPx} label={t("common.loading")} />;
  const { buckets, skus, amount } = amountsBy(statement.data.lines, range, bucket);
  if (skus.length === 0) return <Muted>{t("usage.nothing")}</Muted>;
  const textAt = (index: number, sku: string): string =>
    moneyText(amount(buckets[index] ?? "", sku));
  return (
    <BarChart
      label={t("usage.amounts")}
      names={buckets.map((start) => bucketName(start, bucket))}
      series={skus.map((sku) => ({
        label: sku,
        // For drawing only; what is written is `text`.
        values: buckets.map((start) => Number(fenOf(amount(start, sku))) / 100),
      }))}
      text={(_value, series, index) => textAt(index, skus[series] ?? "")}
      isStacked
      height={chartPx}
      onPick={(index) => {
        const day = buckets[index];
        if (day !== undefined) onPick(day);
      }}
    />
  );
}
