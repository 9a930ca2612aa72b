/** What was used in the whole range, by what it is summed by. */
import type { ReactNode } from "react";

import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { useText } from "#console/i18n/index.ts";
import { wholeList } from "#console/pages/billing/whole-list.ts";
import { Heading } from "#console/ui/text.tsx";

import { nameOfGroup, quantityText, totalsOf, type Total } from "./groups.ts";
import type { SumsQuery } from "./quantity-chart.tsx";

export function UsageTotals({
  sums,
  by,
  sku,
}: {
  readonly sums: SumsQuery;
  readonly by: "sku" | "project" | "resource" | "user";
  readonly sku: string | undefined;
}): ReactNode {
  const { t } = useText();
  const items = (sums.data?.items ?? []).filter((item) => sku === undefined || item.sku === sku);
  const columns: readonly Column<Total>[] = [
    {
      key: "of",
      head: t(`usage.byOf.${by}`),
      isTitle: true,
      cell: (total) => nameOfGroup(total, t),
    },
    ...(by === "sku"
      ? []
      : [{ key: "sku", head: t("usage.sku"), cell: (total: Total) => total.sku }]),
    {
      key: "quantity",
      head: t("usage.quantity"),
      align: "end",
      cell: (total) => <span className="tabular">{quantityText(total.millionths)}</span>,
    },
    { key: "unit", head: t("orders.prices.unit"), cell: (total) => total.unit },
  ];
  return (
    <>
      <Heading level={2}>{t("usage.totals")}</Heading>
      <DataTable
        label={t("usage.totals")}
        pages={{
          ...wholeList(totalsOf(items)),
          isPending: sums.isPending,
          error: sums.error,
          retry: () => void sums.refetch(),
        }}
        columns={columns}
        keyOf={(total) => `${total.group} ${total.sku}`}
        empty={
          <EmptyState
            icon="chart"
            title={t("usage.emptyTitle")}
            text={t("usage.emptyText")}
            action={{ to: "/offers", label: t("home.nextRent") }}
            command="millrace usage"
          />
        }
      />
    </>
  );
}
