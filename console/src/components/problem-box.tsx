/** A problem: what happened, why, what to do, and the request id under which the server's log has it. */
import type { ReactNode } from "react";

import { ApiProblem, isUnreachable } from "#console/api/problem.ts";
import { textIfThere, told, useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Notice } from "#console/ui/feedback.tsx";
import { Code, Muted } from "#console/ui/text.tsx";

import { CopyButton } from "./copy.tsx";
import { useServerWords } from "./server-words.ts";

export function ProblemBox({
  error,
  onRetry,
}: {
  readonly error: unknown;
  readonly onRetry?: (() => void) | undefined;
}): ReactNode {
  const { t } = useText();
  const words = useServerWords();
  const action =
    onRetry === undefined ? undefined : (
      <Button size="xs" icon="refresh" onClick={onRetry}>
        {t("common.retry")}
      </Button>
    );
  if (!(error instanceof ApiProblem)) {
    return (
      <Notice tone="bad" title={t("common.problem.unexpected")} action={action}>
        <p>{t("common.problem.unexpectedWhy")}</p>
        <details>
          <summary>{t("common.problem.showDetails")}</summary>
          <Code>{error instanceof Error ? error.message : String(error)}</Code>
        </details>
      </Notice>
    );
  }
  const help = textIfThere(`common.problemHelp.${error.code}`);
  return (
    <Notice tone="bad" title={titleOf(error, t)} action={action}>
      <p>{sentenceOf(error, t, words)}</p>
      {error.fields.length === 0 ? null : (
        <ul>
          {error.fields.map((field) => (
            <li key={`${field.path} ${field.message}`}>
              <Code>{field.path === "" ? "body" : field.path}</Code> {words(field.message)}
            </li>
          ))}
        </ul>
      )}
      {help === undefined ? null : <p>{help}</p>}
      {error.requestId === undefined ? null : (
        <Muted size="xs">
          {t("common.problem.requestId")} <Code>{error.requestId}</Code>
          <CopyButton text={error.requestId} />
        </Muted>
      )}
    </Notice>
  );
}

type Translate = ReturnType<typeof useText>["t"];

function titleOf(problem: ApiProblem, t: Translate): string {
  if (problem.status === 0) return t("common.problem.unreachable");
  if (isUnreachable(problem)) return t("common.problem.strange");
  return textIfThere(`common.problemTitle.${problem.code}`) ?? problem.code;
}

function sentenceOf(
  problem: ApiProblem,
  t: Translate,
  words: (sentence: string) => string,
): string {
  if (problem.status === 0) return t("common.problem.unreachableWhy");
  if (isUnreachable(problem)) return t("common.problem.strangeWhy", { text: problem.message });
  return words(problem.message);
}

/** What the server said of one field of a form, for the field's own error. */
export function fieldError(error: unknown, path: string): string | undefined {
  if (!(error instanceof ApiProblem)) return undefined;
  const said = error.fields.find((field) => field.path === path)?.message;
  return said === undefined ? undefined : told(said);
}
