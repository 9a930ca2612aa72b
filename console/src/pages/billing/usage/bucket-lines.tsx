/** The lines of one bar; a line opens its events. */
import type { ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import {
  bucketName,
  bucketOf,
  type BucketSize,
  type DayRange,
} from "#console/pages/billing/buckets.ts";
import type { LineOf } from "#console/pages/billing/line-drawer.tsx";
import { LineTable } from "#console/pages/billing/line-table.tsx";
import { IconButton } from "#console/ui/button.tsx";
import { Skeleton } from "#console/ui/feedback.tsx";
import { Card } from "#console/ui/layout.tsx";

export function BucketLines({
  at,
  bucket,
  range,
  sku,
  onLine,
  onClose,
}: {
  readonly at: string;
  readonly bucket: BucketSize;
  readonly range: DayRange;
  readonly sku: string | undefined;
  readonly onLine: (line: LineOf) => void;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const statement = useApi("getStatement", { query: { ...range } }, { keepsLast: true });
  const lines = (statement.data?.lines ?? []).filter(
    (line) =>
      bucketOf(line.date, bucket, range.from) === at && (sku === undefined || line.sku === sku),
  );
  return (
    <Card
      title={t("usage.linesOf", { name: bucketName(at, bucket) })}
      action={<IconButton icon="close" label={t("common.close")} onClick={onClose} />}
    >
      {statement.error !== null ? (
        <ProblemBox error={statement.error} onRetry={() => void statement.refetch()} />
      ) : statement.isPending ? (
        <Skeleton label={t("common.loading")} />
      ) : (
        <LineTable
          lines={lines}
          label={t("usage.linesOf", { name: bucketName(at, bucket) })}
          onLine={onLine}
        />
      )}
    </Card>
  );
}
