/** What everything costs now for this customer, and the prices that were agreed with him. */
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useApi } from "#console/api/queries.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { Money } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { Badge, Skeleton } from "#console/ui/feedback.tsx";
import { Card, Stack } from "#console/ui/layout.tsx";
import { Heading, Muted } from "#console/ui/text.tsx";

import { percentText } from "./percent.ts";
import { wholeList } from "./whole-list.ts";

type PriceList = AnswerOf<"getPriceList">;
type Metered = PriceList["metered"][number];
type Machine = PriceList["machines"][number];
type Agreed = AnswerOf<"listContractPrices">["items"][number];

export function PricesTab(): ReactNode {
  const { t } = useText();
  const prices = useApi("getPriceList");
  const contract = useApi("listContractPrices");
  if (prices.error !== null) {
    return <ProblemBox error={prices.error} onRetry={() => void prices.refetch()} />;
  }
  if (prices.data === undefined) return <Skeleton lines={10} label={t("common.loading")} />;
  const { profile, metered, machines, gpuBands, vatRate } = prices.data;
  const meteredColumns: readonly Column<Metered>[] = [
    { key: "sku", head: t("orders.prices.sku"), isTitle: true, cell: ({ sku }) => sku },
    {
      key: "price",
      head: t("orders.price"),
      align: "end",
      cell: ({ price }) =>
        price === null ? t("common.onRequest") : <span className="tabular">¥{price}</span>,
    },
    { key: "unit", head: t("orders.prices.unit"), cell: ({ unit }) => unit ?? "—" },
    {
      key: "benefit",
      head: t("orders.prices.yours"),
      cell: ({ isAgreed, benefit, price }) =>
        price === null ? (
          "—"
        ) : isAgreed ? (
          <Badge tone="info">{t("orders.prices.agreed")}</Badge>
        ) : benefit === null ? (
          <Muted>{t("orders.prices.list")}</Muted>
        ) : benefit.kind === "multiplier" ? (
          t("orders.prices.multiplier", { multiplier: benefit.multiplier })
        ) : (
          t("orders.prices.free", { units: benefit.units })
        ),
    },
  ];
  const machineColumns: readonly Column<Machine>[] = [
    { key: "sku", head: t("orders.prices.machine"), isTitle: true, cell: ({ sku }) => sku },
    {
      key: "flavors",
      head: t("orders.prices.flavors"),
      cell: ({ flavors }) => flavors.join(", ") || "—",
    },
    ...(["monthly", "quarterly", "annual"] as const).map((term) => ({
      key: term,
      head: t(`orders.term.${term}`),
      align: "end" as const,
      cell: ({ terms }: Machine) => (
        <Money amount={terms.find((each) => each.term === term)?.price} />
      ),
    })),
  ];
  return (
    <Stack>
      <Muted>
        {t("orders.prices.lead", {
          name: `${profile.name} v${profile.version}`,
          from: profile.activeFrom,
          vat: percentText(vatRate),
        })}
      </Muted>
      <Heading level={2}>{t("orders.prices.metered")}</Heading>
      <DataTable
        label={t("orders.prices.metered")}
        pages={wholeList(metered)}
        columns={meteredColumns}
        keyOf={({ sku }) => sku}
        empty={<Muted>{t("common.none")}</Muted>}
      />
      <Card title={t("orders.prices.bands")}>
        <Stack gap="sm">
          <Muted>{t(`orders.prices.bandsMode.${gpuBands.mode}`)}</Muted>
          <ul className="plain-list">
            {gpuBands.bands.map((band, index) => (
              <li key={band.upToHours ?? "end"} className="line">
                <span>
                  {band.upToHours === null
                    ? t("orders.prices.bandAbove", {
                        hours: gpuBands.bands[index - 1]?.upToHours ?? "0",
                      })
                    : t("orders.prices.bandUpTo", { hours: band.upToHours })}
                </span>
                <span className="tabular">× {band.multiplier}</span>
              </li>
            ))}
          </ul>
        </Stack>
      </Card>
      <Heading level={2}>{t("orders.prices.machines")}</Heading>
      <DataTable
        label={t("orders.prices.machines")}
        pages={wholeList(machines)}
        columns={machineColumns}
        keyOf={({ sku }) => sku}
        empty={<Muted>{t("common.none")}</Muted>}
      />
      <Heading level={2}>{t("orders.prices.contract")}</Heading>
      <ContractPrices of={contract} />
    </Stack>
  );
}

function ContractPrices({
  of,
}: {
  readonly of: ReturnType<typeof useApi<"listContractPrices">>;
}): ReactNode {
  const { t } = useText();
  if (of.error !== null) return <ProblemBox error={of.error} onRetry={() => void of.refetch()} />;
  if (of.data === undefined) return <Skeleton lines={3} label={t("common.loading")} />;
  const columns: readonly Column<Agreed>[] = [
    { key: "sku", head: t("orders.prices.sku"), isTitle: true, cell: ({ sku }) => sku },
    { key: "from", head: t("orders.prices.from"), cell: ({ from }) => from },
    {
      key: "price",
      head: t("orders.price"),
      align: "end",
      cell: ({ price }) =>
        price === null ? t("orders.prices.listAgain") : <span className="tabular">¥{price}</span>,
    },
    { key: "reason", head: t("orders.prices.reason"), cell: ({ reason }) => reason },
  ];
  return (
    <DataTable
      label={t("orders.prices.contract")}
      pages={wholeList(of.data.items)}
      columns={columns}
      keyOf={({ sku, from }) => `${sku} ${from}`}
      empty={<Muted>{t("orders.prices.noContract")}</Muted>}
    />
  );
}
