/** One check: what it proves, what it found, when, and what to do if it fails. */
import type { ReactNode } from "react";
import type { OperationId } from "#contract/operations.ts";

import { ProblemBox } from "#console/components/problem-box.tsx";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { When } from "#console/components/when.tsx";
import { told, useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Badge, Notice } from "#console/ui/feedback.tsx";
import { Card, Row, Stack } from "#console/ui/layout.tsx";
import { Muted, Text } from "#console/ui/text.tsx";

export type CheckName = "allocation" | "usage" | "log" | "ledger" | "bills" | "held";

export function CheckCard({
  name,
  problems,
  verdict,
  at,
  isBusy,
  error = null,
  onRun,
  runLabel,
  call,
  children,
}: {
  readonly name: CheckName;
  /** How many it found; `undefined` before it ran. */
  readonly problems: number | undefined;
  /** Instead of "agrees" and "3 problems". */
  readonly verdict?: ReactNode;
  readonly at?: string | undefined;
  readonly isBusy: boolean;
  readonly error?: Error | null;
  readonly onRun?: () => void;
  readonly runLabel?: string;
  readonly call: { readonly operation: OperationId; readonly command: string };
  readonly children?: ReactNode;
}): ReactNode {
  const { t } = useText();
  const isWrong = problems !== undefined && problems > 0;
  return (
    <Card
      title={t(`books.check.${name}.title`)}
      action={verdict ?? <Verdict problems={problems} />}
    >
      <Stack gap="sm">
        <Text isMuted>{t(`books.check.${name}.proves`)}</Text>
        {children}
        {error === null ? null : <ProblemBox error={error} onRetry={onRun} />}
        {isWrong ? (
          <Notice tone="bad" title={t("books.check.ifNot")}>
            {t(`books.check.${name}.ifNot`)}
          </Notice>
        ) : (
          <details>
            <summary>{t("books.check.ifNot")}</summary>
            <Text size="sm">{t(`books.check.${name}.ifNot`)}</Text>
          </details>
        )}
        <Row justify="space-between">
          <Row gap="xs">
            {onRun === undefined ? null : (
              <Button size="xs" icon="shield" isBusy={isBusy} onClick={onRun}>
                {runLabel ?? t(problems === undefined ? "books.check.run" : "books.check.again")}
              </Button>
            )}
            <ShowAsCli operation={call.operation} request={{}} command={call.command} />
          </Row>
          {at === undefined ? null : (
            <Muted size="xs">
              {t("books.check.checkedAt")} <When at={at} />
            </Muted>
          )}
        </Row>
      </Stack>
    </Card>
  );
}

function Verdict({ problems }: { readonly problems: number | undefined }): ReactNode {
  const { t } = useText();
  if (problems === undefined) return <Badge icon="minus">{t("books.check.notYet")}</Badge>;
  if (problems === 0) {
    return (
      <Badge tone="good" icon="check">
        {t("books.check.fine")}
      </Badge>
    );
  }
  return (
    <Badge tone="bad" icon="alert">
      {t("books.check.wrong", { count: problems })}
    </Badge>
  );
}

/** What it found, in the server's words. */
export function Problems({ problems }: { readonly problems: readonly string[] }): ReactNode {
  if (problems.length === 0) return null;
  return (
    <ul className="name-list">
      {problems.map((problem) => (
        <li key={problem} style={{ overflowWrap: "anywhere" }}>
          <bdi>{told(problem)}</bdi>
        </li>
      ))}
    </ul>
  );
}
