/** How much more may be had, and what ends soon. */
import type { ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { Gauge } from "#console/components/gauge.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Skeleton } from "#console/ui/feedback.tsx";
import { Card, Facts } from "#console/ui/layout.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Muted } from "#console/ui/text.tsx";

export function QuotaCard(): ReactNode {
  const { t } = useText();
  const quota = useApi("getQuota");
  if (quota.data === undefined) {
    return (
      <Card title={t("home.quota")}>
        {quota.error === null ? (
          <Skeleton label={t("common.loading")} />
        ) : (
          <ProblemBox error={quota.error} onRetry={() => void quota.refetch()} />
        )}
      </Card>
    );
  }
  const { limits, used } = quota.data;
  const rows: readonly (readonly [name: string, limit: number, used: number])[] = [
    [t("home.quotaNames.vcpus"), limits.vcpus, used.vcpus],
    [t("home.quotaNames.memory"), gib(limits.memoryMiB), gib(used.memoryMiB)],
    [t("home.quotaNames.disk"), limits.diskGiB, used.diskGiB],
    [t("home.quotaNames.leases"), limits.leases, used.leases],
    [t("home.quotaNames.jobs"), limits.jobs, used.jobs],
    ...Object.entries(limits.gpus).map(
      ([model, limit]) => [`GPU ${model}`, limit, used.gpus[model] ?? 0] as const,
    ),
  ];
  return (
    <Card title={t("home.quota")} action={<TextLink to="/quota">{t("home.moreQuota")}</TextLink>}>
      <Facts
        rows={rows.map(([name, limit, taken]) => [
          name,
          <Gauge
            key={name}
            of="left"
            share={limit === 0 ? 0 : Math.max(0, limit - taken) / limit}
            label={name}
            text={t("home.quotaOf", { left: Math.max(0, limit - taken), limit })}
          />,
        ])}
      />
    </Card>
  );
}

function gib(mebibytes: number): number {
  return Math.floor(mebibytes / 1024);
}

const soonMs = 30 * 86_400_000;

export function ExpiryCard(): ReactNode {
  const { t } = useText();
  const packages = useApi("listPackages", { query: { limit: 200 } });
  const subscriptions = useApi("listSubscriptions", { query: { limit: 200 } });
  const error = packages.error ?? subscriptions.error;
  const until = Date.now() + soonMs;
  const ending = [
    ...(packages.data?.items ?? [])
      .filter((each) => each.state === "usable")
      .map((each) => ({
        id: each.id,
        name: t("home.package", { name: each.code }),
        at: each.expiresAt,
      })),
    ...(subscriptions.data?.items ?? []).flatMap((each) =>
      each.paidUntil === null || each.state !== "active"
        ? []
        : [{ id: each.id, name: t("home.subscription", { name: each.name }), at: each.paidUntil }],
    ),
  ]
    .filter(({ at }) => Date.parse(at) < until)
    .toSorted((a, b) => a.at.localeCompare(b.at));
  return (
    <Card title={t("home.expiring")}>
      {error === null ? null : <ProblemBox error={error} />}
      {packages.isPending || subscriptions.isPending ? (
        <Skeleton label={t("common.loading")} />
      ) : ending.length === 0 ? (
        <Muted>{t("home.nothingExpires")}</Muted>
      ) : (
        <ul className="plain-list">
          {ending.map((each) => (
            <li key={each.id} className="line">
              {each.name}
              <When at={each.at} />
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
