/** Services that people do: support around the clock, bundles, and the optimization of a model. */
import { useState, type ReactNode } from "react";

import { useApi, usePages } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { fenOf, Money } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { When } from "#console/components/when.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Badge, Skeleton } from "#console/ui/feedback.tsx";
import { Card, Grid, Row, Stack } from "#console/ui/layout.tsx";
import { Figure, Heading, Muted, Text } from "#console/ui/text.tsx";

import { Clipped } from "./clipped.tsx";
import { ServiceDialog, type AskedService, type Service } from "./service-dialog.tsx";

const looks = {
  asked: ["info", "wait"],
  offered: ["attention", "info"],
  active: ["good", "check"],
  ended: ["quiet", "minus"],
} as const;

export function ServicesTab(): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("billing.manage");
  const offers = useApi("listServiceOffers");
  const pages = usePages("listServices", { query: { limit: 50 } }, { everyMs: 30_000 });
  const [asked, setAsked] = useState<AskedService>();
  const close = (): void => setAsked(undefined);
  const mayNot = mayManage ? undefined : t("billing.mayNot");
  const columns = useColumns(setAsked);
  if (offers.error !== null) {
    return <ProblemBox error={offers.error} onRetry={() => void offers.refetch()} />;
  }
  if (offers.data === undefined) return <Skeleton height={160} label={t("common.loading")} />;
  const { support24x7, modelOptimization, bundles } = offers.data;
  return (
    <Stack>
      <Grid columns={3}>
        <Card title={t("orders.service.support")}>
          <Stack gap="sm">
            <Figure label={t("common.perMonth")}>
              <Money amount={support24x7.monthly} />
            </Figure>
            <Muted>
              {fenOf(support24x7.monthly) === 0n
                ? t("orders.service.inTier")
                : t("orders.service.supportText")}
            </Muted>
            <div>
              <Button onClick={() => setAsked({ kind: "support" })} disabledReason={mayNot}>
                {t("orders.buy")}
              </Button>
            </div>
          </Stack>
        </Card>
        <Card title={t("orders.service.optimization")}>
          <Stack gap="sm">
            <Figure label={t("orders.service.range")}>
              <Money amount={modelOptimization.from} /> – <Money amount={modelOptimization.to} />
            </Figure>
            <Muted>{t("orders.service.optimizationText")}</Muted>
            <div>
              <Button onClick={() => setAsked({ kind: "optimization" })} disabledReason={mayNot}>
                {t("orders.service.ask")}
              </Button>
            </div>
          </Stack>
        </Card>
        {bundles.map((bundle) => (
          <Card key={bundle.code} title={bundle.code}>
            <Stack gap="sm">
              <Figure label={t("orders.price")}>
                <Money amount={bundle.price} />
              </Figure>
              <Text>{bundle.description}</Text>
              <Muted>
                {t("orders.service.bundleText", {
                  months: bundle.supportMonths,
                  optimizations: bundle.optimizations,
                })}{" "}
                <Money amount={bundle.separately} />
              </Muted>
              <div>
                <Button
                  onClick={() => setAsked({ kind: "bundle", code: bundle.code })}
                  disabledReason={mayNot}
                >
                  {t("orders.buy")}
                </Button>
              </div>
            </Stack>
          </Card>
        ))}
      </Grid>
      <Heading level={2}>{t("orders.service.yours")}</Heading>
      <DataTable
        label={t("orders.service.yours")}
        pages={pages}
        columns={columns}
        keyOf={(each) => each.id}
        empty={
          <EmptyState
            icon="team"
            title={t("orders.service.emptyTitle")}
            text={t("orders.service.emptyText")}
            command="millrace service offers"
          />
        }
      />
      {asked === undefined ? null : <ServiceDialog asked={asked} onClose={close} />}
    </Stack>
  );
}

function useColumns(onAsk: (asked: AskedService) => void): readonly Column<Service>[] {
  const { t } = useText();
  const told = useServerWords();
  const mayNot = useMay()("billing.manage") ? undefined : t("billing.mayNot");
  return [
    {
      key: "kind",
      head: t("common.name"),
      isTitle: true,
      cell: ({ kind, code }) => code ?? t(`orders.service.kind.${kind}`),
    },
    {
      key: "state",
      head: t("common.state"),
      cell: ({ state, reason }) => (
        <Badge
          tone={looks[state][0]}
          icon={looks[state][1]}
          title={reason === null ? undefined : told(reason.message)}
        >
          {t(`orders.service.state.${state}`)}
        </Badge>
      ),
    },
    {
      key: "text",
      head: t("common.details"),
      cell: ({ description }) => <Clipped text={description} />,
    },
    {
      key: "amount",
      head: t("orders.price"),
      align: "end",
      cell: ({ amount }) => <Money amount={amount} />,
    },
    {
      key: "until",
      head: t("orders.service.until"),
      cell: ({ offerUntil, paidUntil }) => <When how="day" at={paidUntil ?? offerUntil} />,
    },
    {
      key: "do",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (service) => (
        <Row gap="xs" wrap="nowrap">
          {service.state === "offered" ? (
            <Button
              size="xs"
              kind="primary"
              onClick={() => onAsk({ kind: "accept", service })}
              disabledReason={mayNot}
            >
              {t("orders.service.accept")}
            </Button>
          ) : null}
          {service.state === "ended" ? null : (
            <Button
              size="xs"
              kind="quiet"
              onClick={() => onAsk({ kind: "cancel", service })}
              disabledReason={mayNot}
            >
              {t("orders.service.cancel")}
            </Button>
          )}
        </Row>
      ),
    },
  ];
}
