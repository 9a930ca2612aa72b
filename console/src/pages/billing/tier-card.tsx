/** The customer's tier: why, what it gives, and what the next one takes. */
import type { ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { fenOf, Money, moneyText } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Badge, Skeleton } from "#console/ui/feedback.tsx";
import { Card, Facts, Stack } from "#console/ui/layout.tsx";
import { Muted, Text } from "#console/ui/text.tsx";

const tones = { normal: "quiet", gold: "attention", diamond: "info" } as const;

export function TierCard(): ReactNode {
  const { t } = useText();
  const tier = useApi("getTier");
  const changes = useApi("listTierChanges", { query: { limit: 5 } });
  if (tier.data === undefined) {
    return (
      <Card title={t("billing.tier.title")}>
        {tier.error === null ? (
          <Skeleton lines={6} label={t("common.loading")} />
        ) : (
          <ProblemBox error={tier.error} onRetry={() => void tier.refetch()} />
        )}
      </Card>
    );
  }
  const { tier: name, byPayments, override, holdUntil, netPaid, benefits, next } = tier.data;
  const why =
    override === null
      ? t("billing.tier.byPayments")
      : t("billing.tier.byHand", { tier: t(`billing.tier.name.${byPayments}`) });
  return (
    <Card
      title={t("billing.tier.title")}
      action={<Badge tone={tones[name]}>{t(`billing.tier.name.${name}`)}</Badge>}
    >
      <Stack>
        <Text>{why}</Text>
        {override === null ? null : (
          <Muted>
            {override.reason} · <When how="day" at={override.untilAt} />
          </Muted>
        )}
        <Facts
          rows={[
            [t("billing.tier.paid12m"), <Money key="12m" amount={netPaid.netPaid12m} />],
            [
              t("billing.tier.paid3m"),
              netPaid.netPaidLast3Months.map((amount) => moneyText(amount)).join(" · ") || "—",
            ],
            [t("billing.tier.cumulative"), <Money key="all" amount={netPaid.cumulative} />],
            ...(holdUntil === null ? [] : [[t("billing.tier.holdUntil"), holdUntil] as const]),
            [t("billing.tier.priority"), t(`billing.tier.priorityOf.${benefits.priority}`)],
            [t("billing.tier.support"), t(`billing.tier.supportOf.${benefits.support}`)],
            [t("billing.tier.contact"), t(`billing.tier.contactOf.${benefits.contact}`)],
            [t("billing.tier.storage"), t(`billing.tier.storageOf.${benefits.storage}`)],
          ]}
        />
        {next.length === 0 ? null : (
          <div>
            <Text isStrong>{t("billing.tier.next")}</Text>
            <ul className="plain-list">
              {next.map((way) => (
                <li key={`${way.tier} ${way.rule}`} className="line" title={way.rule}>
                  <span>
                    {t(fenOf(way.missing) === 0n ? "billing.tier.wayReached" : "billing.tier.way", {
                      tier: t(`billing.tier.name.${way.tier}`),
                      missing: moneyText(way.missing),
                      before: way.before,
                    })}
                  </span>
                </li>
              ))}
            </ul>
          </div>
        )}
        {(changes.data?.items.length ?? 0) === 0 ? null : (
          <details>
            <summary>{t("billing.tier.changes")}</summary>
            <ul className="plain-list">
              {changes.data?.items.map((change) => (
                <li key={change.id} className="line" title={change.rule}>
                  <span>
                    {change.effective}: {t(`billing.tier.name.${change.tierBefore}`)} →{" "}
                    {t(`billing.tier.name.${change.tier}`)}
                  </span>
                  <Muted>{t(`billing.tier.reasonOf.${change.reason}`)}</Muted>
                </li>
              ))}
            </ul>
          </details>
        )}
      </Stack>
    </Card>
  );
}
