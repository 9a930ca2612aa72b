/** What was used, when, by what: a chart over days, and under a bar its lines, events and proofs. */
import { useState, type ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { useTimeZone } from "#console/api/session.ts";
import { DateRange, dayBefore, todayIn } from "#console/components/date-range.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { anyText, dayText, oneOf, useSearchParams } from "#console/components/search-params.ts";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { useText } from "#console/i18n/index.ts";
import { Segments, Select } from "#console/ui/fields.tsx";
import { Card, Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

import { LineDrawer, type LineOf } from "#console/pages/billing/line-drawer.tsx";
import { AmountChart } from "./amount-chart.tsx";
import { BucketLines } from "./bucket-lines.tsx";
import { QuantityChart } from "./quantity-chart.tsx";
import { UsageTotals } from "./usage-totals.tsx";

const buckets = ["day", "week", "month"] as const;
const groups = ["sku", "project", "resource", "user"] as const;
const daysShown = 29;

export function UsagePage(): ReactNode {
  const { t } = useText();
  const zone = useTimeZone();
  const today = todayIn(zone, Date.now());
  const [search, setSearch] = useSearchParams({
    from: dayText,
    through: dayText,
    bucket: oneOf(buckets),
    by: oneOf(groups),
    sku: anyText(100),
    at: dayText,
  });
  const [line, setLine] = useState<LineOf>();
  const through = search.through ?? today;
  const from = search.from ?? dayBefore(through, daysShown);
  const { bucket = "day", by = "sku", sku, at } = search;
  const sums = useApi(
    "getUsageSums",
    { query: { from, through, bucket, by } },
    { keepsLast: true, enabled: from <= through },
  );
  const skus = [...new Set((sums.data?.items ?? []).map((item) => item.sku))].toSorted();
  const chosenSku = sku ?? skus.find((each) => each.startsWith("gpu.")) ?? skus[0];
  const onPick = (day: string): void => setSearch({ at: day === at ? undefined : day }, "step");
  return (
    <>
      <PageHead
        title={t("usage.title")}
        lead={t("usage.lead")}
        actions={
          <ShowAsCli
            operation="getUsageSums"
            request={{ query: { from, through, bucket, by } }}
            command={`millrace usage sum --from ${from} --through ${through} --bucket ${bucket} --by ${by}`}
          />
        }
      />
      <Stack>
        <DateRange
          value={{ from, through }}
          today={today}
          onChange={(range) => setSearch({ ...range, at: undefined })}
        />
        <div className="filters">
          <Segments
            label={t("usage.bucket")}
            choices={buckets.map((value) => ({ value, label: t(`usage.bucketOf.${value}`) }))}
            value={bucket}
            onChange={(value) => setSearch({ bucket: value, at: undefined })}
          />
          <Select
            label={t("usage.by")}
            choices={groups.map((value) => ({ value, label: t(`usage.byOf.${value}`) }))}
            value={by}
            onChange={(value) => setSearch({ by: value })}
          />
          {by === "sku" ? null : (
            <Select
              label={t("usage.sku")}
              choices={skus.map((value) => ({ value, label: value }))}
              value={chosenSku}
              onChange={(value) => setSearch({ sku: value })}
            />
          )}
        </div>
        <Card title={by === "sku" ? t("usage.amounts") : t("usage.quantities")}>
          <Stack gap="sm">
            {by === "sku" ? (
              <AmountChart range={{ from, through }} bucket={bucket} onPick={onPick} />
            ) : (
              <QuantityChart sums={sums} sku={chosenSku} onPick={onPick} />
            )}
            <Muted size="xs">
              {t(by === "sku" ? "usage.amountsText" : "usage.quantitiesText")}
            </Muted>
          </Stack>
        </Card>
        {at === undefined ? null : (
          <BucketLines
            at={at}
            bucket={bucket}
            range={{ from, through }}
            sku={by === "sku" ? undefined : chosenSku}
            onLine={setLine}
            onClose={() => setSearch({ at: undefined })}
          />
        )}
        <UsageTotals sums={sums} by={by} sku={by === "sku" ? undefined : chosenSku} />
      </Stack>
      {line === undefined ? null : <LineDrawer line={line} onClose={() => setLine(undefined)} />}
    </>
  );
}
