/** What may be done to a job in which state; buttons and bulk actions ask it. */
import type { AnswerOf } from "#client/types.ts";

import { call } from "#console/api/client.ts";
import { useMay } from "#console/api/session.ts";
import type { BulkAction } from "#console/components/bulk.tsx";
import { useText, type Translate } from "#console/i18n/index.ts";

export type Job = AnswerOf<"getJob">;
export type Attempt = Job["attempts"][number];
export type JobState = Job["state"];

export const jobStates = [
  "queued",
  "starting",
  "running",
  "canceling",
  "succeeded",
  "failed",
  "timed_out",
  "canceled",
] as const satisfies readonly JobState[];

const cancelable: readonly JobState[] = ["queued", "starting", "running"];
const over: readonly JobState[] = ["succeeded", "failed", "timed_out", "canceled"];

export function isOver({ state }: Pick<Job, "state">): boolean {
  return over.includes(state);
}

/** Why it cannot be canceled; `undefined` when it can. */
export function cancelRefusal(state: JobState, t: Translate): string | undefined {
  if (cancelable.includes(state)) return undefined;
  return t("jobs.whyNot.cancel", { state: t(`states.job.${state}`) });
}

export function useCancel(): BulkAction<Job> {
  const { t } = useText();
  const mayUse = useMay()("compute.use");
  return {
    key: "cancel",
    label: t("jobs.cancel"),
    icon: "stop",
    isDangerous: true,
    title: (count) => t("jobs.cancelTitle", { count }),
    text: t("jobs.cancelText"),
    refuse: (job) => (mayUse ? cancelRefusal(job.state, t) : t("jobs.whyNot.permission")),
    run: (job) => call("cancelJob", { params: { jobId: job.id } }),
  };
}
