/** The operator's first look: what there is, what of it is sold, what it brings, what needs somebody. */
import type { ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { Gauge } from "#console/components/gauge.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { Badge, Skeleton } from "#console/ui/feedback.tsx";
import { Card, Facts, Grid, Row, Stack } from "#console/ui/layout.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Figure, Muted } from "#console/ui/text.tsx";

import { amountText, fleetSum, gpuSums } from "./fleet.ts";
import { useAllHosts } from "./use-fleet.ts";
import { AlertsCard, CustomersCard, QueueCard, RevenueCard } from "./overview-cards.tsx";
import { WaitsNotice } from "./waits-notice.tsx";

export function OverviewPage(): ReactNode {
  const { t } = useText();
  return (
    <>
      <PageHead
        title={t("infrastructure.overview.title")}
        lead={t("infrastructure.overview.lead")}
      />
      <Stack>
        <WaitsNotice />
        <Grid columns={4}>
          <AlertsCard />
          <QueueCard />
          <CustomersCard />
          <RevenueCard />
        </Grid>
        <Grid columns={2}>
          <GpuCard />
          <FleetCard />
          <ReserveCard />
        </Grid>
      </Stack>
    </>
  );
}

function GpuCard(): ReactNode {
  const { t } = useText();
  const hosts = useAllHosts();
  const sums = gpuSums(hosts.items);
  return (
    <Card
      title={t("infrastructure.overview.gpus")}
      action={<TextLink to="/operate/hosts">{t("infrastructure.hosts.title")}</TextLink>}
    >
      {hosts.error === null ? null : <ProblemBox error={hosts.error} onRetry={hosts.retry} />}
      {hosts.isPending ? (
        <Skeleton label={t("common.loading")} />
      ) : sums.length === 0 ? (
        <Muted>{t("infrastructure.overview.noGpus")}</Muted>
      ) : (
        <Facts
          rows={sums.map((sum) => [
            <Row key="model" gap="xs">
              {sum.model}
              {sum.sick === 0 ? null : (
                <Badge tone="bad" icon="alert">
                  {t("infrastructure.overview.sick", { count: sum.sick })}
                </Badge>
              )}
            </Row>,
            <Gauge
              key="gauge"
              share={sum.used / sum.devices}
              label={sum.model}
              text={t("infrastructure.overview.gpuText", {
                used: amountText(sum.used),
                all: sum.devices,
                free: sum.free,
              })}
            />,
          ])}
        />
      )}
    </Card>
  );
}

function FleetCard(): ReactNode {
  const { t } = useText();
  const hosts = useAllHosts();
  const sum = fleetSum(hosts.items);
  return (
    <Card
      title={t("infrastructure.overview.machines")}
      action={<TextLink to="/operate/hosts">{t("infrastructure.hosts.title")}</TextLink>}
    >
      {hosts.isPending ? (
        <Skeleton label={t("common.loading")} />
      ) : (
        <Stack gap="sm">
          <Row gap="xl">
            <Figure label={t("states.host.up")}>{sum.up}</Figure>
            <Figure label={t("states.host.down")}>{sum.down}</Figure>
            {sum.away === 0 ? null : (
              <Figure label={t("infrastructure.hosts.siteAway")}>
                <TextLink to="/operate/hosts" search={{ state: "away" }}>
                  {sum.away}
                </TextLink>
              </Figure>
            )}
            <Figure label={t("infrastructure.hosts.cordoned")}>{sum.cordoned}</Figure>
          </Row>
          <Facts
            rows={[
              [
                "CPU",
                <Gauge
                  key="cpu"
                  share={sum.cpus === 0 ? 0 : sum.cpusUsed / sum.cpus}
                  label="CPU"
                  text={t("infrastructure.ofAll", {
                    used: amountText(sum.cpusUsed),
                    all: sum.cpus,
                  })}
                />,
              ],
              [
                t("infrastructure.memory"),
                <Gauge
                  key="memory"
                  share={sum.memoryMiB === 0 ? 0 : sum.memoryMiBUsed / sum.memoryMiB}
                  label={t("infrastructure.memory")}
                  text={t("infrastructure.gibOfAll", {
                    used: gib(sum.memoryMiBUsed),
                    all: gib(sum.memoryMiB),
                  })}
                />,
              ],
            ]}
          />
        </Stack>
      )}
    </Card>
  );
}

function ReserveCard(): ReactNode {
  const { t } = useText();
  const pools = useApi("listPools", { query: { limit: 200 } });
  const items = pools.data?.items ?? [];
  return (
    <Card
      title={t("infrastructure.overview.pools")}
      action={<TextLink to="/operate/pools">{t("infrastructure.pools.title")}</TextLink>}
    >
      {pools.error === null ? null : (
        <ProblemBox error={pools.error} onRetry={() => void pools.refetch()} />
      )}
      {pools.isPending ? (
        <Skeleton label={t("common.loading")} />
      ) : items.length === 0 ? (
        <Muted>{t("infrastructure.overview.noPools")}</Muted>
      ) : (
        <Facts
          rows={items.map((pool) => [
            pool.name,
            <Stack key="pool" gap={0}>
              <Gauge
                share={pool.capacity === 0 ? 0 : pool.allocated / pool.capacity}
                label={pool.name}
                text={t(`infrastructure.pools.of.${pool.unit}`, {
                  used: amountText(pool.allocated),
                  all: amountText(pool.capacity),
                })}
              />
              <Muted size="xs">
                {t("infrastructure.pools.reserveText", {
                  free: amountText(pool.reserve.free),
                  size: amountText(pool.reserve.size),
                })}
              </Muted>
            </Stack>,
          ])}
        />
      )}
    </Card>
  );
}

function gib(mebibytes: number): string {
  return amountText(Math.round(mebibytes / 1024));
}
