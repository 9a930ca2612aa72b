/** The first that one wants to know of a job. */
import type { ReactNode } from "react";

import { Money } from "#console/components/money.tsx";
import { SaveButton } from "#console/pages/files/save-button.tsx";
import { sizeText } from "#console/components/size-text.ts";
import { CopyLine } from "#console/components/copy.tsx";
import { durationText, useNow, When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { useProjectNames } from "#console/shell/project.tsx";
import { Notice } from "#console/ui/feedback.tsx";
import { Card, Facts, Grid, Stack } from "#console/ui/layout.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Muted, Text } from "#console/ui/text.tsx";

import { isOver, type Job } from "./actions.ts";
import { billedSeconds, gpuText, ranSeconds } from "./job-text.ts";
import { useReasonText } from "./reason.tsx";
import { Waits } from "./waits.tsx";

export function Overview({ job }: { readonly job: Job }): ReactNode {
  const { t } = useText();
  const reasonText = useReasonText();
  const isBad = job.state === "failed" || job.state === "timed_out";
  return (
    <Stack>
      {job.state === "queued" ? (
        <Waits requestId={job.id} />
      ) : job.reason === null ? null : (
        <Notice tone={isBad ? "bad" : "info"} title={t(`states.job.${job.state}`)}>
          {reasonText(job.reason)}
        </Notice>
      )}
      <Grid columns={2}>
        <Card title={t("jobs.run")}>
          <RunFacts job={job} />
        </Card>
        <Stack>
          <Card title={t("jobs.cost")}>
            <CostFacts job={job} />
          </Card>
          <Card title={t("jobs.results")}>
            <Results job={job} />
          </Card>
        </Stack>
      </Grid>
    </Stack>
  );
}

function RunFacts({ job }: { readonly job: Job }): ReactNode {
  const { t, language } = useText();
  const nameOfProject = useProjectNames();
  const nowMs = useNow(job.state === "running", 1000);
  const ran = ranSeconds(job.attempts, nowMs);
  return (
    <Facts
      rows={[
        [t("jobs.submitted"), <When key="at" at={job.createdAt} how="both" />],
        [t("jobs.ended"), <When key="end" at={job.endedAt} how="both" />],
        [
          t("jobs.ran"),
          ran === undefined
            ? "—"
            : t("jobs.ranOf", {
                ran: durationText(ran, language),
                limit: durationText(job.timeLimitSeconds, language),
              }),
        ],
        [t("jobs.flavor"), job.flavor.name],
        ["GPU", gpuText(job.flavor.gpu) ?? t("common.none")],
        ...(job.gang === null
          ? []
          : [
              [
                t("jobs.members"),
                t(`jobs.membersOf.${job.gang.how}`, { count: job.gang.size }),
              ] as const,
            ]),
        [t("jobs.image"), job.image],
        [t("jobs.project"), nameOfProject(job.projectId)],
        [t("jobs.preemptible"), job.preemptible ? t("common.yes") : t("common.no")],
        [t("jobs.id"), <CopyLine key="id" text={job.id} />],
      ]}
    />
  );
}

function CostFacts({ job }: { readonly job: Job }): ReactNode {
  const { t, language } = useText();
  const nowMs = useNow(!isOver(job), 1000);
  return (
    <Stack gap="sm">
      <Facts
        rows={[
          [
            job.gang === null ? t("jobs.pricePerHour") : t("jobs.pricePerMember"),
            <Money key="hourly" amount={job.price.hourly} />,
          ],
          [t("jobs.billed"), durationText(billedSeconds(job.attempts, nowMs), language)],
        ]}
      />
      <Muted>{t("jobs.costHelp")}</Muted>
      <div>
        <TextLink to="/billing/usage">{t("jobs.toUsage")}</TextLink>
      </div>
    </Stack>
  );
}

function Results({ job }: { readonly job: Job }): ReactNode {
  const { t } = useText();
  if (job.resultsBytes === null) {
    return <Muted>{isOver(job) ? t("jobs.resultsNone") : t("jobs.resultsLater")}</Muted>;
  }
  return (
    <Stack gap="sm">
      <Text size="sm">{t("jobs.resultsSize", { size: sizeText(job.resultsBytes) })}</Text>
      <SaveButton
        operation="downloadJobResults"
        request={{ params: { jobId: job.id } }}
        fileName={`${job.name}-results.tar`}
        label={t("jobs.resultsDownload")}
      />
      <CopyLine text={`millrace job results ${job.id}`} />
    </Stack>
  );
}
