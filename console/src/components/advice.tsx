/** What to do about something that the server said, and who can. */
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useServerWords } from "#console/components/server-words.ts";
import { useText } from "#console/i18n/index.ts";
import { Muted } from "#console/ui/text.tsx";

type Note = AnswerOf<"getLease">["notes"][number];
type Told = Pick<Note, "advice" | "who">;

export function Advice({ of }: { readonly of: Told }): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  return (
    <Muted>
      {t(`common.whoCan.${of.who}`)} {told(of.advice)}
    </Muted>
  );
}

/** Of a reason or an event that has it among its details. */
export function adviceIn(details: Readonly<Record<string, unknown>> | undefined): Told | undefined {
  const { advice, who } = details ?? {};
  if (typeof advice !== "string") return undefined;
  if (who !== "customer" && who !== "operator" && who !== "nobody") return undefined;
  return { advice, who };
}
