/** Charges of a month or of some days; by line, day, week or month; as files in both languages. */
import { useState, type ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useApi } from "#console/api/queries.ts";
import { useTimeZone } from "#console/api/session.ts";
import { DateRange, todayIn } from "#console/components/date-range.tsx";
import { Money } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { dayText, monthText, oneOf, useSearchParams } from "#console/components/search-params.ts";
import { useText } from "#console/i18n/index.ts";
import { LineDrawer, type LineOf } from "#console/pages/billing/line-drawer.tsx";
import { LineTable, PaidBy } from "#console/pages/billing/line-table.tsx";
import { percentText } from "#console/pages/billing/percent.ts";
import { Skeleton } from "#console/ui/feedback.tsx";
import { DateField, Segments } from "#console/ui/fields.tsx";
import { Card, Facts, Row, Stack } from "#console/ui/layout.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Code, Figure } from "#console/ui/text.tsx";

import { ExportButtons } from "./export-buttons.tsx";
import { SumTable } from "./sum-table.tsx";

const granularities = ["line", "day", "week", "month"] as const;
const spans = ["month", "days"] as const;

export function StatementTab(): ReactNode {
  const { t } = useText();
  const today = todayIn(useTimeZone(), Date.now());
  const [search, setSearch] = useSearchParams({
    month: monthText,
    from: dayText,
    through: dayText,
    by: oneOf(granularities),
  });
  const [line, setLine] = useState<LineOf>();
  const { by = "line" } = search;
  const span = search.from === undefined ? "month" : "days";
  const month = search.month ?? today.slice(0, 7);
  const range = { from: search.from ?? `${month}-01`, through: search.through ?? today };
  const query = span === "month" ? { month } : range;
  const statement = useApi("getStatement", { query }, { keepsLast: true });
  return (
    <Stack>
      <div className="filters">
        <Segments
          label={t("statements.span")}
          choices={spans.map((value) => ({ value, label: t(`statements.spanOf.${value}`) }))}
          value={span}
          onChange={(value) =>
            setSearch(
              value === "days"
                ? { month: undefined, from: range.from, through: range.through }
                : { month: undefined, from: undefined, through: undefined },
            )
          }
        />
        {span === "month" ? (
          <DateField
            kind="month"
            label={t("verify.month")}
            value={month}
            max={today.slice(0, 7)}
            onChange={(value) => value !== "" && setSearch({ month: value })}
          />
        ) : null}
      </div>
      {span === "days" ? (
        <DateRange value={range} today={today} onChange={(next) => setSearch({ ...next })} />
      ) : null}
      <Row justify="space-between">
        <Segments
          label={t("statements.by")}
          choices={granularities.map((value) => ({ value, label: t(`statements.byOf.${value}`) }))}
          value={by}
          onChange={(value) => setSearch({ by: value })}
        />
        <ExportButtons
          name={span === "month" ? month : `${range.from}-${range.through}`}
          operation="exportStatement"
          requestFor={(format, language) => ({ query: { ...query, format, language, by } })}
        />
      </Row>
      {statement.error !== null ? (
        <ProblemBox error={statement.error} onRetry={() => void statement.refetch()} />
      ) : statement.data === undefined ? (
        <Skeleton lines={10} label={t("common.loading")} />
      ) : (
        <>
          <Totals of={statement.data} />
          {by === "line" ? (
            <LineTable
              lines={statement.data.lines}
              label={t("statements.lines")}
              onLine={setLine}
            />
          ) : (
            <SumTable
              lines={statement.data.lines}
              range={{ from: statement.data.from, through: statement.data.through }}
              size={by}
            />
          )}
        </>
      )}
      {line === undefined ? null : <LineDrawer line={line} onClose={() => setLine(undefined)} />}
    </Stack>
  );
}

function Totals({ of }: { readonly of: AnswerOf<"getStatement"> }): ReactNode {
  const { t } = useText();
  return (
    <Card>
      <Stack gap="sm">
        <Row gap="xl">
          <Figure label={t("verify.total")}>
            <Money amount={of.total} />
          </Figure>
          <Figure label={t("statements.net")}>
            <Money amount={of.net} />
          </Figure>
          <Figure label={t("statements.vat", { rate: percentText(of.vatRate) })}>
            <Money amount={of.vat} />
          </Figure>
        </Row>
        <Facts
          rows={[
            [t("statements.range"), `${of.from} – ${of.through} (${of.timeZone})`],
            [t("statements.paidBy"), <PaidBy key="paid" of={of.paidBy} />],
            [t("statements.prices"), of.profile],
            [
              t("statements.checkpoint"),
              of.checkpoint === null ? (
                "—"
              ) : (
                <Stack key="checkpoint" gap="xs">
                  <span>
                    {of.checkpoint.size} <Code>{of.checkpoint.root}</Code>
                  </span>
                  <div>
                    <TextLink to="/billing/verify" search={{ month: of.from.slice(0, 7) }}>
                      {t("verify.check")}
                    </TextLink>
                  </div>
                </Stack>
              ),
            ],
          ]}
        />
      </Stack>
    </Card>
  );
}
