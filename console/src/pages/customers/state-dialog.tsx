/**
 * Suspends a customer, or ends that: first one sees what runs and will be stopped. Inside the
 * customer's TenantContext.
 */
import type { ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { ConfirmDialog } from "#console/components/confirm-dialog.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { StateBadge } from "#console/components/state-badge.tsx";
import { useText } from "#console/i18n/index.ts";
import { Skeleton } from "#console/ui/feedback.tsx";
import { Row } from "#console/ui/layout.tsx";
import { Muted, Text } from "#console/ui/text.tsx";

import type { Tenant } from "./tenant.ts";

const shownMax = 200;

export function StateDialog({
  tenant,
  onClose,
}: {
  readonly tenant: Tenant;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const isActive = tenant.state === "active";
  const update = useAction("updateTenant", { onDone: onClose });
  const state = isActive ? ("suspended" as const) : ("active" as const);
  const request = { params: { tenantId: tenant.id }, body: { state } };
  const { displayName: name } = tenant;
  return (
    <ConfirmDialog
      call={{
        operation: "updateTenant",
        request,
        command: `millrace tenant ${isActive ? "suspend" : "activate"} ${tenant.name}`,
      }}
      isOpen
      onClose={onClose}
      title={
        isActive ? t("customers.suspendTitle", { name }) : t("customers.activateTitle", { name })
      }
      confirmLabel={t(isActive ? "customers.suspend" : "customers.activate")}
      isDangerous={isActive}
      isBusy={update.isPending}
      error={update.error}
      onConfirm={() => update.mutate(request)}
    >
      <Text>{t(isActive ? "customers.suspendText" : "customers.activateText")}</Text>
      {isActive ? <WhatStops /> : null}
    </ConfirmDialog>
  );
}

function WhatStops(): ReactNode {
  const { t } = useText();
  const leases = useApi("listLeases", { query: { limit: shownMax } });
  const jobs = useApi("listJobs", { query: { limit: shownMax } });
  const error = leases.error ?? jobs.error;
  if (error !== null) return <ProblemBox error={error} />;
  if (leases.data === undefined || jobs.data === undefined) {
    return <Skeleton lines={3} label={t("common.loading")} />;
  }
  const stopped = leases.data.items.filter(({ state }) => !restingStates.has(state));
  const canceled = jobs.data.items.filter(({ state }) => !overStates.has(state));
  if (stopped.length + canceled.length === 0) return <Muted>{t("customers.nothingRuns")}</Muted>;
  return (
    <div>
      <Text isStrong>{t("customers.willStop")}</Text>
      <ul className="plain-list" style={{ maxHeight: "14rem", overflowY: "auto" }}>
        {stopped.map((lease) => (
          <li key={lease.id} className="line">
            <bdi>{lease.name}</bdi>
            <Row gap="xs">
              <Muted>{t("customers.isStopped")}</Muted>
              <StateBadge of="lease" state={lease.state} />
            </Row>
          </li>
        ))}
        {canceled.map((job) => (
          <li key={job.id} className="line">
            <bdi>{job.name}</bdi>
            <Row gap="xs">
              <Muted>{t("customers.isCanceled")}</Muted>
              <StateBadge of="job" state={job.state} />
            </Row>
          </li>
        ))}
      </ul>
      {leases.data.next === undefined && jobs.data.next === undefined ? null : (
        <Muted>{t("customers.andMore")}</Muted>
      )}
    </div>
  );
}

const restingStates: ReadonlySet<string> = new Set(["stopped", "failed", "releasing", "released"]);
const overStates: ReadonlySet<string> = new Set(["succeeded", "failed", "timed_out", "canceled"]);
