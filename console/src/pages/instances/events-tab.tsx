/** What happened to it, oldest first; new ones come by themselves. */
import type { ReactNode } from "react";

import { usePages } from "#console/api/queries.ts";
import { Advice, adviceIn } from "#console/components/advice.tsx";
import { LoadMore } from "#console/components/load-more.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { When } from "#console/components/when.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { useText } from "#console/i18n/index.ts";
import { Badge, Skeleton } from "#console/ui/feedback.tsx";
import { Card, Stack } from "#console/ui/layout.tsx";
import { Muted, Text } from "#console/ui/text.tsx";

import type { Lease } from "./actions.ts";

export function EventsTab({ lease }: { readonly lease: Lease }): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  const pages = usePages("listLeaseEvents", {
    params: { leaseId: lease.id },
    query: { limit: 100 },
  });
  return (
    <Card title={t("lease.tab.events")}>
      <Stack gap="sm">
        {pages.error === null ? null : <ProblemBox error={pages.error} onRetry={pages.retry} />}
        {pages.isPending ? (
          <Skeleton label={t("common.loading")} />
        ) : pages.items.length === 0 ? (
          <Muted>{t("lease.noEvents")}</Muted>
        ) : (
          <ol className="plain-list" aria-live="polite">
            {pages.items.map((event) => {
              const advice = adviceIn(event.details);
              return (
                <li key={`${event.at} ${event.kind} ${event.message}`} className="line">
                  <span style={{ minWidth: 0 }}>
                    <Badge>{told(event.kind).replaceAll(/[_-]/g, " ")}</Badge>{" "}
                    <Text>{told(event.message)}</Text>{" "}
                    {advice === undefined ? null : <Advice of={advice} />}
                  </span>
                  <When at={event.at} how="absolute" />
                </li>
              );
            })}
          </ol>
        )}
        {pages.items.length === 0 ? null : <LoadMore pages={pages} />}
      </Stack>
    </Card>
  );
}
