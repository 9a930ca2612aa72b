/** A version beside another one: by default the one in force, and of that one the one before it. */
import type { ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { EmptyState } from "#console/components/empty-state.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { anyText, useSearchParams } from "#console/components/search-params.ts";
import { useText } from "#console/i18n/index.ts";
import { Skeleton } from "#console/ui/feedback.tsx";
import { Select } from "#console/ui/fields.tsx";
import { Card, Stack } from "#console/ui/layout.tsx";

import { Differences } from "./differences.tsx";
import { differencesOf } from "./profile-diff.ts";
import { versionName } from "./profile-state.ts";
import { useVersions } from "./use-versions.ts";

export function CompareTab({
  id,
  profile,
}: {
  readonly id: string;
  readonly profile: Readonly<Record<string, unknown>>;
}): ReactNode {
  const { t } = useText();
  const { query, versions, current } = useVersions();
  const [{ with: chosen }, setSearch] = useSearchParams({ with: anyText(40) });
  const others = versions.filter((version) => version.id !== id);
  const usual = others.find((version) => version.id === current?.id) ?? others[0];
  const other = others.find((version) => version.id === chosen) ?? usual;
  const against = useApi(
    "getPriceProfile",
    { params: { profileId: other?.id ?? "" } },
    { enabled: other !== undefined, keepsLast: true },
  );
  const error = query.error ?? against.error;
  if (error !== null) return <ProblemBox error={error} />;
  if (query.isPending) return <Skeleton lines={6} label={t("common.loading")} />;
  if (other === undefined) return <EmptyState icon="list" title={t("prices.oneOnly")} />;
  return (
    <Stack>
      <div className="filters">
        <Select
          label={t("prices.compareWith")}
          choices={others.map((version) => ({ value: version.id, label: versionName(version) }))}
          value={other.id}
          onChange={(value) => setSearch({ with: value })}
          isSearchable
        />
      </div>
      <Card>
        {against.data === undefined ? (
          <Skeleton lines={6} label={t("common.loading")} />
        ) : (
          <Stack gap="sm">
            <Differences differences={differencesOf(against.data.profile, profile)} />
          </Stack>
        )}
      </Card>
    </Stack>
  );
}
