/** Prices agreed with the customer in the place of the list, by day; and agreeing one. */
import { useState, type ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useApi, wholeList } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

import { PriceDialog } from "./price-dialog.tsx";

type Agreed = AnswerOf<"listContractPrices">["items"][number];

export function PricesTab(): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("platform.manage");
  const prices = useApi("listContractPrices");
  const list = useApi("getPriceList");
  const [isOpen, setOpen] = useState(false);
  const unitOf = (sku: string): string | null =>
    list.data?.metered.find((each) => each.sku === sku)?.unit ?? null;
  const columns: readonly Column<Agreed>[] = [
    { key: "sku", head: t("customers.sku"), isTitle: true, cell: ({ sku }) => sku },
    { key: "from", head: t("customers.from"), cell: ({ from }) => from },
    {
      key: "price",
      head: t("customers.price"),
      align: "end",
      cell: ({ sku, price }) =>
        price === null ? (
          <Muted>{t("customers.listAgain")}</Muted>
        ) : (
          <span className="tabular">
            ¥{price}
            {unitOf(sku) === null ? null : <Muted> / {unitOf(sku)}</Muted>}
          </span>
        ),
    },
    { key: "reason", head: t("customers.why"), cell: ({ reason }) => <bdi>{reason}</bdi> },
  ];
  const add = (
    <Button
      icon="plus"
      onClick={() => setOpen(true)}
      disabledReason={mayManage ? undefined : t("customers.operatorOnly")}
    >
      {t("customers.agreePrice")}
    </Button>
  );
  return (
    <Stack>
      <Row justify="space-between">
        <Muted>{t("customers.pricesLead")}</Muted>
        {add}
      </Row>
      <DataTable
        label={t("customers.tab.prices")}
        pages={wholeList(prices, prices.data?.items)}
        columns={columns}
        keyOf={({ sku, from }) => `${sku} ${from}`}
        empty={
          <EmptyState
            icon="money"
            title={t("customers.noPricesTitle")}
            text={t("customers.noPricesText")}
          />
        }
      />
      {isOpen ? <PriceDialog onClose={() => setOpen(false)} /> : null}
    </Stack>
  );
}
