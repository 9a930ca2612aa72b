/** Figures of the overview that lead on to what they count. */
import type { ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { Money } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { StateBadge } from "#console/components/state-badge.tsx";
import { useText } from "#console/i18n/index.ts";
import { Skeleton } from "#console/ui/feedback.tsx";
import { Card, Facts, Row, Stack } from "#console/ui/layout.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Figure, Muted } from "#console/ui/text.tsx";

const countMax = 200;
const shownAlerts = 3;
const shownMonths = 4;

interface Query {
  readonly isPending: boolean;
  readonly error: Error | null;
  readonly refetch: () => Promise<unknown>;
}

function QueryCard({
  title,
  of,
  action,
  children,
}: {
  readonly title: string;
  readonly of: Query;
  readonly action?: ReactNode;
  readonly children: ReactNode;
}): ReactNode {
  const { t } = useText();
  return (
    <Card title={title} action={action}>
      {of.error === null ? null : <ProblemBox error={of.error} onRetry={() => void of.refetch()} />}
      {of.isPending ? <Skeleton label={t("common.loading")} /> : children}
    </Card>
  );
}

export function AlertsCard(): ReactNode {
  const { t, language } = useText();
  const alerts = useApi(
    "listAlerts",
    { query: { limit: countMax, language } },
    { everyMs: 30_000 },
  );
  const items = alerts.data?.items ?? [];
  const critical = items.filter(({ severity }) => severity === "critical");
  return (
    <QueryCard
      title={t("infrastructure.alerts.title")}
      of={alerts}
      action={<TextLink to="/operate/alerts">{t("common.details")}</TextLink>}
    >
      <Stack gap="sm">
        <Row gap="xl">
          <Figure label={t("infrastructure.alerts.open")}>
            <Count of={items.length} hasMore={alerts.data?.next !== undefined} />
          </Figure>
          <Figure label={t("states.severity.critical")}>{critical.length}</Figure>
        </Row>
        {items.length === 0 ? (
          <Muted>{t("infrastructure.alerts.noneOpen")}</Muted>
        ) : (
          <ul className="plain-list">
            {[...critical, ...items.filter((each) => !critical.includes(each))]
              .slice(0, shownAlerts)
              .map((alert) => (
                <li key={alert.id} className="line">
                  <span style={{ minWidth: 0, overflowWrap: "anywhere" }}>{alert.text}</span>
                  <StateBadge of="severity" state={alert.severity} />
                </li>
              ))}
          </ul>
        )}
      </Stack>
    </QueryCard>
  );
}

export function QueueCard(): ReactNode {
  const { t } = useText();
  const queue = useApi("listQueue", { query: { limit: countMax } }, { everyMs: 15_000 });
  const items = queue.data?.items ?? [];
  const byPool = [...Map.groupBy(items, ({ pool }) => pool)].toSorted(
    ([, a], [, b]) => b.length - a.length,
  );
  return (
    <QueryCard
      title={t("infrastructure.overview.queue")}
      of={queue}
      action={<TextLink to="/operate/queue">{t("common.details")}</TextLink>}
    >
      <Stack gap="sm">
        <Figure label={t("infrastructure.overview.waiting")}>
          <Count of={items.length} hasMore={queue.data?.next !== undefined} />
        </Figure>
        {byPool.length === 0 ? (
          <Muted>{t("infrastructure.overview.nobodyWaits")}</Muted>
        ) : (
          <Facts rows={byPool.map(([pool, entries]) => [pool, entries.length])} />
        )}
      </Stack>
    </QueryCard>
  );
}

export function CustomersCard(): ReactNode {
  const { t } = useText();
  const customers = useApi("listCustomers", { query: { limit: countMax } });
  const items = customers.data?.items ?? [];
  const hasMore = customers.data?.next !== undefined;
  // Of the newest only, where there are more.
  const count = (of: number): ReactNode => (hasMore ? t("customers.atLeast", { count: of }) : of);
  return (
    <QueryCard
      title={t("infrastructure.overview.customers")}
      of={customers}
      action={<TextLink to="/operate/customers">{t("common.details")}</TextLink>}
    >
      <Stack gap="sm">
        <Row gap="xl">
          <Figure label={t("infrastructure.overview.accounts")}>{count(items.length)}</Figure>
          <Figure label={t("states.tenant.suspended")}>
            {count(items.filter(({ state }) => state === "suspended").length)}
          </Figure>
        </Row>
        <Facts
          rows={[
            [
              <TextLink key="signs" to="/operate/customers" search={{ sign: "any" }}>
                {t("customers.toLookAfter")}
              </TextLink>,
              count(items.filter(({ signs }) => signs.length > 0).length),
            ],
            [
              <TextLink key="low" to="/operate/customers" search={{ stage: "low" }}>
                {t("customers.lowOnMoney")}
              </TextLink>,
              count(items.filter(({ stage }) => stage !== "ok").length),
            ],
          ]}
        />
      </Stack>
    </QueryCard>
  );
}

export function RevenueCard(): ReactNode {
  const { t } = useText();
  const revenue = useApi("getRevenue", {}, { everyMs: 60_000 });
  const months = (revenue.data?.months ?? []).toReversed().slice(0, shownMonths);
  return (
    <QueryCard
      title={t("infrastructure.overview.revenue")}
      of={revenue}
      action={<TextLink to="/operate/revenue">{t("common.details")}</TextLink>}
    >
      <Stack gap="sm">
        <Figure label={t("selling.today", { day: revenue.data?.today.day ?? "—" })}>
          <Money amount={revenue.data?.today.revenue} />
        </Figure>
        {months.length === 0 ? (
          <Muted>{t("infrastructure.overview.noRevenue")}</Muted>
        ) : (
          <Facts
            rows={months.map((each) => [
              each.month,
              <Row key={each.month} gap="sm">
                <Money amount={each.revenue} />
                <Muted size="xs">
                  {t("infrastructure.overview.paying", { count: each.active })}
                </Muted>
              </Row>,
            ])}
          />
        )}
      </Stack>
    </QueryCard>
  );
}

function Count({ of, hasMore }: { readonly of: number; readonly hasMore: boolean }): ReactNode {
  const { t } = useText();
  return hasMore ? t("home.moreThan", { count: of }) : of;
}
