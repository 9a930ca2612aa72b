/** The lines of a bill summed by day, week or month: a row a stretch, with its SKUs. */
import type { ReactNode } from "react";

import { DataTable, type Column } from "#console/components/data-table.tsx";
import { amountOf, fenOf, Money } from "#console/components/money.tsx";
import { useText } from "#console/i18n/index.ts";
import {
  amountsBy,
  bucketName,
  type BucketSize,
  type DayRange,
} from "#console/pages/billing/buckets.ts";
import type { ChargeLine } from "#console/pages/billing/line-table.tsx";
import { wholeList } from "#console/pages/billing/whole-list.ts";
import { Muted } from "#console/ui/text.tsx";

interface SumRow {
  readonly bucket: string;
  readonly amounts: readonly { readonly sku: string; readonly amount: string }[];
  readonly total: string;
}

export function SumTable({
  lines,
  range,
  size,
}: {
  readonly lines: readonly ChargeLine[];
  readonly range: DayRange;
  readonly size: BucketSize;
}): ReactNode {
  const { t } = useText();
  const { buckets, skus, amount } = amountsBy(lines, range, size);
  const rows = buckets.flatMap((bucket): SumRow[] => {
    const amounts = skus
      .map((sku) => ({ sku, amount: amount(bucket, sku) }))
      .filter((each) => fenOf(each.amount) !== 0n);
    if (amounts.length === 0) return [];
    const total = amounts.reduce((sum, each) => sum + fenOf(each.amount), 0n);
    return [{ bucket, amounts, total: amountOf(total) }];
  });
  const columns: readonly Column<SumRow>[] = [
    {
      key: "bucket",
      head: t(`statements.byOf.${size}`),
      isTitle: true,
      cell: ({ bucket }) => <span className="nowrap">{bucketName(bucket, size)}</span>,
    },
    {
      key: "skus",
      head: t("usage.sku"),
      cell: ({ amounts }) => (
        <ul className="plain-list">
          {amounts.map((each) => (
            <li key={each.sku}>
              {each.sku}{" "}
              <Muted>
                <Money amount={each.amount} />
              </Muted>
            </li>
          ))}
        </ul>
      ),
    },
    {
      key: "total",
      head: t("verify.total"),
      align: "end",
      cell: ({ total }) => <Money amount={total} />,
    },
  ];
  return (
    <DataTable
      label={t("statements.sums")}
      pages={wholeList(rows)}
      columns={columns}
      keyOf={({ bucket }) => bucket}
      empty={<Muted>{t("statements.noLines")}</Muted>}
    />
  );
}
