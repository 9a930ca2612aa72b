/** How much may be held, how much is, and how to ask for more. */
import { useState, type ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { Gauge } from "#console/components/gauge.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { useMay } from "#console/api/session.ts";
import { useProjectNames } from "#console/shell/project.tsx";
import { Button } from "#console/ui/button.tsx";
import { Skeleton } from "#console/ui/feedback.tsx";
import { Card, Facts, Grid, Stack } from "#console/ui/layout.tsx";
import { Muted, Text } from "#console/ui/text.tsx";

import { ApplicationsCard, ApplyDialog } from "./applications.tsx";
import { limitText } from "./limit-text.ts";

export function QuotaPage(): ReactNode {
  const { t } = useText();
  const may = useMay();
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      <PageHead
        title={t("account.quota.title")}
        lead={t("account.quota.lead")}
        actions={
          <Button
            kind="primary"
            icon="plus"
            onClick={() => setAsking(true)}
            disabledReason={may("billing.manage") ? undefined : t("account.quota.notYou")}
          >
            {t("account.quota.more")}
          </Button>
        }
      />
      <Stack>
        <Grid columns={2}>
          <UseCard />
          <GpuCard />
        </Grid>
        <QueueLimits />
        {may("billing.read") ? <ApplicationsCard /> : null}
      </Stack>
      {isAsking ? <ApplyDialog onClose={() => setAsking(false)} /> : null}
    </>
  );
}

type Row = readonly [name: string, limit: number, used: number];

function UseCard(): ReactNode {
  const { t } = useText();
  const quota = useApi("getQuota");
  if (quota.data === undefined) return <Waiting title={t("account.quota.machines")} of={quota} />;
  const { limits, used } = quota.data;
  return (
    <Card title={t("account.quota.machines")}>
      <Gauges
        rows={[
          [t("home.quotaNames.vcpus"), limits.vcpus, used.vcpus],
          [t("home.quotaNames.memory"), gib(limits.memoryMiB), gib(used.memoryMiB)],
          [t("home.quotaNames.disk"), limits.diskGiB, used.diskGiB],
          [t("home.quotaNames.leases"), limits.leases, used.leases],
          [t("home.quotaNames.jobs"), limits.jobs, used.jobs],
          [t("account.quota.snapshots"), limits.snapshots, used.snapshots],
          [t("account.quota.storage"), limits.storageGiB, used.storageGiB],
        ]}
      />
    </Card>
  );
}

function GpuCard(): ReactNode {
  const { t } = useText();
  const quota = useApi("getQuota");
  if (quota.data === undefined) return <Waiting title={t("account.quota.gpus")} of={quota} />;
  const { limits, used } = quota.data;
  const models = [...new Set([...Object.keys(limits.gpus), ...Object.keys(used.gpus)])].toSorted();
  return (
    <Card title={t("account.quota.gpus")}>
      {models.length === 0 ? (
        <Muted>{t("account.quota.noGpus")}</Muted>
      ) : (
        <Gauges
          rows={models.map((model) => [model, limits.gpus[model] ?? 0, used.gpus[model] ?? 0])}
        />
      )}
    </Card>
  );
}

function Waiting({
  title,
  of,
}: {
  readonly title: string;
  readonly of: { readonly error: Error | null; readonly refetch: () => Promise<unknown> };
}): ReactNode {
  const { t } = useText();
  return (
    <Card title={title}>
      {of.error === null ? (
        <Skeleton label={t("common.loading")} />
      ) : (
        <ProblemBox error={of.error} onRetry={() => void of.refetch()} />
      )}
    </Card>
  );
}

function Gauges({ rows }: { readonly rows: readonly Row[] }): ReactNode {
  const { t } = useText();
  return (
    <Facts
      rows={rows.map(([name, limit, used]) => [
        name,
        <Gauge
          key={name}
          share={limit === 0 ? (used === 0 ? 0 : 1) : used / limit}
          label={name}
          text={t("account.quota.usedOf", { used, limit })}
        />,
      ])}
    />
  );
}

function QueueLimits(): ReactNode {
  const { t } = useText();
  const limits = useApi("listLimits");
  const nameOfProject = useProjectNames();
  if (limits.data === undefined) return <Waiting title={t("account.limits.title")} of={limits} />;
  return (
    <Card title={t("account.limits.title")}>
      <Stack gap="sm">
        <Text isMuted size="sm">
          {t("account.limits.lead")}
        </Text>
        {limits.data.limits.length + limits.data.shares.length === 0 ? (
          <Text>{t("account.limits.noneAtAll")}</Text>
        ) : (
          <Facts
            rows={[
              ...limits.data.limits.map(
                (limit) =>
                  [
                    limit.projectId === null
                      ? t("shell.allProjects")
                      : nameOfProject(limit.projectId),
                    limitText(limit, t),
                  ] as const,
              ),
              ...limits.data.shares.map(
                ({ gpuModel, percent }) =>
                  [
                    gpuModel === "*" ? t("account.limits.otherModels") : `GPU ${gpuModel}`,
                    t("account.limits.share", { percent }),
                  ] as const,
              ),
            ]}
          />
        )}
      </Stack>
    </Card>
  );
}

function gib(mebibytes: number): number {
  return Math.floor(mebibytes / 1024);
}
