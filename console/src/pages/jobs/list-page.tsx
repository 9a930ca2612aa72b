/** Jobs of the tenant or of the chosen project: what waits, what runs, how the others ended. */
import type { ReactNode } from "react";

import { useApi, usePages } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { Money } from "#console/components/money.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { anyText, oneOf, useSearchParams } from "#console/components/search-params.ts";
import { StateBadge } from "#console/components/state-badge.tsx";
import { durationText, useNow, When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { useProjectNames, useProjectQuery } from "#console/shell/project.tsx";
import { LinkButton } from "#console/ui/button.tsx";
import { Select, TextField } from "#console/ui/fields.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Muted } from "#console/ui/text.tsx";

import { jobStates, useCancel, type Job } from "./actions.ts";
import { JobMenu } from "./job-menu.tsx";
import { gpuText, ranSeconds } from "./job-text.ts";
import { useReasonText } from "./reason.tsx";

const pageSize = 100;
/** Of so many at most the place is asked for: each is a question of its own. */
const placesMax = 20;

export function JobsPage(): ReactNode {
  const { t } = useText();
  const mayUse = useMay()("compute.use");
  const [filters, setFilters] = useSearchParams({ state: oneOf(jobStates), name: anyText(63) });
  const project = useProjectQuery();
  const pages = usePages("listJobs", {
    query: {
      limit: pageSize,
      ...project,
      ...(filters.state === undefined ? {} : { state: filters.state }),
      ...(filters.name === undefined ? {} : { name: filters.name }),
    },
  });
  const cancel = useCancel();
  const queued = pages.items.filter(({ state }) => state === "queued");
  const columns = useColumns(new Set(queued.slice(0, placesMax).map(({ id }) => id)));
  return (
    <>
      <PageHead
        title={t("jobs.title")}
        lead={t("jobs.lead")}
        actions={
          mayUse ? (
            <LinkButton to="/jobs/new" kind="primary" icon="plus">
              {t("jobs.submit")}
            </LinkButton>
          ) : undefined
        }
      />
      <DataTable
        label={t("jobs.title")}
        pages={pages}
        columns={columns}
        keyOf={idOf}
        nameOf={(job) => job.name}
        bulk={[cancel]}
        isFiltered={filters.state !== undefined || filters.name !== undefined}
        onClearFilters={() => setFilters({ state: undefined, name: undefined })}
        filters={
          <div className="filters">
            <TextField
              label={t("jobs.filterName")}
              value={filters.name ?? ""}
              maxLength={63}
              onChange={(name) => setFilters({ name })}
            />
            <Select
              label={t("common.state")}
              placeholder={t("jobs.anyState")}
              isClearable
              choices={jobStates.map((value) => ({ value, label: t(`states.job.${value}`) }))}
              value={filters.state}
              onChange={(state) => setFilters({ state })}
            />
          </div>
        }
        empty={
          <EmptyState
            icon="job"
            title={t("jobs.emptyTitle")}
            text={t("jobs.emptyText")}
            {...(mayUse ? { action: { to: "/jobs/new", label: t("jobs.submit") } } : {})}
            command="millrace job submit train.sh --flavor small --follow"
          />
        }
      />
    </>
  );
}

function useColumns(withPlace: ReadonlySet<string>): readonly Column<Job>[] {
  const { t } = useText();
  const nameOfProject = useProjectNames();
  return [
    {
      key: "name",
      head: t("common.name"),
      isTitle: true,
      cell: (job) => (
        <TextLink to="/jobs/$jobId" params={{ jobId: job.id }}>
          {job.name}
        </TextLink>
      ),
    },
    {
      key: "state",
      head: t("common.state"),
      cell: (job) => <JobState job={job} />,
    },
    {
      key: "place",
      head: t("jobs.place"),
      cell: (job) => (withPlace.has(job.id) ? <Place jobId={job.id} /> : "—"),
    },
    {
      key: "gpu",
      head: t("jobs.machine"),
      cell: (job) => (
        <>
          {gpuText(job.flavor.gpu) ?? job.flavor.name}
          {job.gang === null ? null : ` × ${job.gang.size}`}
        </>
      ),
    },
    { key: "ran", head: t("jobs.ran"), align: "end", cell: (job) => <Ran job={job} /> },
    {
      key: "price",
      head: t("jobs.pricePerHour"),
      align: "end",
      cell: (job) => <Money amount={job.price.hourly} />,
    },
    { key: "project", head: t("jobs.project"), cell: (job) => nameOfProject(job.projectId) },
    { key: "created", head: t("jobs.submitted"), cell: (job) => <When at={job.createdAt} /> },
    {
      key: "actions",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (job) => <JobMenu job={job} />,
    },
  ];
}

function JobState({ job }: { readonly job: Job }): ReactNode {
  const reasonText = useReasonText();
  return (
    <StateBadge
      of="job"
      state={job.state}
      why={job.reason === null ? undefined : reasonText(job.reason)}
    />
  );
}

function Place({ jobId }: { readonly jobId: string }): ReactNode {
  const { t } = useText();
  const why = useApi("explainRequest", { params: { requestId: jobId } });
  const { position, waiting } = why.data ?? {};
  if (typeof position !== "number" || typeof waiting !== "number") return "—";
  return <span className="tabular">{t("jobs.placeOf", { position, waiting })}</span>;
}

function Ran({ job }: { readonly job: Job }): ReactNode {
  const { language } = useText();
  const nowMs = useNow(job.state === "running");
  const seconds = ranSeconds(job.attempts, nowMs);
  if (seconds === undefined) return <Muted>—</Muted>;
  return <span className="tabular nowrap">{durationText(seconds, language)}</span>;
}

function idOf(job: Job): string {
  return job.id;
}
