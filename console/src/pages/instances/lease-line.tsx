/** Why it waits, with its place in the line and when it may start; why it failed or ended. */
import type { ReactNode } from "react";

import { Advice, adviceIn } from "#console/components/advice.tsx";
import { When } from "#console/components/when.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { useText, type Translate } from "#console/i18n/index.ts";
import { Notice } from "#console/ui/feedback.tsx";
import { Facts } from "#console/ui/layout.tsx";

import type { Lease } from "./actions.ts";

export function LeaseLine({ lease }: { readonly lease: Lease }): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  const { reason, line, state } = lease;
  if (reason === null && line === null) return null;
  const advice = adviceIn(reason?.details);
  const tone = state === "failed" ? "bad" : state === "queued" ? "attention" : "info";
  return (
    <Notice
      tone={tone}
      title={t(line === null ? "lease.why" : "lease.whyWaits", {
        state: t(`states.lease.${state}`),
      })}
    >
      {reason === null ? null : <p>{told(reason.message)}</p>}
      {advice === undefined ? null : <Advice of={advice} />}
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
            ...(["earliest", "likely", "latest"] as const).map(
              (key) => [t(`lease.${key}`), startOf(line.start[key], t)] as const,
            ),
          ]}
        />
      )}
    </Notice>
  );
}

/** `null`: nobody knows. */
function startOf(at: string | null, t: Translate): ReactNode {
  return at === null ? t("common.unknown") : <When at={at} how="both" />;
}
