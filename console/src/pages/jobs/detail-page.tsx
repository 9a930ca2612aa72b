/** One job: why it waits, what it prints, what became of its attempts, what it left, what it cost. */
import { useState, type ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { BulkDialog } from "#console/components/bulk.tsx";
import { CodeBlock } from "#console/components/copy.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { oneOf, usePathParam, useSearchParams } from "#console/components/search-params.ts";
import { CliText } from "#console/components/show-as-cli.tsx";
import { StateBadge } from "#console/components/state-badge.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button, LinkButton } from "#console/ui/button.tsx";
import { Skeleton } from "#console/ui/feedback.tsx";
import { Card, Stack } from "#console/ui/layout.tsx";
import { Tabs, type Tab } from "#console/ui/tabs.tsx";

import { useCancel, type Job } from "./actions.ts";
import { Attempts, Interruptions } from "./attempts.tsx";
import { JobLog } from "./job-log.tsx";
import { Members } from "./members.tsx";
import { Overview } from "./overview.tsx";
import { RequestCards } from "./request-cards.tsx";

const tabNames = ["overview", "log", "attempts", "members", "request", "api"] as const;

export function JobPage(): ReactNode {
  const { t } = useText();
  const jobId = usePathParam("jobId");
  const job = useApi("getJob", { params: { jobId } });
  const parent = { to: "/jobs", label: t("jobs.title") };
  if (job.data === undefined) {
    return (
      <>
        <PageHead title={t("jobs.job")} parent={parent} />
        {job.error === null ? (
          <Skeleton lines={8} label={t("common.loading")} />
        ) : (
          <ProblemBox error={job.error} onRetry={() => void job.refetch()} />
        )}
      </>
    );
  }
  return (
    <>
      <PageHead
        title={job.data.name}
        parent={parent}
        badge={<StateBadge of="job" state={job.data.state} />}
        actions={<Actions job={job.data} />}
      />
      {job.error === null ? null : <ProblemBox error={job.error} />}
      <JobTabs job={job.data} />
    </>
  );
}

function Actions({ job }: { readonly job: Job }): ReactNode {
  const { t } = useText();
  const mayUse = useMay()("compute.use");
  const cancel = useCancel();
  const [isAsked, setAsked] = useState(false);
  return (
    <>
      {mayUse ? (
        <LinkButton to="/jobs/new" search={{ from: job.id }} icon="copy">
          {t("jobs.again")}
        </LinkButton>
      ) : null}
      <Button icon="stop" disabledReason={cancel.refuse(job)} onClick={() => setAsked(true)}>
        {t("jobs.cancel")}
      </Button>
      {isAsked ? (
        <BulkDialog
          action={cancel}
          items={[job]}
          nameOf={({ name }) => name}
          onClose={() => setAsked(false)}
        />
      ) : null}
    </>
  );
}

function JobTabs({ job }: { readonly job: Job }): ReactNode {
  const { t } = useText();
  const [{ tab }, setSearch] = useSearchParams({ tab: oneOf(tabNames) });
  const tabs: readonly Tab<(typeof tabNames)[number]>[] = [
    { value: "overview", label: t("jobs.tab.overview"), content: () => <Overview job={job} /> },
    { value: "log", label: t("jobs.tab.log"), content: () => <JobLog job={job} /> },
    {
      value: "attempts",
      label: t("jobs.tab.attempts"),
      content: () => (
        <Stack>
          <Card title={t("jobs.tab.attempts")}>
            <Attempts job={job} />
          </Card>
          <Interruptions job={job} />
        </Stack>
      ),
    },
    ...(job.gang?.members === undefined || job.gang.members === null
      ? []
      : [
          {
            value: "members" as const,
            label: t("jobs.tab.members"),
            content: () => <Members job={job} />,
          },
        ]),
    {
      value: "request",
      label: t("jobs.tab.request"),
      content: () => <RequestCards job={job} />,
    },
    { value: "api", label: t("jobs.tab.api"), content: () => <Api job={job} /> },
  ];
  const shown = tabs.find(({ value }) => value === tab)?.value ?? "overview";
  return (
    <Tabs
      label={t("jobs.job")}
      tabs={tabs}
      value={shown}
      onChange={(next) => setSearch({ tab: next === "overview" ? undefined : next }, "step")}
    />
  );
}

function Api({ job }: { readonly job: Job }): ReactNode {
  const { t } = useText();
  return (
    <Stack>
      <CliText
        operation="getJob"
        request={{ params: { jobId: job.id } }}
        command={`millrace job show ${job.id}`}
      />
      <CodeBlock text={JSON.stringify(job, null, 2)} label={t("jobs.record")} />
    </Stack>
  );
}
