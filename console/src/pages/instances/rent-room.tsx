/** Whether what is chosen has room at this moment; if not, why, and who waits for the same. */
import type { ReactNode } from "react";

import { ProblemBox } from "#console/components/problem-box.tsx";
import { When } from "#console/components/when.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { useText } from "#console/i18n/index.ts";
import { Icon } from "#console/ui/icons.tsx";
import { Skeleton } from "#console/ui/feedback.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { Muted, Text } from "#console/ui/text.tsx";

import type { RentQuote } from "./rent-quote.ts";

export function RentRoom({ room }: { readonly room: RentQuote["room"] }): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  if (room.data === undefined) {
    return room.error === null ? (
      <Skeleton lines={1} label={t("common.loading")} />
    ) : (
      <ProblemBox error={room.error} onRetry={() => void room.refetch()} />
    );
  }
  const { fits, never, reason, line } = room.data;
  const tone = never ? "bad" : fits > 0 ? "good" : "attention";
  const words = never ? t("rent.never") : fits > 0 ? t("rent.fits") : t("rent.waits");
  return (
    <div role="status">
      <Stack gap="xs">
        <Row gap="xs" wrap="nowrap">
          <Icon name={never ? "alert" : fits > 0 ? "check" : "wait"} tone={tone} />
          <Text isStrong tone={tone}>
            {words}
          </Text>
        </Row>
        {reason === null ? null : <Muted>{told(reason.message)}</Muted>}
        {fits > 0 || never ? null : (
          <Muted>
            {t("rent.line", { count: line.waiting, pool: line.pool })}{" "}
            {line.latest === null ? null : (
              <>
                {t("rent.lineLatest")} <When at={line.latest} how="both" />
              </>
            )}
          </Muted>
        )}
      </Stack>
    </div>
  );
}
