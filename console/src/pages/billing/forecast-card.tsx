/** The month so far, and where it leads at this burn. */
import type { ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { useTimeZone } from "#console/api/session.ts";
import { todayIn } from "#console/components/date-range.tsx";
import { Money } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { useNow, When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Badge, Skeleton } from "#console/ui/feedback.tsx";
import { Card, Facts, Row, Stack } from "#console/ui/layout.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Figure, Muted } from "#console/ui/text.tsx";

import { forecastOf, monthEndIn } from "./forecast.ts";

export function ForecastCard(): ReactNode {
  const { t } = useText();
  const zone = useTimeZone();
  const nowMs = useNow(true, 60_000);
  const month = todayIn(zone, nowMs).slice(0, 7);
  const spent = useApi("getStatement", { query: { month } });
  const balance = useApi("getBalance", {}, { everyMs: 60_000 });
  const error = spent.error ?? balance.error;
  if (spent.data === undefined || balance.data === undefined) {
    return (
      <Card title={t("billing.thisMonth")}>
        {error === null ? (
          <Skeleton lines={4} label={t("common.loading")} />
        ) : (
          <ProblemBox
            error={error}
            onRetry={() => {
              void spent.refetch();
              void balance.refetch();
            }}
          />
        )}
      </Card>
    );
  }
  const monthEndMs = monthEndIn(zone, nowMs);
  const { burnPerHour } = balance.data;
  const forecast = forecastOf({ spent: spent.data.total, burnPerHour, nowMs, monthEndMs });
  return (
    <Card
      title={t("billing.thisMonth")}
      action={<TextLink to="/billing/usage">{t("billing.toUsage")}</TextLink>}
    >
      <Stack>
        <Row gap="xl">
          <Figure label={t("billing.soFar")}>
            <Money amount={spent.data.total} />
          </Figure>
          <Figure
            label={
              <>
                {t("billing.atMonthEnd")} <Badge tone="info">{t("billing.forecast")}</Badge>
              </>
            }
          >
            <Money amount={forecast.atMonthEnd} />
          </Figure>
        </Row>
        <Facts
          rows={[
            [t("billing.more"), <Money key="more" amount={forecast.more} />],
            [
              t("billing.monthEnds"),
              <When key="ends" how="both" at={new Date(monthEndMs).toISOString()} />,
            ],
          ]}
        />
        <Muted size="xs">{t("billing.forecastText")}</Muted>
      </Stack>
    </Card>
  );
}
