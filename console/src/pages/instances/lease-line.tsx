/** Why it waits, with its place in the line and when it may start; why it failed or ended. */
import type { ReactNode } from "react";

import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Notice } from "#console/ui/feedback.tsx";
import { Facts } from "#console/ui/layout.tsx";

import type { Lease } from "./actions.ts";

export function LeaseLine({ lease }: { readonly lease: Lease }): ReactNode {
  const { t } = useText();
  const { reason, line, state } = lease;
  if (reason === null && line === null) return null;
  const tone = state === "failed" ? "bad" : state === "queued" ? "attention" : "info";
  return (
    <Notice
      tone={tone}
      title={t(line === null ? "lease.why" : "lease.whyWaits", {
        state: t(`states.lease.${state}`),
      })}
    >
      {reason === null ? null : <p>{reason.message}</p>}
      {line === null ? null : (
        <Facts
          rows={[
            [
              t("lease.position"),
              t("lease.positionOf", {
                position: line.position,
                waiting: line.waiting,
                pool: line.pool,
              }),
            ],
            [t("lease.earliest"), <When key="earliest" at={line.start.earliest} how="both" />],
            [t("lease.likely"), <When key="likely" at={line.start.likely} how="both" />],
            [t("lease.latest"), <When key="latest" at={line.start.latest} how="both" />],
          ]}
        />
      )}
    </Notice>
  );
}
