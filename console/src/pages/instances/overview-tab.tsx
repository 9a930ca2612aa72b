/** What it is, where it is, how to get in, and why it waits or failed. */
import type { ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { CopyLine } from "#console/components/copy.tsx";
import { gpuText, memoryText } from "#console/components/flavor.ts";
import { Money } from "#console/components/money.tsx";
import { StateBadge } from "#console/components/state-badge.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { useProjectNames } from "#console/shell/project.tsx";
import { Notice } from "#console/ui/feedback.tsx";
import { Card, Facts, Grid, Stack } from "#console/ui/layout.tsx";
import { Code, Muted } from "#console/ui/text.tsx";

import type { Lease } from "./actions.ts";
import { useSubscriptionOf } from "./subscription-of.ts";
import { LeaseLine } from "./lease-line.tsx";
import { LeaseNotes } from "./lease-notes.tsx";
import { OpeningsCard } from "./openings-card.tsx";
import { SizingCard } from "./sizing-card.tsx";

export function OverviewTab({ lease }: { readonly lease: Lease }): ReactNode {
  const { t } = useText();
  return (
    <Stack>
      <LeaseLine lease={lease} />
      <LeaseNotes lease={lease} />
      {/* The note about the restart tells of the new size too. */}
      {lease.pendingResize && !lease.notes.some(({ code }) => code === "restart_required") ? (
        <Notice tone="info">{t("lease.pendingResize")}</Notice>
      ) : null}
      <Grid columns={2}>
        <WayIn lease={lease} />
        <Made lease={lease} />
        <Placed lease={lease} />
        <Paid lease={lease} />
      </Grid>
      <SizingCard lease={lease} />
      {lease.state === "released" ? null : <OpeningsCard lease={lease} />}
    </Stack>
  );
}

function WayIn({ lease }: { readonly lease: Lease }): ReactNode {
  const { t } = useText();
  const ssh = lease.endpoints.find(({ service }) => service === "ssh");
  return (
    <Card title={t("lease.wayIn")}>
      {ssh === undefined ? (
        <Muted>{t(lease.state === "running" ? "lease.noEndpoint" : "lease.onceItRuns")}</Muted>
      ) : (
        <Facts
          rows={[
            [t("instances.ssh"), <CopyLine key="ssh" text={ssh.command} />],
            [t("lease.address"), <Code key="address">{`${ssh.host}:${ssh.port}`}</Code>],
            [t("lease.user"), <Code key="user">{ssh.user}</Code>],
            [
              t("common.cli.commandLine"),
              <CopyLine key="cli" text={`millrace ssh ${lease.name}`} />,
            ],
          ]}
        />
      )}
    </Card>
  );
}

function Made({ lease }: { readonly lease: Lease }): ReactNode {
  const { t } = useText();
  const { flavor } = lease;
  return (
    <Card title={t("lease.made")}>
      <Facts
        rows={[
          [t("instances.flavor"), flavor.name],
          [t("instances.gpu"), flavor.gpu === null ? t("instances.noGpu") : gpuText(flavor.gpu)],
          [
            t("offers.cpu"),
            t("lease.cpuOf", {
              vcpus: flavor.vcpus,
              sockets: flavor.cpu.sockets,
              cores: flavor.cpu.cores,
              threads: flavor.cpu.threads,
            }),
          ],
          [t("offers.memory"), memoryText(flavor.memoryMiB)],
          [t("offers.disk"), memoryText(flavor.diskGiB * 1024)],
          [t("rent.image"), lease.image],
          [t("rent.restart"), t(`rent.restarts.${lease.restart}`)],
        ]}
      />
    </Card>
  );
}

function Placed({ lease }: { readonly lease: Lease }): ReactNode {
  const { t } = useText();
  const nameOfProject = useProjectNames();
  return (
    <Card title={t("lease.placed")}>
      <Facts
        rows={[
          [t("lease.host"), lease.host ?? "—"],
          [
            t("lease.runs"),
            lease.execution === null ? (
              "—"
            ) : (
              <StateBadge key="execution" of="execution" state={lease.execution} />
            ),
          ],
          [t("instances.project"), nameOfProject(lease.projectId)],
          [t("instances.owner"), lease.owner.name ?? t("instances.operatorOwns")],
          ...(lease.group === null ? [] : [[t("rent.group"), lease.group] as const]),
          ...(lease.near.length === 0 ? [] : [[t("rent.near"), lease.near.join(", ")] as const]),
          ...(lease.apart.length === 0 ? [] : [[t("rent.apart"), lease.apart.join(", ")] as const]),
          [t("common.created"), <When key="created" at={lease.createdAt} how="both" />],
          [t("lease.ready"), <When key="ready" at={lease.readyAt} how="both" />],
          ...(lease.releasedAt === null
            ? []
            : [
                [
                  t("lease.released"),
                  <When key="gone" at={lease.releasedAt} how="both" />,
                ] as const,
              ]),
          [t("lease.id"), <CopyLine key="id" text={lease.id} />],
        ]}
      />
    </Card>
  );
}

function Paid({ lease }: { readonly lease: Lease }): ReactNode {
  const { t } = useText();
  const subscription = useSubscriptionOf(lease);
  const idleness = useApi("getLeaseIdleness", { params: { leaseId: lease.id } });
  const may = useMay();
  const releaseAt = idleness.data?.releaseAt ?? null;
  return (
    <Card title={t("lease.paid")}>
      <Facts
        rows={[
          [t("rent.plan"), t(`lease.plan.${lease.plan}`)],
          [t("common.perHour"), <Money key="hour" amount={lease.price.hourly} />],
          [t("common.perDay"), <Money key="day" amount={lease.price.daily} />],
          [t("common.perMonth"), <Money key="month" amount={lease.price.monthly} />],
          ...(subscription === undefined || !may("billing.read")
            ? []
            : [
                [
                  t("lease.paidUntil"),
                  <When key="until" at={subscription.paidUntil} how="both" />,
                ] as const,
                [
                  t("rent.autoRenew"),
                  subscription.autoRenew ? t("common.yes") : t("common.no"),
                ] as const,
              ]),
          [
            t("instances.expiry"),
            releaseAt === null ? (
              t("lease.noExpiry")
            ) : (
              <When key="release" at={releaseAt} how="both" />
            ),
          ],
        ]}
      />
    </Card>
  );
}
