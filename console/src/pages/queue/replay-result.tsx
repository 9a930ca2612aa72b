/** What really happened, the product's own policy on paper, and each other one. */
import type { ReactNode } from "react";

import { BarChart } from "#console/components/chart.tsx";
import { Money } from "#console/components/money.tsx";
import { durationText } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Notice } from "#console/ui/feedback.tsx";
import { Card, Stack } from "#console/ui/layout.tsx";

import { percent } from "./plan.tsx";
import type { ReplayAnswer } from "./replay.tsx";

type Figures = ReplayAnswer["real"];

export function ReplayResult({
  answers,
}: {
  readonly answers: readonly ReplayAnswer[];
}): ReactNode {
  const { t, language } = useText();
  const [first] = answers;
  if (first === undefined) return null;
  const columns: readonly (readonly [name: string, figures: Figures])[] = [
    [t("queue.real"), first.real],
    [t("queue.usual"), first.usual],
    ...answers.map(({ policy, other }) => [policyText(policy, t), other] as const),
  ];
  const time = (seconds: number | null): string =>
    seconds === null ? "—" : durationText(seconds, language);
  const rows: readonly (readonly [string, (of: Figures) => ReactNode])[] = [
    [t("queue.askedCount"), ({ asked }) => asked],
    [t("queue.startedCount"), ({ started }) => started],
    [t("queue.waitingAtEnd"), ({ stillWaiting }) => stillWaiting],
    [t("queue.meanWait"), ({ meanWaitSeconds }) => time(meanWaitSeconds)],
    [t("queue.p95Wait"), ({ p95WaitSeconds }) => time(p95WaitSeconds)],
    [t("queue.longestWait"), ({ longestWaitSeconds }) => time(longestWaitSeconds)],
    [t("queue.wideWait"), ({ wideMeanWaitSeconds }) => time(wideMeanWaitSeconds)],
    [t("queue.gpusSold"), ({ gpuUtilization }) => percent(gpuUtilization)],
    [t("queue.cpusSold"), ({ cpuUtilization }) => percent(cpuUtilization)],
    [t("queue.revenue"), ({ revenue }) => <Money amount={revenue} />],
  ];
  return (
    <Card title={t("queue.replayResult")}>
      <Stack>
        {first.gaveUp === 0 ? null : (
          <Notice tone="info">{t("queue.gaveUp", { count: first.gaveUp })}</Notice>
        )}
        {first.displaced === 0 ? null : (
          <Notice tone="info">{t("queue.replayDisplaced", { count: first.displaced })}</Notice>
        )}
        {answers.some(({ cut }) => cut) ? <Notice tone="attention">{t("queue.cut")}</Notice> : null}
        <div className="table-wrap">
          <table className="table" aria-label={t("queue.replayResult")}>
            <thead>
              <tr>
                <th scope="col">{t("common.name")}</th>
                {columns.map(([name]) => (
                  <th key={name} scope="col" className="end">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(([name, of]) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  {columns.map(([column, figures]) => (
                    <td key={column} className="end tabular nowrap">
                      {of(figures)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <BarChart
          label={t("queue.waits")}
          names={columns.map(([name]) => name)}
          series={[
            {
              label: t("queue.meanWait"),
              values: columns.map(([, { meanWaitSeconds }]) => meanWaitSeconds),
            },
          ]}
          text={time}
          height={220}
        />
      </Stack>
    </Card>
  );
}

function policyText(policy: string, t: ReturnType<typeof useText>["t"]): string {
  switch (policy) {
    case "due":
    case "fifo":
    case "skip":
    case "easy":
    case "shortest":
      return t(`queue.policyOf.${policy}`);
    default:
      return policy;
  }
}
