/** What was submitted: the work, its inputs and its environment, whose values are shown on demand. */
import { useState, type ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { CodeBlock } from "#console/components/copy.tsx";
import { DownloadButton } from "#console/components/download.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { sizeText } from "#console/components/size-text.ts";
import { durationText, When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Notice, Skeleton } from "#console/ui/feedback.tsx";
import { Card, Facts, Stack } from "#console/ui/layout.tsx";
import { Code, Muted } from "#console/ui/text.tsx";

import type { Job } from "./actions.ts";
import { quoted, type JobRequest } from "./job-form.ts";

export function RequestCards({ job }: { readonly job: Job }): ReactNode {
  const { t } = useText();
  const mayUse = useMay()("compute.use");
  const request = useApi("getJobRequest", { params: { jobId: job.id } }, { enabled: mayUse });
  if (!mayUse) return <Notice tone="info">{t("jobs.requestForbidden")}</Notice>;
  if (request.data === undefined) {
    return request.error === null ? (
      <Skeleton lines={6} label={t("common.loading")} />
    ) : (
      <ProblemBox error={request.error} onRetry={() => void request.refetch()} />
    );
  }
  const { script, command, checkpoint } = request.data;
  return (
    <Stack>
      <Card title={script === undefined ? t("jobs.command") : t("jobs.script")}>
        <CodeBlock
          text={script ?? (command ?? []).map((word) => quoted(word)).join(" ")}
          label={script === undefined ? t("jobs.command") : t("jobs.script")}
        />
      </Card>
      <Card title={t("jobs.inputs")}>
        <Inputs ids={request.data.inputs} />
      </Card>
      <Card title={t("jobs.environment")}>
        <Environment environment={request.data.environment} />
      </Card>
      <Card title={t("jobs.rules")}>
        <Rules request={request.data} />
      </Card>
      {checkpoint === undefined ? null : (
        <Card title={t("jobs.checkpoint")}>
          <CodeBlock text={checkpoint} label={t("jobs.checkpoint")} />
        </Card>
      )}
    </Stack>
  );
}

function Inputs({ ids }: { readonly ids: readonly string[] }): ReactNode {
  const { t } = useText();
  const files = useApi("listFiles", { query: { limit: 200 } }, { enabled: ids.length > 0 });
  if (ids.length === 0) return <Muted>{t("common.none")}</Muted>;
  return (
    <ul className="plain-list">
      {ids.map((id) => {
        const file = files.data?.items.find((each) => each.id === id);
        return (
          <li key={id} className="line">
            <span>
              {file?.name ?? id}{" "}
              {file === undefined ? null : <Muted>{sizeText(file.sizeBytes)}</Muted>}
            </span>
            <DownloadButton
              isLarge
              operation="downloadFile"
              request={{ params: { fileId: id } }}
              fileName={file?.name ?? id}
              size="xs"
            />
          </li>
        );
      })}
    </ul>
  );
}

function Environment({
  environment,
}: {
  readonly environment: JobRequest["environment"];
}): ReactNode {
  const { t } = useText();
  const [isShown, setShown] = useState(false);
  const rows = Object.entries(environment);
  if (rows.length === 0) return <Muted>{t("common.none")}</Muted>;
  return (
    <Stack gap="sm">
      <Facts
        rows={rows.map(([name, value]) => [
          <Code key={name}>{name}</Code>,
          isShown ? <Code key="value">{value}</Code> : "••••••",
        ])}
      />
      <div>
        <Button size="xs" onClick={() => setShown(!isShown)}>
          {isShown ? t("jobs.hideValues") : t("jobs.showValues")}
        </Button>
      </div>
    </Stack>
  );
}

function Rules({ request }: { readonly request: JobRequest }): ReactNode {
  const { t, language } = useText();
  const { expectedSeconds, deadline, group, near, apart } = request;
  return (
    <Facts
      rows={[
        [t("jobs.timeLimit"), durationText(request.timeLimitSeconds, language)],
        [
          t("jobs.expected"),
          expectedSeconds === undefined ? "—" : durationText(expectedSeconds, language),
        ],
        [t("jobs.deadline"), <When key="deadline" at={deadline ?? null} how="both" />],
        [t("jobs.retries"), request.platformRetriesMax],
        [t("jobs.framework"), t(`jobs.frameworks.${request.framework}`)],
        ...(group === undefined ? [] : [[t("jobs.group"), group] as const]),
        ...(near.length === 0 ? [] : [[t("jobs.near"), near.join(", ")] as const]),
        ...(apart.length === 0 ? [] : [[t("jobs.apart"), apart.join(", ")] as const]),
      ]}
    />
  );
}
