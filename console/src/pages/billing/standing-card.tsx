/** Where one stands when money runs low: the ladder, the step one is on, and what to pay. */
import type { ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { Money } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Badge, Skeleton } from "#console/ui/feedback.tsx";
import { Icon } from "#console/ui/icons.tsx";
import { Card, Facts, Row, Stack } from "#console/ui/layout.tsx";
import { Muted, Text } from "#console/ui/text.tsx";

const ladder = [
  "ok",
  "forecast",
  "warning",
  "no_new_work",
  "grace",
  "stopped",
  "released",
] as const;
const tones = {
  ok: "good",
  forecast: "info",
  warning: "attention",
  no_new_work: "attention",
  grace: "bad",
  stopped: "bad",
  released: "bad",
} as const;

export function StandingCard(): ReactNode {
  const { t } = useText();
  const standing = useApi("getStanding", {}, { everyMs: 60_000 });
  if (standing.data === undefined) {
    return (
      <Card title={t("billing.standing")}>
        {standing.error === null ? (
          <Skeleton lines={6} label={t("common.loading")} />
        ) : (
          <ProblemBox error={standing.error} onRetry={() => void standing.refetch()} />
        )}
      </Card>
    );
  }
  const { stage, since, next, toLeave, toBeWell } = standing.data;
  return (
    <Card
      title={t("billing.standing")}
      action={
        <Badge tone={tones[stage]} icon={stage === "ok" ? "check" : "alert"}>
          {t(`billing.stage.${stage}.name`)}
        </Badge>
      }
    >
      <Stack>
        <Text>{t(`billing.stage.${stage}.text`)}</Text>
        <Facts
          rows={[
            ...(since === null || stage === "ok"
              ? []
              : [[t("billing.since"), <When key="since" how="both" at={since} />] as const]),
            [
              t("billing.next"),
              next === null ? (
                t("billing.nothingNext")
              ) : (
                <span key="next">
                  {t(`billing.stage.${next.stage}.name`)}, <When how="both" at={next.at} />
                </span>
              ),
            ],
            ...(stage === "ok"
              ? []
              : [
                  [t("billing.toLeave"), <Money key="leave" amount={toLeave} />] as const,
                  [t("billing.toBeWell"), <Money key="well" amount={toBeWell} />] as const,
                ]),
          ]}
        />
        <details>
          <summary>{t("billing.ladder")}</summary>
          <ol className="plain-list" style={{ marginTop: "0.5rem" }}>
            {ladder.map((step) => (
              <li
                key={step}
                className="line"
                {...(step === stage ? { "aria-current": "step" as const } : {})}
              >
                <Row gap="xs" wrap="nowrap" align="flex-start">
                  <Icon name={step === stage ? "right" : "minus"} size={16} />
                  <div>
                    <Text isStrong={step === stage}>{t(`billing.stage.${step}.name`)}</Text>
                    <Muted>{t(`billing.stage.${step}.text`)}</Muted>
                  </div>
                </Row>
              </li>
            ))}
          </ol>
        </details>
      </Stack>
    </Card>
  );
}
