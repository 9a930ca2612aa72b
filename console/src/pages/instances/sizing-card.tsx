/** How large it should be by what it used, what that would cost, and how sure that is. */
import { useState, type ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { memoryText } from "#console/components/flavor.ts";
import { Money } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { When } from "#console/components/when.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Badge, Skeleton } from "#console/ui/feedback.tsx";
import { Card, Facts, Row, Stack } from "#console/ui/layout.tsx";
import { Muted, Text } from "#console/ui/text.tsx";

import { resizeRefusal, type Lease } from "./actions.ts";
import { AutoSizeDialog } from "./auto-size-dialog.tsx";
import { ResizeDialog } from "./resize-dialog.tsx";

export function SizingCard({ lease }: { readonly lease: Lease }): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  const mayUse = useMay()("compute.use");
  const [isResizing, setResizing] = useState(false);
  const [isSetting, setSetting] = useState(false);
  const params = { leaseId: lease.id };
  const advice = useApi("getLeaseRecommendation", { params });
  const byHand = useAction("deleteSizing");
  const { data } = advice;
  if (data === undefined) {
    return (
      <Card title={t("lease.size")}>
        {advice.error === null ? (
          <Skeleton label={t("common.loading")} />
        ) : (
          <ProblemBox error={advice.error} onRetry={() => void advice.refetch()} />
        )}
      </Card>
    );
  }
  const { recommended, automatic } = data;
  const mayNot = mayUse ? undefined : t("instances.whyNot.permission");
  const refusal = mayUse ? resizeRefusal(lease, t) : t("instances.whyNot.permission");
  return (
    <Card
      title={t("lease.size")}
      action={
        <Badge tone={data.advice === "keep" || data.advice === "unknown" ? "quiet" : "attention"}>
          {t(`lease.advice.${data.advice}`)}
        </Badge>
      }
    >
      <Stack gap="sm">
        <Text>{t(`lease.adviceText.${data.advice}`)}</Text>
        {recommended === null ? null : (
          <Row>
            <Text isStrong>{recommended.flavor}</Text>
            <Muted>
              {t("offers.vcpus", { count: recommended.vcpus })} ·{" "}
              {memoryText(recommended.memoryMiB)} · <Money amount={recommended.hourly} />{" "}
              {t("common.perHour")} ({t("lease.insteadOf")} <Money amount={data.current.hourly} />)
            </Muted>
            <Button size="xs" disabledReason={refusal} onClick={() => setResizing(true)}>
              {t("lease.resize")}
            </Button>
          </Row>
        )}
        <Muted>
          {t("lease.confidence", {
            confidence: t(`lease.confident.${data.confidence}`),
            days: data.days,
          })}{" "}
          {data.live.because === null || recommended === null
            ? null
            : t("lease.needsRestart", { because: told(data.live.because) })}
        </Muted>
        {automatic === null ? (
          <div>
            <Button
              size="xs"
              disabledReason={lease.plan === "subscription" ? t("lease.autoSize.ofTerm") : mayNot}
              onClick={() => setSetting(true)}
            >
              {t("lease.autoSize.on")}
            </Button>
          </div>
        ) : (
          <>
            <Facts
              rows={[
                [t("lease.automatic"), told(automatic.next)],
                [
                  t("lease.automaticBounds"),
                  `${automatic.vcpusMin}–${automatic.vcpusMax} vCPU, ${memoryText(automatic.memoryMiBMin)}–${memoryText(automatic.memoryMiBMax)}`,
                ],
                [t("lease.automaticPrice"), <Money key="max" amount={automatic.hourlyMax} />],
                ...(automatic.resizedAt === null
                  ? []
                  : [[t("lease.resizedAt"), <When key="at" at={automatic.resizedAt} />] as const]),
              ]}
            />
            <Row>
              <Button size="xs" disabledReason={mayNot} onClick={() => setSetting(true)}>
                {t("lease.autoSize.change")}
              </Button>
              <Button
                size="xs"
                isBusy={byHand.isPending}
                disabledReason={mayNot}
                onClick={() => byHand.mutate({ params })}
              >
                {t("lease.automaticOff")}
              </Button>
            </Row>
            {byHand.error === null ? null : <ProblemBox error={byHand.error} />}
          </>
        )}
      </Stack>
      {isSetting ? (
        <AutoSizeDialog lease={lease} advice={data} onClose={() => setSetting(false)} />
      ) : null}
      {isResizing && recommended !== null ? (
        <ResizeDialog
          lease={lease}
          flavor={recommended.flavor}
          onClose={() => setResizing(false)}
        />
      ) : null}
    </Card>
  );
}
