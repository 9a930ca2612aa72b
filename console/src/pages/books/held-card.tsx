/** Usage that waits for somebody: how much, and why. */
import type { ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { textIfThere, useText } from "#console/i18n/index.ts";
import { LinkButton } from "#console/ui/button.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { Facts } from "#console/ui/layout.tsx";
import { Muted, Text } from "#console/ui/text.tsx";

import { CheckCard } from "./check-card.tsx";

const readMax = 200;

export function HeldCard(): ReactNode {
  const { t } = useText();
  const reviews = useApi("listUsageReviews", { query: { limit: readMax } }, { everyMs: 60_000 });
  const items = reviews.data?.items;
  const isCut = reviews.data?.next !== undefined;
  const counts = new Map<string, number>();
  for (const { reason } of items ?? []) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const count = items?.length ?? 0;
  return (
    <CheckCard
      name="held"
      problems={undefined}
      verdict={
        items === undefined ? (
          <Badge icon="minus">{t("books.check.notYet")}</Badge>
        ) : count === 0 ? (
          <Badge tone="good" icon="check">
            {t("books.check.held.none")}
          </Badge>
        ) : (
          <Badge tone="attention" icon="wait">
            {isCut
              ? t("books.check.held.openMore", { count })
              : t("books.check.held.open", { count })}
          </Badge>
        )
      }
      isBusy={reviews.isFetching}
      error={reviews.error}
      call={{ operation: "listUsageReviews", command: "millrace usage review list" }}
    >
      {items === undefined ? (
        <Muted>{t("common.loading")}</Muted>
      ) : count === 0 ? (
        <Text size="sm">{t("books.check.held.none")}</Text>
      ) : (
        <Facts
          rows={[...counts].map(([reason, of]) => [
            textIfThere(`books.check.held.reasonOf.${reason}`) ?? reason,
            of,
          ])}
        />
      )}
      <div>
        <LinkButton to="/operate/usage-reviews" size="xs">
          {t("books.check.held.toList")}
        </LinkButton>
      </div>
    </CheckCard>
  );
}
