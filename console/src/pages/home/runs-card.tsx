/** What runs now, and where it is seen whole. */
import type { ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { StateBadge } from "#console/components/state-badge.tsx";
import { useText } from "#console/i18n/index.ts";
import { useProjectQuery } from "#console/shell/project.tsx";
import { Skeleton } from "#console/ui/feedback.tsx";
import { Card, Row, Stack } from "#console/ui/layout.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Figure, Muted } from "#console/ui/text.tsx";

const countMax = 200;
const shownMax = 4;

export function RunsCard(): ReactNode {
  const { t } = useText();
  const project = useProjectQuery();
  const leases = useApi("listLeases", { query: { limit: countMax, state: "running", ...project } });
  const running = useApi("listJobs", { query: { limit: countMax, state: "running", ...project } });
  const queued = useApi("listJobs", { query: { limit: countMax, state: "queued", ...project } });
  const error = leases.error ?? running.error ?? queued.error;
  const jobs = [...(running.data?.items ?? []), ...(queued.data?.items ?? [])];
  return (
    <Card title={t("home.runs")}>
      {error === null ? null : <ProblemBox error={error} onRetry={() => void leases.refetch()} />}
      {leases.isPending || running.isPending ? (
        <Skeleton label={t("common.loading")} />
      ) : (
        <Stack gap="sm">
          <Row gap="xl">
            <Figure label={<TextLink to="/instances">{t("instances.title")}</TextLink>}>
              <Count items={leases.data} />
            </Figure>
            <Figure label={<TextLink to="/jobs">{t("home.jobs")}</TextLink>}>{jobs.length}</Figure>
          </Row>
          <ul className="plain-list">
            {(leases.data?.items ?? []).slice(0, shownMax).map((lease) => (
              <li key={lease.id} className="line">
                <TextLink to="/instances/$leaseId" params={{ leaseId: lease.id }}>
                  {lease.name}
                </TextLink>
                <StateBadge of="lease" state={lease.state} />
              </li>
            ))}
            {jobs.slice(0, shownMax).map((job) => (
              <li key={job.id} className="line">
                <TextLink to="/jobs/$jobId" params={{ jobId: job.id }}>
                  {job.name}
                </TextLink>
                <StateBadge of="job" state={job.state} />
              </li>
            ))}
          </ul>
          {leases.data?.items.length === 0 && jobs.length === 0 ? (
            <Muted>{t("home.nothingRuns")}</Muted>
          ) : null}
        </Stack>
      )}
    </Card>
  );
}

function Count({
  items,
}: {
  readonly items:
    | { readonly items: readonly unknown[]; readonly next?: string | undefined }
    | undefined;
}): ReactNode {
  const { t } = useText();
  if (items === undefined) return "—";
  const count = items.items.length;
  return items.next === undefined ? count : t("home.moreThan", { count });
}
