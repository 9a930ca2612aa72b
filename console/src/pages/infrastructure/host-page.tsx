/** One host: its GPUs and who holds them, all that runs there, and maintenance. */
import { useState, type ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { Gauge } from "#console/components/gauge.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { usePathParam } from "#console/components/search-params.ts";
import { useServerWords } from "#console/components/server-words.ts";
import { StateBadge } from "#console/components/state-badge.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { useMay } from "#console/api/session.ts";
import { Button } from "#console/ui/button.tsx";
import { Skeleton } from "#console/ui/feedback.tsx";
import { Card, Facts, Grid, Stack } from "#console/ui/layout.tsx";

import { amountText, type Host } from "./fleet.ts";
import { HostGpus } from "./host-gpus.tsx";
import { HostState } from "./host-state.tsx";
import { HostWork, type Work } from "./host-work.tsx";
import { MaintenanceDialog } from "./maintenance-dialog.tsx";
import { MovePoolDialog } from "./move-pool-dialog.tsx";

export function HostPage(): ReactNode {
  const { t } = useText();
  const hostId = usePathParam("hostId");
  const host = useApi("getHost", { params: { hostId } }, { everyMs: 15_000 });
  const parent = { to: "/operate/hosts", label: t("infrastructure.hosts.title") };
  if (host.data === undefined) {
    return (
      <>
        <PageHead title={t("infrastructure.hosts.host")} parent={parent} />
        {host.error === null ? (
          <Skeleton lines={8} label={t("common.loading")} />
        ) : (
          <ProblemBox error={host.error} onRetry={() => void host.refetch()} />
        )}
      </>
    );
  }
  const { work } = host.data;
  return (
    <>
      <PageHead
        title={host.data.name}
        parent={parent}
        badge={<HostState host={host.data} />}
        lead={`${host.data.zone} / ${host.data.pod} / ${host.data.cluster}`}
        actions={<Actions host={host.data} work={work} />}
      />
      <Stack>
        {host.error === null ? null : <ProblemBox error={host.error} />}
        <Grid columns={2}>
          <Room host={host.data} />
          <About host={host.data} />
        </Grid>
        <HostGpus host={host.data} work={work} />
        <HostWork work={work} />
      </Stack>
    </>
  );
}

function Actions({
  host,
  work,
}: {
  readonly host: Host;
  readonly work: readonly Work[];
}): ReactNode {
  const { t } = useText();
  const may = useMay();
  const [asked, setAsked] = useState<"maintenance" | "pool">();
  const open = useAction("updateHost");
  const why = may("platform.manage") ? undefined : t("infrastructure.readOnly");
  return (
    <>
      <Button icon="pool" disabledReason={why} onClick={() => setAsked("pool")}>
        {t("infrastructure.hosts.changePool")}
      </Button>
      {host.schedulable ? (
        <Button icon="tool" disabledReason={why} onClick={() => setAsked("maintenance")}>
          {t("infrastructure.maintenance.begin")}
        </Button>
      ) : (
        <Button
          kind="primary"
          icon="play"
          disabledReason={why}
          isBusy={open.isPending}
          onClick={() => open.mutate({ params: { hostId: host.id }, body: { schedulable: true } })}
        >
          {t("infrastructure.maintenance.end")}
        </Button>
      )}
      {open.error === null ? null : <ProblemBox error={open.error} />}
      {asked === "maintenance" ? (
        <MaintenanceDialog host={host} work={work} onClose={() => setAsked(undefined)} />
      ) : null}
      {asked === "pool" ? <MovePoolDialog host={host} onClose={() => setAsked(undefined)} /> : null}
    </>
  );
}

function Room({ host }: { readonly host: Host }): ReactNode {
  const { t } = useText();
  return (
    <Card title={t("infrastructure.hosts.room")}>
      <Facts
        rows={[
          [
            "CPU",
            gauge("CPU", host.cpusUsed, host.cpus, `${amountText(host.cpusUsed)} / ${host.cpus}`),
          ],
          [
            t("infrastructure.memory"),
            gauge(
              t("infrastructure.memory"),
              host.memoryMiBUsed,
              host.memoryMiB,
              `${gib(host.memoryMiBUsed)} / ${gib(host.memoryMiB)} GiB`,
            ),
          ],
          [
            t("infrastructure.disk"),
            gauge(
              t("infrastructure.disk"),
              host.diskGiBUsed,
              host.diskGiB,
              `${host.diskGiBUsed} / ${host.diskGiB} GiB`,
            ),
          ],
        ]}
      />
    </Card>
  );
}

function About({ host }: { readonly host: Host }): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  return (
    <Card title={t("infrastructure.hosts.about")}>
      <Facts
        rows={[
          [t("infrastructure.pool"), host.pool ?? t("infrastructure.noPool")],
          [t("infrastructure.platform"), host.site],
          [
            t("infrastructure.execution"),
            <StateBadge key="execution" of="execution" state={host.execution} />,
          ],
          [
            "NUMA",
            host.numa.length === 0
              ? "—"
              : host.numa
                  .map(({ cpus, memoryMiB }) => `${cpus} CPU, ${amountText(memoryMiB / 1024)} GiB`)
                  .join(" · "),
          ],
          [t("infrastructure.gpuDriver"), host.gpuDriver ?? "—"],
          ...host.refuses.map(
            ({ work, reason }) =>
              [t(`infrastructure.hosts.refuses.${work}`), told(reason)] as const,
          ),
          [t("infrastructure.hosts.seen"), <When key="seen" at={host.seenAt} />],
        ]}
      />
    </Card>
  );
}

function gib(mebibytes: number): string {
  return amountText(mebibytes / 1024);
}

function gauge(label: string, used: number, all: number, text: string): ReactNode {
  return <Gauge label={label} share={all === 0 ? 0 : used / all} text={text} />;
}
