/**
 * A new job: from nothing but how the last one ran, or, with `?from=`, from an earlier one whole. What
 * was last is asked of the API, so it is the same on every machine.
 */
import { useRef, type ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { PageHead } from "#console/components/page-head.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { anyText, useSearchParams } from "#console/components/search-params.ts";
import { useText } from "#console/i18n/index.ts";
import { Notice, Skeleton } from "#console/ui/feedback.tsx";
import { Stack } from "#console/ui/layout.tsx";
import { TextLink } from "#console/ui/link.tsx";

import { JobFormCard } from "./form.tsx";
import { again, emptyForm, likeLast, type JobForm } from "./job-form.ts";

export function NewJobPage(): ReactNode {
  const { t } = useText();
  const [{ from, flavor }] = useSearchParams({ from: anyText(36), flavor: anyText(63) });
  const jobs = useApi("listJobs", { query: { limit: 1 } }, { enabled: from === undefined });
  const last = jobs.data?.items[0];
  const source = from ?? last?.id;
  const request = useApi(
    "getJobRequest",
    { params: { jobId: source ?? "" } },
    { enabled: source !== undefined },
  );
  const isPending =
    source === undefined ? jobs.isPending : request.isPending && request.error === null;
  // Whatever is submitted elsewhere meanwhile, what is typed here stays.
  const start = useRef<{ readonly of: string; readonly form: JobForm }>(undefined);
  const of = `${from ?? ""} ${flavor ?? ""}`;
  if (!isPending && start.current?.of !== of) {
    start.current = { of, form: startOf(request.data, from, flavor) };
  }
  return (
    <>
      <PageHead title={t("jobs.newTitle")} parent={{ to: "/jobs", label: t("jobs.title") }} />
      {start.current === undefined || start.current.of !== of ? (
        <Skeleton lines={8} label={t("common.loading")} />
      ) : (
        <Stack>
          {from !== undefined && request.error !== null ? (
            <ProblemBox error={request.error} onRetry={() => void request.refetch()} />
          ) : null}
          {request.data === undefined || source === undefined ? null : (
            <Notice tone="info">
              <p style={{ margin: 0 }}>
                {t(from === undefined ? "jobs.likeLast" : "jobs.likeThat")}{" "}
                <TextLink to="/jobs/$jobId" params={{ jobId: source }}>
                  {request.data.name}
                </TextLink>
                {from === undefined ? (
                  <>
                    {" · "}
                    <TextLink to="/jobs/new" search={{ from: source }}>
                      {t("jobs.takeAll")}
                    </TextLink>
                  </>
                ) : null}
              </p>
            </Notice>
          )}
          <JobFormCard key={of} start={start.current.form} />
        </Stack>
      )}
    </>
  );
}

function startOf(
  request: Parameters<typeof again>[0] | undefined,
  from: string | undefined,
  flavor: string | undefined,
): JobForm {
  const form =
    request === undefined ? emptyForm : from === undefined ? likeLast(request) : again(request);
  return flavor === undefined ? form : { ...form, flavor };
}
