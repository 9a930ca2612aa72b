/** What a card shows of one answer: that it comes, why it failed, or the answer. */
import type { ReactNode } from "react";

import { ProblemBox } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { Skeleton } from "#console/ui/feedback.tsx";

export function Answered<Data>({
  of,
  lines = 4,
  children,
}: {
  readonly of: {
    readonly data: Data | undefined;
    readonly error: Error | null;
    readonly refetch: () => Promise<unknown>;
  };
  readonly lines?: number;
  readonly children: (data: Data) => ReactNode;
}): ReactNode {
  const { t } = useText();
  if (of.data !== undefined) return children(of.data);
  return of.error === null ? (
    <Skeleton lines={lines} label={t("common.loading")} />
  ) : (
    <ProblemBox error={of.error} onRetry={() => void of.refetch()} />
  );
}
