/** Attempts as a timeline: how each ended, told apart, and whether it is billed. */
import "./jobs.css";
import type { ReactNode } from "react";

import { durationText, useNow, When } from "#console/components/when.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { useText, type Translate } from "#console/i18n/index.ts";
import { Badge } from "#console/ui/feedback.tsx";
import { Icon, type IconName } from "#console/ui/icons.tsx";
import { Card, Row, Stack } from "#console/ui/layout.tsx";
import { Muted, Text } from "#console/ui/text.tsx";
import type { Tone } from "#console/ui/theme.ts";

import type { Attempt, Job } from "./actions.ts";
import { attemptSeconds } from "./job-text.ts";

type End = NonNullable<Attempt["end"]>;

export function Attempts({
  attempts,
  timeLimitSeconds,
}: {
  readonly attempts: readonly Attempt[];
  readonly timeLimitSeconds: number;
}): ReactNode {
  const { t, language } = useText();
  const nowMs = useNow(
    attempts.some(({ state }) => state === "running"),
    1000,
  );
  if (attempts.length === 0) return <Muted>{t("jobs.attemptsNone")}</Muted>;
  return (
    <ol className="attempts">
      {attempts.map((attempt) => {
        const { tone, icon, text } = lookOf(attempt, { t, timeLimitSeconds });
        const ran = attemptSeconds(attempt, nowMs);
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
