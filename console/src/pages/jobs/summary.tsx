/** What the job would cost, whether it would start at once, and the button: in view all the time. */
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useApi } from "#console/api/queries.ts";
import { amountOf, fenOf, Money } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Notice, Skeleton } from "#console/ui/feedback.tsx";
import { Card, Facts, Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

import type { JobForm } from "./job-form.ts";
import { useReasonText } from "./reason.tsx";

const minutesPerHour = 60;
const membersMax = 1000;

export function Summary({
  form,
  children,
}: {
  readonly form: JobForm;
  /** The button and what belongs to it. */
  readonly children: ReactNode;
}): ReactNode {
  const { t } = useText();
  return (
    <Card title={t("jobs.summary")}>
      <Stack>
        {form.flavor === undefined ? (
          <Muted>{t("jobs.summaryNone")}</Muted>
        ) : (
          <Known form={form} flavor={form.flavor} />
        )}
        {children}
      </Stack>
    </Card>
  );
}

function Known({ form, flavor }: { readonly form: JobForm; readonly flavor: string }): ReactNode {
  const { t } = useText();
  const members = Math.min(membersMax, Math.max(1, form.members ?? 1));
  const hours = Math.min(87_600, Math.max(1, Math.ceil((form.limitMinutes ?? 0) / minutesPerHour)));
  const plan = useApi(
    "planRequest",
    {
      body: { flavor, count: members, ...(members > 1 ? { together: form.membersHow } : {}) },
    },
    { keepsLast: true, everyMs: 15_000 },
  );
  const quote = useApi("quote", { body: { flavor, hours } }, { keepsLast: true });
  const error = plan.error ?? quote.error;
  if (error !== null) return <ProblemBox error={error} onRetry={() => void plan.refetch()} />;
  if (plan.data === undefined || quote.data === undefined) {
    return <Skeleton label={t("common.loading")} />;
  }
  const { price } = plan.data;
  return (
    <Stack>
      <Facts
        rows={[
          [t("jobs.perHour"), <Times key="hour" amount={price.hourly} members={members} />],
          [t("jobs.perDay"), <Times key="day" amount={price.daily} members={members} />],
          ...(form.limitMinutes === undefined
            ? []
            : [
                [
                  t("jobs.atMost", { count: hours }),
                  <Times key="all" amount={quote.data.total} members={members} />,
                ] as const,
              ]),
          [t("jobs.available"), <Money key="available" amount={quote.data.available} />],
        ]}
      />
      <Muted>{t("jobs.billedHelp")}</Muted>
      <Start plan={plan.data} />
    </Stack>
  );
}

function Times({
  amount,
  members,
}: {
  readonly amount: string | null;
  readonly members: number;
}): ReactNode {
  return <Money amount={amount === null ? null : amountOf(fenOf(amount) * BigInt(members))} />;
}

function Start({ plan }: { readonly plan: AnswerOf<"planRequest"> }): ReactNode {
  const { t } = useText();
  const reasonText = useReasonText();
  const why = plan.reason === null ? null : <p>{reasonText(plan.reason)}</p>;
  if (plan.never) {
    return (
      <Notice tone="bad" title={t("jobs.never")}>
        {why}
      </Notice>
    );
  }
  const { waiting, latest, pool } = plan.line;
  if (plan.fits >= plan.asked && waiting === 0) {
    return <Notice tone="good" title={t("jobs.roomNow")} />;
  }
  return (
    <Notice
      tone="attention"
      title={plan.fits >= plan.asked ? t("jobs.roomBehind") : t("jobs.noRoom")}
    >
      {why}
      <p>
        {t("jobs.inLine", { count: waiting, pool: pool === "cpu" ? "CPU" : pool })}
        {latest === null ? null : (
          <>
            {" "}
            {t("jobs.lineUntil")} <When at={latest} how="both" />
          </>
        )}
      </p>
    </Notice>
  );
}
