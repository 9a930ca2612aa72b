/** How much of one SKU was used, by project, instance or job, or user. */
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";
import type { UseQueryResult } from "@tanstack/react-query";

import { BarChart } from "#console/components/chart.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { Notice, Skeleton } from "#console/ui/feedback.tsx";
import { Muted } from "#console/ui/text.tsx";

import { largestGroups, nameOfGroup } from "./groups.ts";

export type SumsQuery = UseQueryResult<AnswerOf<"getUsageSums">>;

const chartPx = 260;

export function QuantityChart({
  sums,
  sku,
  onPick,
}: {
  readonly sums: SumsQuery;
  readonly sku: string | undefined;
  readonly onPick: (day: string) => void;
}): ReactNode {
  const { t } = useText();
  if (sums.error !== null) {
    return <ProblemBox error={sums.error} onRetry={() => void sums.refetch()} />;
  }
  if (sums.data === undefined) return <Skeleton height={chartPx} label={t("common.loading")} />;
  const { buckets } = sums.data;
  const items = sums.data.items.filter((item) => item.sku === sku);
  if (items.length === 0) return <Muted>{t("usage.nothing")}</Muted>;
  const { shown, left } = largestGroups(items);
  const unit = items[0]?.unit ?? "";
  const found = (bucket: string, group: string) =>
    items.find((item) => item.bucket === bucket && item.group === group);
  return (
    <>
      <BarChart
        label={t("usage.quantities")}
        names={buckets}
        series={shown.map((group) => ({
          label: nameOfGroup(group, t),
          values: buckets.map((bucket) => Number(found(bucket, group.group)?.quantity ?? 0)),
        }))}
        text={(_value, series, index) =>
          `${found(buckets[index] ?? "", shown[series]?.group ?? "")?.quantity ?? "0"} ${unit}`
        }
        isStacked
        height={chartPx}
        onPick={(index) => {
          const day = buckets[index];
          if (day !== undefined) onPick(day);
        }}
      />
      {left === 0 ? null : <Muted>{t("usage.othersLeft", { count: left })}</Muted>}
      {sums.data.isCut ? <Notice tone="attention">{t("usage.sumsCut")}</Notice> : null}
    </>
  );
}
