/** Attempts as a timeline: how each ended, told apart, and what it costs. */
import "./jobs.css";
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useApi } from "#console/api/queries.ts";
import { Money } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { durationText, useNow, When } from "#console/components/when.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { useText, type Translate } from "#console/i18n/index.ts";
import { Badge, Skeleton } from "#console/ui/feedback.tsx";
import { Icon, type IconName } from "#console/ui/icons.tsx";
import { Card, Row, Stack } from "#console/ui/layout.tsx";
import { Muted, Text } from "#console/ui/text.tsx";
import type { Tone } from "#console/ui/theme.ts";

import type { Attempt, Job } from "./actions.ts";
import { AttemptCost } from "./attempt-cost.tsx";
import { attemptSeconds } from "./job-text.ts";

type End = NonNullable<Attempt["end"]>;

/** What is metered, while an attempt runs and just after its end, is told by no event. */
const costsEveryMs = 15_000;

export function Attempts({ job }: { readonly job: Job }): ReactNode {
  const { t } = useText();
  const { attempts } = job;
  const params = { jobId: job.id };
  const costs = useApi("getJobCosts", { params }, { everyMs: costsEveryMs });
  if (attempts.length === 0) return <Muted>{t("jobs.attemptsNone")}</Muted>;
  return (
    <Stack>
      <Timeline job={job} costs={costs.data} />
      {costs.error === null ? null : (
        <ProblemBox error={costs.error} onRetry={() => void costs.refetch()} />
      )}
      {costs.data === undefined ? (
        costs.error === null ? (
          <Skeleton lines={2} label={t("common.loading")} />
        ) : null
      ) : (
        <div>
          <Text>
            {t("jobs.attemptCost.all")} <Money amount={costs.data.amount} />
          </Text>
          <Muted>{t("jobs.attemptCost.help")}</Muted>
          {job.gang === null ? null : <Muted>{t("jobs.attemptCost.ofMember")}</Muted>}
        </div>
      )}
    </Stack>
  );
}

function Timeline({
  job: { attempts, timeLimitSeconds },
  costs,
}: {
  readonly job: Job;
  readonly costs: AnswerOf<"getJobCosts"> | undefined;
}): ReactNode {
  const { t, language } = useText();
  const nowMs = useNow(
    attempts.some(({ state }) => state === "running"),
    1000,
  );
  return (
    <ol className="attempts">
      {attempts.map((attempt) => {
        const { tone, icon, text } = lookOf(attempt, { t, timeLimitSeconds });
        const ran = attemptSeconds(attempt, nowMs);
        const cost = costs?.attempts.find(({ number }) => number === attempt.number);
        return (
          <li key={attempt.number}>
            <span className="attempts-mark">
              <Icon name={icon} size={13} tone={tone} />
            </span>
            <Stack gap="xs">
              <Row gap="xs">
                <Text isStrong>{t("jobs.attempt", { number: attempt.number })}</Text>
                <Badge tone={tone}>{text}</Badge>
                {attempt.startedAt === null ? null : (
                  <Badge tone={attempt.billable ? "quiet" : "good"}>
                    {attempt.billable ? t("jobs.isBilled") : t("jobs.isNotBilled")}
                  </Badge>
                )}
              </Row>
              <Detail end={attempt.end} />
              {attempt.startedAt === null ? null : (
                <Muted>
                  <When at={attempt.startedAt} how="absolute" /> –{" "}
                  {attempt.endedAt === null ? (
                    t("jobs.now")
                  ) : (
                    <When at={attempt.endedAt} how="absolute" />
                  )}
                  {ran === undefined ? null : ` · ${durationText(ran, language)}`}
                </Muted>
              )}
              {cost === undefined ? null : <AttemptCost of={cost} />}
            </Stack>
          </li>
        );
      })}
    </ol>
  );
}

function Detail({ end }: { readonly end: End | null }): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  if (end?.kind === "platform_fault") return <Text size="sm">{told(end.detail)}</Text>;
  if (end?.kind === "preempted") {
    const text = end.detail === undefined ? t("jobs.preemptedHelp") : told(end.detail);
    return <Text size="sm">{text}</Text>;
  }
  return null;
}

interface Look {
  readonly tone: Tone;
  readonly icon: IconName;
  readonly text: string;
}

const looks: Readonly<Record<Attempt["state"], Omit<Look, "text">>> = {
  waiting: { tone: "attention", icon: "wait" },
  starting: { tone: "info", icon: "refresh" },
  running: { tone: "good", icon: "play" },
  ended: { tone: "quiet", icon: "minus" },
};

function lookOf(
  { state, end }: Attempt,
  { t, timeLimitSeconds }: { readonly t: Translate; readonly timeLimitSeconds: number },
): Look {
  switch (end?.kind) {
    case undefined:
      return { ...looks[state], text: t(`jobs.attemptState.${state}`) };
    case "exited":
      return end.exitCode === 0
        ? { tone: "good", icon: "check", text: t("jobs.end.ok") }
        : { tone: "bad", icon: "alert", text: t("jobs.end.exited", { code: end.exitCode }) };
    case "signaled":
      return { tone: "bad", icon: "alert", text: t("jobs.end.signaled", { signal: end.signal }) };
    case "timed_out":
      return {
        tone: "bad",
        icon: "clock",
        text: t("jobs.end.timedOut", { seconds: timeLimitSeconds }),
      };
    case "canceled":
      return { tone: "quiet", icon: "stop", text: t("jobs.end.canceled") };
    case "preempted":
      return { tone: "attention", icon: "pause", text: t("jobs.end.preempted") };
    case "platform_fault":
      return end.moved === true
        ? { tone: "attention", icon: "tool", text: t("jobs.end.moved") }
        : { tone: "attention", icon: "tool", text: t("jobs.end.platformFault") };
  }
}

/** When it was told to save its work and to end. */
export function Interruptions({ job }: { readonly job: Job }): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  if (job.preemptions.length === 0) return null;
  return (
    <Card title={t("jobs.interruptions")}>
      <ul className="plain-list">
        {job.preemptions.map((each) => (
          <li key={`${each.attempt} ${each.askedAt}`} className="line">
            <span>
              {t(`jobs.cause.${each.cause}`)} · {t(`jobs.preemptionState.${each.state}`)}
              <br />
              <Muted>{told(each.message)}</Muted>
            </span>
            <span>
              <When at={each.askedAt} how="absolute" />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
