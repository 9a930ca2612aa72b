/** What other hosts or pools would do to what runs and waits: on paper, nothing is done. */
import { useState, type ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useAction } from "#console/api/queries.ts";
import { BarChart } from "#console/components/chart.tsx";
import { amountOf, fenOf, Money } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { useText } from "#console/i18n/index.ts";
import { useReasonText } from "#console/pages/jobs/reason.tsx";
import { Button } from "#console/ui/button.tsx";
import { Card, Row, Stack } from "#console/ui/layout.tsx";
import { Muted, Text } from "#console/ui/text.tsx";

import { changeFlags, Changes, type FleetChange } from "./changes.tsx";

type Plan = AnswerOf<"planFleet">;

export function FleetPlan(): ReactNode {
  const { t } = useText();
  const [changes, setChanges] = useState<readonly FleetChange[]>([]);
  const plan = useAction("planFleet");
  const body = { changes: [...changes] };
  return (
    <Stack>
      <Card title={t("queue.whatIf")}>
        <Stack>
          <Muted>{t("queue.planHelp")}</Muted>
          <Changes changes={changes} onChange={setChanges} />
          <Row>
            <Button
              kind="primary"
              isBusy={plan.isPending}
              disabledReason={changes.length === 0 ? t("queue.noChanges") : undefined}
              onClick={() => plan.mutate({ body })}
            >
              {t("queue.plan")}
            </Button>
            <ShowAsCli
              operation="planFleet"
              request={{ body }}
              command={`millrace plan fleet${changeFlags(changes)}`}
            />
          </Row>
          {plan.error === null ? null : <ProblemBox error={plan.error} />}
        </Stack>
      </Card>
      {plan.data === undefined ? null : <PlanResult plan={plan.data} />}
    </Stack>
  );
}

function PlanResult({ plan }: { readonly plan: Plan }): ReactNode {
  const { t } = useText();
  const { before, after } = plan;
  const change = amountOf(fenOf(after.revenuePerHour) - fenOf(before.revenuePerHour));
  const rows: readonly (readonly [string, ReactNode, ReactNode])[] = [
    [t("queue.hosts"), before.hosts, after.hosts],
    [t("queue.gpus"), before.gpus, after.gpus],
    [t("queue.gpusSold"), percent(before.gpuUtilization), percent(after.gpuUtilization)],
    [t("queue.cpusSold"), percent(before.cpuUtilization), percent(after.cpuUtilization)],
    [
      t("queue.revenuePerHour"),
      <Money key="before" amount={before.revenuePerHour} />,
      <Money key="after" amount={after.revenuePerHour} />,
    ],
    [t("queue.waitingCount"), before.waiting, after.waiting],
  ];
  return (
    <Card title={t("queue.planResult")}>
      <Stack>
        <div className="table-wrap">
          <table className="table" aria-label={t("queue.planResult")}>
            <thead>
              <tr>
                <th scope="col">{t("common.name")}</th>
                <th scope="col" className="end">
                  {t("queue.now")}
                </th>
                <th scope="col" className="end">
                  {t("queue.after")}
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map(([name, now, then]) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td className="end tabular">{now}</td>
                  <td className="end tabular">{then}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <Text>
          {t("queue.revenueChange")} <Money amount={change} isSigned />
        </Text>
        <BarChart
          label={t("queue.utilization")}
          names={[t("queue.now"), t("queue.after")]}
          series={[
            {
              label: t("queue.gpusSold"),
              values: [hundred(before.gpuUtilization), hundred(after.gpuUtilization)],
            },
          ]}
          text={(value) => `${value.toFixed(1)} %`}
          height={180}
        />
        <Moves plan={plan} />
      </Stack>
    </Card>
  );
}

function Moves({ plan }: { readonly plan: Plan }): ReactNode {
  const { t } = useText();
  const reasonText = useReasonText();
  const lost = plan.displaced.filter(({ reason }) => reason !== null);
  return (
    <Stack gap="sm">
      {plan.displaced.length === 0 ? null : (
        <Text>
          {t("queue.displaced", {
            count: plan.displaced.length,
            moved: plan.displaced.length - lost.length,
          })}
        </Text>
      )}
      <ul className="name-list">
        {lost.map(({ requestId, kind, name, reason }) => (
          <li key={requestId}>
            {t(`queue.kind.${kind}`)} {name}: {reason === null ? "" : reasonText(reason)}
          </li>
        ))}
      </ul>
      <Text>{t("queue.started", { count: plan.started.length })}</Text>
      <ul className="name-list">
        {plan.stillWaiting.map(({ code, count, message }) => (
          <li key={code}>
            {t("queue.stillWaiting", { count })} {message}
          </li>
        ))}
      </ul>
    </Stack>
  );
}

export function percent(share: number | null): string {
  return share === null ? "—" : `${(share * 100).toFixed(1)} %`;
}

export function hundred(share: number | null): number | null {
  return share === null ? null : share * 100;
}
