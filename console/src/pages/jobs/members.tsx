/** The members of a job of several: each with its state, its address, its attempts and its results. */
import type { ReactNode } from "react";

import { useApi, wholeList } from "#console/api/queries.ts";
import { CopyLine } from "#console/components/copy.tsx";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { DownloadButton } from "#console/components/download.tsx";
import { StateBadge } from "#console/components/state-badge.tsx";
import { durationText, useNow } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { TextLink } from "#console/ui/link.tsx";
import { Muted } from "#console/ui/text.tsx";

import type { Job } from "./actions.ts";
import { ranSeconds } from "./job-text.ts";
import { useReasonText } from "./reason.tsx";

type Member = NonNullable<NonNullable<Job["gang"]>["members"]>[number];

export function Members({ job }: { readonly job: Job }): ReactNode {
  const { t, language } = useText();
  const reasonText = useReasonText();
  const nowMs = useNow(job.state === "running", 1000);
  const query = useApi("getJob", { params: { jobId: job.id } });
  const columns: readonly Column<Member>[] = [
    {
      key: "rank",
      head: t("jobs.rank"),
      cell: ({ rank }) => <span className="tabular">{rank}</span>,
    },
    {
      key: "name",
      head: t("common.name"),
      isTitle: true,
      cell: ({ rank, name }) => (
        <TextLink
          to="/jobs/$jobId"
          params={{ jobId: job.id }}
          search={{ tab: "log", member: String(rank) }}
        >
          {name}
        </TextLink>
      ),
    },
    {
      key: "state",
      head: t("common.state"),
      cell: ({ state, reason }) => (
        <StateBadge of="job" state={state} why={reason === null ? undefined : reasonText(reason)} />
      ),
    },
    {
      key: "address",
      head: t("jobs.address"),
      cell: ({ address }) => (address === null ? <Muted>—</Muted> : <CopyLine text={address} />),
    },
    {
      key: "ran",
      head: t("jobs.ran"),
      align: "end",
      cell: ({ attempts }) => {
        const ran = ranSeconds(attempts, nowMs);
        return ran === undefined ? "—" : durationText(ran, language);
      },
    },
    {
      key: "results",
      head: t("jobs.results"),
      cell: ({ rank, name, resultsBytes }) =>
        resultsBytes === null ? (
          <Muted>—</Muted>
        ) : (
          <DownloadButton
            isLarge
            operation="downloadJobResults"
            request={{ params: { jobId: job.id }, query: { member: rank } }}
            fileName={`${name}-results.tar`}
            size="xs"
          />
        ),
    },
  ];
  return (
    <DataTable
      label={t("jobs.tab.members")}
      pages={wholeList(query, job.gang?.members ?? [])}
      columns={columns}
      keyOf={({ id }) => id}
      empty={<Muted>{t("common.none")}</Muted>}
    />
  );
}
