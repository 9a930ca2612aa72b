/** Why it waits, in which place, and when it may start: what `why` says. */
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useApi } from "#console/api/queries.ts";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Skeleton } from "#console/ui/feedback.tsx";
import { Card, Facts, Stack } from "#console/ui/layout.tsx";
import { Muted, Text } from "#console/ui/text.tsx";

import { useReasonText } from "./reason.tsx";

type Why = AnswerOf<"explainRequest">;

/** The queue moves without an event of one's own. */
const everyMs = 10_000;

export function Waits({ requestId }: { readonly requestId: string }): ReactNode {
  const { t } = useText();
  const why = useApi("explainRequest", { params: { requestId } }, { everyMs });
  return (
    <Card title={t("jobs.why")}>
      {why.data === undefined ? (
        why.error === null ? (
          <Skeleton label={t("common.loading")} />
        ) : (
          <ProblemBox error={why.error} onRetry={() => void why.refetch()} />
        )
      ) : (
        <Answer why={why.data} />
      )}
    </Card>
  );
}

function Answer({ why }: { readonly why: Why }): ReactNode {
  const { t } = useText();
  const reasonText = useReasonText();
  const { position, waiting, start, gang } = why;
  return (
    <Stack gap="sm">
      <Text isStrong>
        {why.state === "waiting" && position !== null && waiting !== null
          ? t("jobs.placeFor", {
              position,
              waiting,
              pool: why.pool === "cpu" ? "CPU" : why.pool,
            })
          : t(`jobs.whyState.${why.state}`)}
      </Text>
      {why.reason === null ? null : <Text>{reasonText(why.reason)}</Text>}
      <Facts
        rows={[
          [t("jobs.class"), t(`jobs.classes.${why.workClass}`)],
          [t("jobs.asked"), <When key="asked" at={why.askedAt} how="both" />],
          ...(gang === null
            ? []
            : [
                [
                  t("jobs.members"),
                  gang.fits === null
                    ? String(gang.size)
                    : t("jobs.fitsOf", { fits: gang.fits, size: gang.size }),
                ] as const,
              ]),
          [t("jobs.likely"), <Instant key="likely" at={start?.likely} />],
          [t("jobs.earliest"), <Instant key="earliest" at={start?.earliest} />],
          [t("jobs.latest"), <Instant key="latest" at={start?.latest} />],
        ]}
      />
      <Muted>{t("jobs.startHelp")}</Muted>
    </Stack>
  );
}

function Instant({ at }: { readonly at: string | null | undefined }): ReactNode {
  const { t } = useText();
  return at === null || at === undefined ? (
    <Muted>{t("jobs.nobodyKnows")}</Muted>
  ) : (
    <When at={at} how="both" />
  );
}
