/** What was released in a month because nobody used it, what that saved, and what was taken back. */
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useApi, wholeList } from "#console/api/queries.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { todayIn } from "#console/components/date-range.tsx";
import { Money } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { monthText, useSearchParams } from "#console/components/search-params.ts";
import { useNow, When } from "#console/components/when.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { useText } from "#console/i18n/index.ts";
import { useTimeZone } from "#console/api/session.ts";
import { Skeleton } from "#console/ui/feedback.tsx";
import { DateField } from "#console/ui/fields.tsx";
import { Card, Row, Stack } from "#console/ui/layout.tsx";
import { Figure, Heading, Muted } from "#console/ui/text.tsx";

type Report = AnswerOf<"getIdleReport">;
type Release = Report["releases"][number];
type Reversal = Report["reversals"][number];

export function IdleReportTab(): ReactNode {
  const { t } = useText();
  const thisMonth = todayIn(useTimeZone(), useNow(true, 60_000)).slice(0, 7);
  const [{ month = thisMonth }, setSearch] = useSearchParams({ month: monthText });
  const report = useApi("getIdleReport", { query: { month } }, { keepsLast: true });
  return (
    <Stack>
      <div className="filters">
        <DateField
          kind="month"
          label={t("infrastructure.idle.month")}
          value={month}
          max={thisMonth}
          onChange={(next) => setSearch({ month: next === "" ? undefined : next })}
        />
      </div>
      {report.error === null ? null : (
        <ProblemBox error={report.error} onRetry={() => void report.refetch()} />
      )}
      {report.data === undefined ? (
        report.error === null ? (
          <Skeleton lines={6} label={t("common.loading")} />
        ) : null
      ) : (
        <Shown report={report.data} query={report} />
      )}
    </Stack>
  );
}

function Shown({
  report,
  query,
}: {
  readonly report: Report;
  readonly query: Parameters<typeof wholeList>[0];
}): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  const releases: readonly Column<Release>[] = [
    { key: "name", head: t("common.name"), cell: (each) => each.name },
    {
      key: "tenant",
      head: t("infrastructure.work.tenant"),
      cell: (each) => <bdi>{each.tenant}</bdi>,
    },
    { key: "flavor", head: t("infrastructure.flavors.title"), cell: (each) => each.flavor },
    {
      key: "at",
      head: t("infrastructure.idle.releasedAt"),
      cell: (each) => <When at={each.releasedAt} />,
    },
    {
      key: "hours",
      head: t("infrastructure.idle.hours"),
      align: "end",
      cell: (each) => each.hours,
    },
    {
      key: "saved",
      head: t("infrastructure.idle.saved"),
      align: "end",
      cell: (each) => <Money amount={each.saved} />,
    },
    {
      key: "restored",
      head: t("infrastructure.idle.restored"),
      cell: (each) => <When at={each.restoredAt} />,
    },
  ];
  const reversals: readonly Column<Reversal>[] = [
    { key: "name", head: t("common.name"), cell: (each) => each.name },
    {
      key: "tenant",
      head: t("infrastructure.work.tenant"),
      cell: (each) => <bdi>{each.tenant}</bdi>,
    },
    {
      key: "kind",
      head: t("infrastructure.idle.how"),
      cell: (each) => t(`infrastructure.idle.reversal.${each.kind}`),
    },
    { key: "at", head: t("infrastructure.idle.at"), cell: (each) => <When at={each.at} /> },
    { key: "note", head: t("infrastructure.note"), cell: (each) => each.note },
  ];
  return (
    <>
      <Card>
        <Stack gap="sm">
          <Row gap="xl">
            <Figure label={t("infrastructure.idle.saved")}>
              <Money amount={report.moneySaved} />
            </Figure>
            <Figure label={t("infrastructure.idle.gpuHours")}>{report.gpuHoursSaved}</Figure>
            <Figure label={t("infrastructure.idle.warned")}>{report.warned}</Figure>
            <Figure label={t("infrastructure.idle.released")}>{report.released}</Figure>
            <Figure label={t("infrastructure.idle.reversed")}>
              {report.kept + report.exempted + report.usedAgain + report.restored}
            </Figure>
          </Row>
          <Muted size="xs">{told(report.basis)}</Muted>
        </Stack>
      </Card>
      <Heading level={2}>{t("infrastructure.idle.released")}</Heading>
      <DataTable
        label={t("infrastructure.idle.released")}
        pages={wholeList(query, report.releases)}
        columns={releases}
        keyOf={(each) => each.leaseId}
        empty={<Muted size="md">{t("infrastructure.idle.noReleases")}</Muted>}
      />
      <Heading level={2}>{t("infrastructure.idle.reversed")}</Heading>
      <DataTable
        label={t("infrastructure.idle.reversed")}
        pages={wholeList(query, report.reversals)}
        columns={reversals}
        keyOf={(each) => `${each.leaseId} ${each.at}`}
        empty={<Muted size="md">{t("infrastructure.idle.noReversals")}</Muted>}
      />
    </>
  );
}
