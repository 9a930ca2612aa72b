/** What would be cheaper, as the server says it of a price. */
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useText } from "#console/i18n/index.ts";
import { Notice } from "#console/ui/feedback.tsx";

export function Cheaper({
  ways,
}: {
  readonly ways: AnswerOf<"quoteOrder">["cheaperIf"];
}): ReactNode {
  const { t, language } = useText();
  const cheaper = ways.filter((way) => way.cheaper !== "never");
  if (cheaper.length === 0) return null;
  return (
    <Notice tone="info" title={t("rent.cheaper")}>
      <ul className="name-list">
        {cheaper.map((way) => (
          <li key={`${way.way} ${way.what}`}>{way.text[language]}</li>
        ))}
      </ul>
    </Notice>
  );
}
