/** The log and the daily sums, made again from the events. Reads everything: when it is asked for. */
import { useState, type ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { useText } from "#console/i18n/index.ts";
import { Muted } from "#console/ui/text.tsx";

import { CheckCard, Problems } from "./check-card.tsx";

export function UsageCard(): ReactNode {
  const { t } = useText();
  const [isAsked, setAsked] = useState(false);
  const check = useApi("checkUsage", {}, { enabled: isAsked });
  const { data, dataUpdatedAt } = check;
  return (
    <CheckCard
      name="usage"
      problems={data?.problems.length}
      at={data === undefined ? undefined : new Date(dataUpdatedAt).toISOString()}
      isBusy={check.isFetching}
      error={check.error}
      onRun={() => {
        if (isAsked) void check.refetch();
        else setAsked(true);
      }}
      call={{ operation: "checkUsage", command: "millrace log check" }}
    >
      {data === undefined ? null : (
        <Muted size="xs">{t("books.check.usage.leaves", { count: data.leaves })}</Muted>
      )}
      <Problems problems={data?.problems ?? []} />
    </CheckCard>
  );
}
