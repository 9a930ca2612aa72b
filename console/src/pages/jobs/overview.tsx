/** The first that one wants to know of a job. */
import type { ReactNode } from "react";

import { Advice, adviceIn } from "#console/components/advice.tsx";
import { dayBefore, todayIn } from "#console/components/date-range.tsx";
import { Money } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { sizeText } from "#console/components/size-text.ts";
import { CopyLine } from "#console/components/copy.tsx";
import { DownloadButton } from "#console/components/download.tsx";
import { UseCost } from "#console/components/use-cost.tsx";
import { durationText, useNow, When } from "#console/components/when.tsx";
import { useApi } from "#console/api/queries.ts";
import { useMay, useTimeZone } from "#console/api/session.ts";
import { useText } from "#console/i18n/index.ts";
import { useProjectNames } from "#console/shell/project.tsx";
import { Notice, Skeleton } from "#console/ui/feedback.tsx";
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
  const advice = adviceIn(job.reason?.details);
  const isBad = job.state === "failed" || job.state === "timed_out";
  return (
    <Stack>
      {job.state === "queued" ? (
        <Waits requestId={job.id} />
      ) : job.reason === null ? null : (
        <Notice tone={isBad ? "bad" : "info"} title={t(`states.job.${job.state}`)}>
          {reasonText(job.reason)} {advice === undefined ? null : <Advice of={advice} />}
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
  const mayBill = useMay()("billing.read");
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
      {mayBill && job.gang === null ? <Used job={job} /> : null}
      <Muted>{t("jobs.costHelp")}</Muted>
      <div>
        <TextLink to="/billing/usage">{t("jobs.toUsage")}</TextLink>
      </div>
    </Stack>
  );
}

/** The last days of it, which is all of it but for the longest. */
function Used({ job }: { readonly job: Job }): ReactNode {
  const { t } = useText();
  const timeZone = useTimeZone();
  const nowMs = useNow(job.endedAt === null, 60_000);
  const through = todayIn(timeZone, job.endedAt === null ? nowMs : Date.parse(job.endedAt));
  const begun = todayIn(timeZone, Date.parse(job.createdAt));
  const least = dayBefore(through, usedDaysMax - 1);
  const from = begun < least ? least : begun;
  const sums = useApi("getUsageSums", {
    query: { from, through, bucket: "month", by: "resource" },
  });
  if (sums.error !== null) {
    return <ProblemBox error={sums.error} onRetry={() => void sums.refetch()} />;
  }
  if (sums.data === undefined) return <Skeleton label={t("common.loading")} />;
  // With more than is answered at once, a part would pass for the whole.
  if (sums.data.isCut) return null;
  return <UseCost of={job.id} sums={sums.data} price={job.price} />;
}

const usedDaysMax = 60;

function Results({ job }: { readonly job: Job }): ReactNode {
  const { t } = useText();
  if (job.resultsBytes === null) {
    return <Muted>{isOver(job) ? t("jobs.resultsNone") : t("jobs.resultsLater")}</Muted>;
  }
  return (
    <Stack gap="sm">
      <Text size="sm">{t("jobs.resultsSize", { size: sizeText(job.resultsBytes) })}</Text>
      <DownloadButton
        isLarge
        operation="downloadJobResults"
        request={{ params: { jobId: job.id } }}
        fileName={`${job.name}-results.tar`}
        label={t("jobs.resultsDownload")}
      />
      <CopyLine text={`millrace job results ${job.id}`} />
    </Stack>
  );
}
