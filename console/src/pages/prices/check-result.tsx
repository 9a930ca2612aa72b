/** What the check says of a text: unreadable, wrong at some lines, or valid with what would surprise. */
import type { ReactNode } from "react";

import { ProblemBox } from "#console/components/problem-box.tsx";
import { told, useText } from "#console/i18n/index.ts";
import { Badge, Notice, Spinner } from "#console/ui/feedback.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { Code, Text } from "#console/ui/text.tsx";

import { Findings } from "./findings.tsx";
import type { Check } from "./use-check.ts";

export function CheckResult({ check }: { readonly check: Check }): ReactNode {
  const { t } = useText();
  switch (check.kind) {
    case "checking":
      return (
        <Row>
          <Spinner label={t("prices.checking")} />
          <Text isMuted>{t("prices.checking")}</Text>
        </Row>
      );
    case "failed":
      return <ProblemBox error={check.error} onRetry={check.retry} />;
    case "unreadable":
      return (
        <Notice tone="bad" title={t("prices.unreadable")}>
          <pre className="code-block wraps">{check.message}</pre>
        </Notice>
      );
    case "checked":
      if (check.problems.length > 0) {
        return (
          <Notice tone="bad" title={t("prices.problems", { count: check.problems.length })}>
            <ul>
              {check.problems.map(({ path, message, line }) => (
                <li key={`${path} ${message}`}>
                  {line === undefined ? null : <>{t("prices.line", { line })}: </>}
                  <Code>{path === "" ? t("prices.wholeText") : path}</Code> {told(message)}
                </li>
              ))}
            </ul>
          </Notice>
        );
      }
      return (
        <Stack gap="sm">
          <div>
            <Badge tone="good" icon="check">
              {t("prices.valid")}
            </Badge>
          </div>
          <Findings findings={check.findings} />
        </Stack>
      );
  }
}
