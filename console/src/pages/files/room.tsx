/** How much of the storage is used. */
import type { ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { Gauge } from "#console/components/gauge.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { Skeleton } from "#console/ui/feedback.tsx";

export function StorageRoom(): ReactNode {
  const { t } = useText();
  const quota = useApi("getQuota");
  if (quota.error !== null) {
    return <ProblemBox error={quota.error} onRetry={() => void quota.refetch()} />;
  }
  if (quota.data === undefined) return <Skeleton lines={1} label={t("common.loading")} />;
  const limit = quota.data.limits.storageGiB;
  const used = quota.data.used.storageGiB;
  return (
    <Gauge
      share={limit === 0 ? 1 : used / limit}
      label={t("files.room")}
      text={t("files.roomOf", { used, limit })}
    />
  );
}
