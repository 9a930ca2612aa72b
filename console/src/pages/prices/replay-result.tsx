/** What a month would have brought under another profile, altogether and customer by customer. */
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { BarChart } from "#console/components/chart.tsx";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { fenOf, Money, moneyText } from "#console/components/money.tsx";
import { useText } from "#console/i18n/index.ts";
import { wholeList } from "#console/pages/billing/whole-list.ts";
import { Badge, Notice } from "#console/ui/feedback.tsx";
import { Card, Row, Stack } from "#console/ui/layout.tsx";
import { Figure, Muted } from "#console/ui/text.tsx";

import { Findings } from "./findings.tsx";

type Replay = AnswerOf<"replayPrices">;
type Line = Replay["tenants"][number];

const barsMax = 12;
/** As the server says. */
const shownMax = 1000;

export function PriceReplay({ replay }: { readonly replay: Replay }): ReactNode {
  const { t } = useText();
  const columns = useColumns();
  const lines = replay.tenants;
  const withoutPrice = lines.filter(({ unpriced }) => unpriced.length > 0).length;
  if (lines.length === 0) {
    return (
      <EmptyState icon="chart" title={t("prices.nothingUsed")} text={t("prices.nothingUsedText")} />
    );
  }
  return (
    <Stack>
      <Card title={`${t("prices.replayTitle")} · ${replay.month}`}>
        <Row gap="xl">
          <Figure label={t("prices.charged")}>
            <Money amount={replay.before} />
          </Figure>
          <Figure label={t("prices.wouldBe")}>
            <Money amount={replay.after} />
          </Figure>
          <Figure label={t("prices.revenueChange")}>
            <Money amount={replay.change} isSigned={fenOf(replay.change) !== 0n} />
          </Figure>
          <Figure label={t("prices.winners")}>{replay.winners}</Figure>
          <Figure label={t("prices.losers")}>{replay.losers}</Figure>
          <Figure label={t("prices.tierMoves")}>{replay.tierMoves}</Figure>
        </Row>
      </Card>
      {withoutPrice === 0 ? null : (
        <Notice tone="attention" title={t("prices.unpricedSome", { count: withoutPrice })}>
          {t("prices.noPriceText")}
        </Notice>
      )}
      <Findings findings={replay.findings} />
      <Card title={t("prices.chartTitle")}>
        <Changes lines={lines.slice(0, barsMax)} />
      </Card>
      <Card title={t("prices.perCustomer")}>
        <Stack gap="sm">
          {lines.length < shownMax ? null : <Muted>{t("prices.cutAt")}</Muted>}
          <DataTable
            label={t("prices.perCustomer")}
            pages={wholeList(lines)}
            columns={columns}
            keyOf={({ tenantId }) => tenantId}
            empty={null}
          />
        </Stack>
      </Card>
    </Stack>
  );
}

function Changes({ lines }: { readonly lines: readonly Line[] }): ReactNode {
  const { t } = useText();
  return (
    <BarChart
      label={t("prices.chartTitle")}
      names={lines.map(({ name }) => name)}
      series={[
        {
          label: t("prices.change"),
          // For drawing only; the words are the server's.
          values: lines.map(({ change }) => Number(fenOf(change)) / 100),
        },
      ]}
      text={(_value, _series, index) => moneyText(lines[index]?.change ?? "")}
    />
  );
}

function useColumns(): readonly Column<Line>[] {
  const { t } = useText();
  return [
    {
      key: "name",
      head: t("prices.customer"),
      isTitle: true,
      cell: ({ name }) => <bdi style={{ overflowWrap: "anywhere" }}>{name}</bdi>,
    },
    {
      key: "before",
      head: t("prices.charged"),
      align: "end",
      cell: ({ before }) => <Money amount={before} />,
    },
    {
      key: "after",
      head: t("prices.wouldBe"),
      align: "end",
      cell: ({ after }) => <Money amount={after} />,
    },
    {
      key: "change",
      head: t("prices.change"),
      align: "end",
      cell: ({ change }) => <Money amount={change} isSigned={fenOf(change) !== 0n} />,
    },
    {
      key: "tier",
      head: t("prices.tier"),
      cell: ({ tierBefore, tierAfter }) =>
        tierBefore === tierAfter ? (
          <span className="nowrap">{t(`prices.tierOf.${tierBefore}`)}</span>
        ) : (
          <Badge tone="attention" icon="right">
            {t(`prices.tierOf.${tierBefore}`)} → {t(`prices.tierOf.${tierAfter}`)}
          </Badge>
        ),
    },
    {
      key: "unpriced",
      head: t("prices.noPrice"),
      cell: ({ unpriced }) => (unpriced.length === 0 ? "—" : unpriced.join(", ")),
    },
  ];
}
