/** What was charged and given back for orders: packages, terms, expansions, services. */
import type { ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { usePages } from "#console/api/queries.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { Money, moneyText } from "#console/components/money.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Muted } from "#console/ui/text.tsx";

type OrderItem = ItemOf<"listOrderItems">;

export function OrderItemsTab(): ReactNode {
  const { t, language } = useText();
  const pages = usePages("listOrderItems", { query: { limit: 100, language } });
  const columns: readonly Column<OrderItem>[] = [
    { key: "at", head: t("statements.when"), cell: ({ at }) => <When how="absolute" at={at} /> },
    {
      key: "text",
      head: t("common.details"),
      isTitle: true,
      cell: ({ description, isPrepayment, refundOf }) => (
        <>
          {description}
          {isPrepayment ? <Muted> {t("statements.prepayment")}</Muted> : null}
          {refundOf === null ? null : <Muted> {t("statements.refund")}</Muted>}
        </>
      ),
    },
    { key: "sku", head: t("usage.sku"), cell: ({ sku }) => sku },
    {
      key: "list",
      head: t("orders.listPrice"),
      align: "end",
      cell: ({ listPrice, discounts }) => (
        <>
          <Money amount={listPrice} />
          {discounts.map(({ rule, amount }) => (
            <Muted key={rule}>
              {" "}
              {rule} {moneyText(amount)}
            </Muted>
          ))}
        </>
      ),
    },
    {
      key: "amount",
      head: t("orders.amount"),
      align: "end",
      cell: ({ amount }) => <Money amount={amount} />,
    },
    { key: "month", head: t("statements.billedMonth"), cell: ({ billedMonth }) => billedMonth },
  ];
  return (
    <DataTable
      label={t("statements.tab.orders")}
      pages={pages}
      columns={columns}
      keyOf={({ id }) => id}
      empty={
        <EmptyState icon="offer" title={t("statements.noOrders")} command="millrace order list" />
      }
    />
  );
}
