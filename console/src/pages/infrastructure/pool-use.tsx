/** How full a pool was over the last days, beside what such a pool should reach. */
import type { ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { useText } from "#console/i18n/index.ts";
import { Row } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

export function PoolUse({ pool }: { readonly pool: ItemOf<"listPools"> }): ReactNode {
  const { t } = useText();
  const { days30, target } = pool.utilization;
  return (
    <Row gap="xs">
      {days30 === null ? null : (
        <Muted size="xs">{t("infrastructure.pools.days30", { percent: percent(days30) })}</Muted>
      )}
      {target === null ? null : (
        <Muted size="xs">
          {t("infrastructure.pools.target", {
            from: percent(target.from),
            until: percent(target.until),
          })}
        </Muted>
      )}
    </Row>
  );
}

function percent(share: number): number {
  return Math.round(share * 100);
}
