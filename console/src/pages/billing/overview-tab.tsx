/** What is left, what it is made of, where one stands, and where this month leads. */
import type { ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { Money } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { Skeleton } from "#console/ui/feedback.tsx";
import { Card, Facts, Grid, Row, Stack } from "#console/ui/layout.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Figure } from "#console/ui/text.tsx";

import { ForecastCard } from "./forecast-card.tsx";
import { StandingCard } from "./standing-card.tsx";
import { TierCard } from "./tier-card.tsx";

export function OverviewTab(): ReactNode {
  return (
    <Grid columns={2}>
      <Stack>
        <BalanceCard />
        <StandingCard />
      </Stack>
      <Stack>
        <ForecastCard />
        <TierCard />
      </Stack>
    </Grid>
  );
}

function BalanceCard(): ReactNode {
  const { t } = useText();
  const balance = useApi("getBalance", {}, { everyMs: 60_000 });
  if (balance.data === undefined) {
    return (
      <Card title={t("billing.balance")}>
        {balance.error === null ? (
          <Skeleton lines={6} label={t("common.loading")} />
        ) : (
          <ProblemBox error={balance.error} onRetry={() => void balance.refetch()} />
        )}
      </Card>
    );
  }
  const { available, burnPerHour, held, provisional, owed, packages } = balance.data;
  return (
    <Card
      title={t("billing.balance")}
      action={
        <TextLink to="/billing/statements" search={{ tab: "journals" }}>
          {t("billing.movements")}
        </TextLink>
      }
    >
      <Stack>
        <Row gap="xl">
          <Figure label={t("billing.available")}>
            <Money amount={available} />
          </Figure>
          <Figure label={t("billing.burn")}>
            <Money amount={burnPerHour} />
          </Figure>
        </Row>
        <Facts
          rows={[
            [t("billing.inAccount"), <Money key="balance" amount={balance.data.balance} />],
            [t("billing.held"), <Money key="held" amount={held} />],
            [t("billing.provisional"), <Money key="provisional" amount={provisional} />],
            [t("billing.owed"), <Money key="owed" amount={owed} />],
            [t("billing.principal"), <Money key="principal" amount={packages.principal} />],
            [t("billing.bonus"), <Money key="bonus" amount={packages.bonus} />],
          ]}
        />
      </Stack>
    </Card>
  );
}
