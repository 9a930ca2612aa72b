/** What is valid in a profile and would still surprise, as the server says it. */
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { told, useText } from "#console/i18n/index.ts";
import { Notice } from "#console/ui/feedback.tsx";

export type Finding = AnswerOf<"checkPriceProfile">["findings"][number];

export function Findings({
  findings,
}: {
  readonly findings: readonly Pick<Finding, "message">[];
}): ReactNode {
  const { t } = useText();
  if (findings.length === 0) {
    return (
      <Notice tone="good" title={t("prices.nothingSurprising")}>
        {t("prices.nothingSurprisingText")}
      </Notice>
    );
  }
  return (
    <Notice tone="attention" title={t("prices.surprising")}>
      <ul>
        {findings.map(({ message }) => (
          <li key={message}>{told(message)}</li>
        ))}
      </ul>
    </Notice>
  );
}
