/** What the cloud brings: today, by month, by customer, and how long those who came stay. */
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useApi } from "#console/api/queries.ts";
import { BarChart } from "#console/components/chart.tsx";
import { todayIn } from "#console/components/date-range.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { fenOf, Money, moneyText } from "#console/components/money.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { oneOf, useSearchParams } from "#console/components/search-params.ts";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { useTimeZone } from "#console/api/session.ts";
import { useText } from "#console/i18n/index.ts";
import { Segments } from "#console/ui/fields.tsx";
import { Card, Grid, Stack } from "#console/ui/layout.tsx";
import { Figure, Heading, Muted } from "#console/ui/text.tsx";

import { Answered } from "./answered.tsx";
import { CohortTable } from "./cohort-table.tsx";
import { lastMonths } from "./periods.ts";

export type Revenue = AnswerOf<"getRevenue">;
type Month = Revenue["months"][number];

const spans = ["6", "12", "24", "36"] as const;

export function RevenuePage(): ReactNode {
  const { t } = useText();
  const [{ months = "12" }, setSearch] = useSearchParams({ months: oneOf(spans) });
  const all = lastMonths(todayIn(useTimeZone(), Date.now()), Number(months));
  const [through = ""] = all;
  const from = all.at(-1) ?? through;
  const query = { from, through };
  const revenue = useApi("getRevenue", { query }, { everyMs: 60_000, keepsLast: true });
  return (
    <>
      <PageHead
        title={t("selling.revenue")}
        lead={t("selling.revenueLead")}
        actions={
          <>
            <Segments
              label={t("selling.span")}
              value={months}
              onChange={(next) => setSearch({ months: next === "12" ? undefined : next })}
              choices={spans.map((value) => ({
                value,
                label: t("selling.months", { count: Number(value) }),
              }))}
            />
            <ShowAsCli
              operation="getRevenue"
              request={{ query }}
              command={`millrace revenue --from ${from} --through ${through}`}
            />
          </>
        }
      />
      <Answered of={revenue} lines={10}>
        {(data) => <Shown revenue={data} />}
      </Answered>
    </>
  );
}

function Shown({ revenue }: { readonly revenue: Revenue }): ReactNode {
  const { t } = useText();
  const { today, months, cohorts } = revenue;
  const running = months.at(-1);
  const before = months.at(-2);
  return (
    <Stack>
      <Grid columns={4}>
        <Card>
          <Figure label={t("selling.today", { day: today.day })}>
            <Money amount={today.revenue} />
          </Figure>
          <Muted size="xs">{t("selling.active", { count: today.active })}</Muted>
        </Card>
        <MonthCard label={t("selling.thisMonth")} of={running} />
        <MonthCard label={t("selling.monthBefore")} of={before} />
        <Card>
          <Figure label={t("selling.arpu")}>
            <Money amount={running?.arpu} />
          </Figure>
          <Muted size="xs">{t("selling.arpuText")}</Muted>
        </Card>
      </Grid>
      {months.length === 0 ? (
        <EmptyState
          icon="chart"
          title={t("selling.noRevenueTitle")}
          text={t("selling.noRevenueText")}
          command="millrace revenue"
        />
      ) : (
        <>
          <Grid columns={2}>
            <Card title={t("selling.byMonth")}>
              <BarChart
                label={t("selling.byMonth")}
                names={months.map(({ month }) => month)}
                series={[
                  {
                    label: t("selling.revenue"),
                    // For drawing only; what is written is the API's.
                    values: months.map((each) => Number(fenOf(each.revenue)) / 100),
                  },
                ]}
                text={(_value, _series, index) => moneyText(months[index]?.revenue ?? "")}
              />
            </Card>
            <Card title={t("selling.customers")}>
              <BarChart
                label={t("selling.customers")}
                names={months.map(({ month }) => month)}
                series={[
                  {
                    label: t("selling.activeHead"),
                    values: months.map(({ active }) => active),
                  },
                  {
                    label: t("selling.registered"),
                    values: months.map(({ registered }) => registered),
                  },
                ]}
                text={(value) => String(value)}
              />
            </Card>
          </Grid>
          <Heading level={2}>{t("selling.byMonth")}</Heading>
          <MonthTable months={months} />
          <Heading level={2}>{t("selling.cohorts")}</Heading>
          <CohortTable cohorts={cohorts} />
        </>
      )}
      <Muted size="xs">{t("selling.revenueRule")}</Muted>
    </Stack>
  );
}

function MonthCard({
  label,
  of,
}: {
  readonly label: string;
  readonly of: Month | undefined;
}): ReactNode {
  const { t } = useText();
  return (
    <Card>
      <Figure label={of === undefined ? label : `${label} (${of.month})`}>
        <Money amount={of?.revenue} />
      </Figure>
      <Muted size="xs">{t("selling.active", { count: of?.active ?? 0 })}</Muted>
    </Card>
  );
}

function MonthTable({ months }: { readonly months: readonly Month[] }): ReactNode {
  const { t } = useText();
  return (
    <div
      className="card table-wrap"
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, also by keyboard
      tabIndex={0}
      role="group"
      aria-label={t("selling.byMonth")}
    >
      <table className="table" aria-label={t("selling.byMonth")}>
        <thead>
          <tr>
            <th scope="col">{t("customers.month")}</th>
            {(["revenue", "activeHead", "arpu", "registered"] as const).map((key) => (
              <th key={key} scope="col" className="end">
                {t(`selling.${key}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {months.toReversed().map((each) => (
            <tr key={each.month}>
              <th scope="row">{each.month}</th>
              <td className="end">
                <Money amount={each.revenue} />
              </td>
              <td className="end tabular">{each.active}</td>
              <td className="end">
                <Money amount={each.arpu} />
              </td>
              <td className="end tabular">{each.registered}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
