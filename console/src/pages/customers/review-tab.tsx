/** What the customer used in a month or a quarter, beside the one before, and what would be cheaper. */
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useApi } from "#console/api/queries.ts";
import { useTimeZone } from "#console/api/session.ts";
import { BarChart } from "#console/components/chart.tsx";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { todayIn } from "#console/components/date-range.tsx";
import { amountOf, fenOf, Money, moneyText } from "#console/components/money.tsx";
import { oneOf, useSearchParams, type Check } from "#console/components/search-params.ts";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { shortQuantity } from "#console/components/quantity.ts";
import { useText } from "#console/i18n/index.ts";
import { wholeList } from "#console/pages/billing/whole-list.ts";
import { Notice } from "#console/ui/feedback.tsx";
import { Segments, Select } from "#console/ui/fields.tsx";
import { Card, Row, Stack } from "#console/ui/layout.tsx";
import { Figure, Muted } from "#console/ui/text.tsx";

import { Answered } from "./answered.tsx";
import { lastMonths, lastQuarters } from "./periods.ts";

type Review = AnswerOf<"getUsageReview">;
type Used = Review["skus"][number];

const periodText: Check<string> = (text) =>
  /^[0-9]{4}-(?:0[1-9]|1[0-2]|Q[1-4])$/.test(text) ? text : undefined;

export function ReviewTab(): ReactNode {
  const { t } = useText();
  const [search, setSearch] = useSearchParams({
    every: oneOf(["month", "quarter"]),
    period: periodText,
  });
  const today = todayIn(useTimeZone(), Date.now());
  const every = search.every ?? "month";
  const periods = every === "month" ? lastMonths(today, 24) : lastQuarters(today, 8);
  const asked = search.period ?? "";
  const period = periods.includes(asked) ? asked : (periods[0] ?? "");
  const review = useApi("getUsageReview", { params: { period } }, { keepsLast: true });
  return (
    <Stack>
      <Row align="flex-end">
        <Segments
          label={t("customers.reviewEvery")}
          value={every}
          onChange={(next) =>
            setSearch({ every: next === "month" ? undefined : next, period: undefined })
          }
          choices={[
            { value: "month", label: t("customers.month") },
            { value: "quarter", label: t("customers.quarter") },
          ]}
        />
        <Select
          label={t("customers.period")}
          value={period}
          onChange={(next) => setSearch({ period: next })}
          choices={periods.map((value) => ({ value, label: value }))}
        />
        <ShowAsCli
          operation="getUsageReview"
          request={{ params: { period } }}
          command={`millrace review ${period}`}
        />
      </Row>
      <Answered of={review} lines={8}>
        {(data) => <Shown review={data} />}
      </Answered>
    </Stack>
  );
}

function Shown({ review }: { readonly review: Review }): ReactNode {
  const { t } = useText();
  const { total, totalBefore, change, busiest, daysWithoutUse, skus, advice } = review;
  return (
    <Stack>
      <Card>
        <Row gap="xl">
          <Figure label={t("customers.used", { from: review.from, through: review.through })}>
            <Money amount={total} />
          </Figure>
          <Figure label={t("customers.before")}>
            <Money amount={totalBefore} />
          </Figure>
          <Figure label={t("customers.change")}>
            <Money amount={change} isSigned />
          </Figure>
          <Figure label={t("customers.busiest")}>
            {busiest === null ? "—" : `${busiest.day} · ${moneyText(busiest.amount)}`}
          </Figure>
          <Figure label={t("customers.idleDays")}>{daysWithoutUse}</Figure>
        </Row>
      </Card>
      {advice.map((each) => (
        <Notice key={each.code} tone="info" title={t("customers.advice")}>
          {t("customers.adviceText", {
            code: each.code,
            price: moneyText(each.price),
            saves: moneyText(each.saves),
          })}
        </Notice>
      ))}
      {skus.length === 0 ? null : (
        <Card title={t("customers.bySku")}>
          <BarChart
            label={t("customers.bySku")}
            names={skus.map(({ sku }) => sku)}
            series={[
              // For drawing only; what is written is the API's.
              {
                label: review.period,
                values: skus.map(({ amount }) => Number(fenOf(amount)) / 100),
              },
              {
                label: t("customers.before"),
                values: skus.map(({ amountBefore }) => Number(fenOf(amountBefore)) / 100),
              },
            ]}
            text={(_value, series, index) => {
              const used = skus[index];
              if (used === undefined) return "";
              return moneyText(series === 0 ? used.amount : used.amountBefore);
            }}
          />
        </Card>
      )}
      <SkuTable skus={skus} />
    </Stack>
  );
}

function SkuTable({ skus }: { readonly skus: readonly Used[] }): ReactNode {
  const { t } = useText();
  const columns: readonly Column<Used>[] = [
    { key: "sku", head: t("customers.sku"), isTitle: true, cell: ({ sku }) => sku },
    {
      key: "quantity",
      head: t("customers.quantity"),
      align: "end",
      cell: ({ quantity, unit }) => (
        <span className="tabular">
          {shortQuantity(quantity)} <Muted>{unit}</Muted>
        </span>
      ),
    },
    {
      key: "amount",
      head: t("customers.amount"),
      align: "end",
      cell: ({ amount }) => <Money amount={amount} />,
    },
    {
      key: "before",
      head: t("customers.before"),
      align: "end",
      cell: ({ amountBefore }) => <Money amount={amountBefore} />,
    },
    {
      key: "change",
      head: t("customers.change"),
      align: "end",
      cell: ({ amount, amountBefore }) => (
        <Money amount={amountOf(fenOf(amount) - fenOf(amountBefore))} isSigned />
      ),
    },
  ];
  return (
    <DataTable
      label={t("customers.bySku")}
      pages={wholeList(skus)}
      columns={columns}
      keyOf={({ sku }) => sku}
      empty={<Muted>{t("customers.nothingUsed")}</Muted>}
    />
  );
}
