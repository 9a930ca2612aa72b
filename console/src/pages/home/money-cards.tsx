/** What was spent, what is left and how long it lasts; all amounts are the server's. */
import type { ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { dayBefore, todayIn } from "#console/components/date-range.tsx";
import { amountOf, fenOf, Money, moneyText } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { SmallBars } from "#console/components/small-bars.tsx";
import { useNow, When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { useTimeZone } from "#console/api/session.ts";
import { LinkButton } from "#console/ui/button.tsx";
import { Skeleton } from "#console/ui/feedback.tsx";
import { Card, Facts, Row, Stack } from "#console/ui/layout.tsx";
import { Figure, Muted } from "#console/ui/text.tsx";

export function SpendCard(): ReactNode {
  const { t } = useText();
  const today = useToday();
  const day = useApi("getStatement", { query: { from: today, through: today } });
  const month = useApi("getStatement", { query: { month: today.slice(0, 7) } });
  const error = day.error ?? month.error;
  return (
    <Card title={t("home.spend")}>
      {error === null ? null : <ProblemBox error={error} />}
      {day.isPending || month.isPending ? (
        <Skeleton label={t("common.loading")} />
      ) : (
        <Stack gap="sm">
          <Row gap="xl">
            <Figure label={t("home.today")}>
              <Money amount={day.data?.total} />
            </Figure>
            <Figure label={t("home.thisMonth")}>
              <Money amount={month.data?.total} />
            </Figure>
          </Row>
          <RecentDays today={today} />
          <Muted size="xs">{t("home.provisional")}</Muted>
        </Stack>
      )}
    </Card>
  );
}

const recentDays = 14;
const barsPx = 108;

/** What each of the last days cost. */
function RecentDays({ today }: { readonly today: string }): ReactNode {
  const { t } = useText();
  const range = { from: dayBefore(today, recentDays - 1), through: today };
  const statement = useApi("getStatement", { query: range }, { keepsLast: true });
  if (statement.error !== null) return null;
  if (statement.data === undefined) return <Skeleton height={barsPx} label={t("common.loading")} />;
  const sums = new Map<string, bigint>();
  for (const { date, amount } of statement.data.lines) {
    sums.set(date, (sums.get(date) ?? 0n) + fenOf(amount));
  }
  const days = Array.from({ length: recentDays }, (_unused, back) => {
    const day = dayBefore(today, recentDays - 1 - back);
    const fen = sums.get(day) ?? 0n;
    // For drawing only; what is written is the text.
    return { name: day, size: Number(fen), text: moneyText(amountOf(fen)) };
  });
  return <SmallBars label={t("home.recentDays", { count: recentDays })} bars={days} />;
}

const hourMs = 3_600_000;
/** Further away is as good as never. */
const shownHoursMax = 24 * 365;

export function BalanceCard(): ReactNode {
  const { t } = useText();
  const balance = useApi("getBalance", {}, { everyMs: 60_000 });
  const nowMs = useNow(true, 60_000);
  if (balance.data === undefined) {
    return (
      <Card title={t("home.balance")}>
        {balance.error === null ? (
          <Skeleton label={t("common.loading")} />
        ) : (
          <ProblemBox error={balance.error} onRetry={() => void balance.refetch()} />
        )}
      </Card>
    );
  }
  const { available, burnPerHour } = balance.data;
  const burn = fenOf(burnPerHour);
  const hours = burn > 0n ? Number(fenOf(available) / burn) : shownHoursMax;
  const lasts =
    burn === 0n ? (
      t("home.lastsLong")
    ) : hours >= shownHoursMax ? (
      t("home.lastsYear")
    ) : (
      <When how="both" at={new Date(nowMs + Math.max(0, hours) * hourMs).toISOString()} />
    );
  return (
    <Card
      title={t("home.balance")}
      action={
        <LinkButton to="/billing" size="xs">
          {t("home.topUp")}
        </LinkButton>
      }
    >
      <Stack gap="sm">
        <Row gap="xl">
          <Figure label={t("home.available")}>
            <Money amount={available} />
          </Figure>
          <Figure label={t("home.burn")}>
            <Money amount={burnPerHour} />
          </Figure>
        </Row>
        <Facts rows={[[t("home.lasts"), lasts]]} />
      </Stack>
    </Card>
  );
}

/** In the tenant's zone, in which its days are billed. */
function useToday(): string {
  return todayIn(useTimeZone(), useNow(true, 60_000));
}
