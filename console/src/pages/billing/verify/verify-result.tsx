/** What was checked, step by step, and what it showed. */
import type { ReactNode } from "react";

import { CopyLine } from "#console/components/copy.tsx";
import { Money } from "#console/components/money.tsx";
import { useText } from "#console/i18n/index.ts";
import { Badge, Notice } from "#console/ui/feedback.tsx";
import { Card, Facts, Row, Stack } from "#console/ui/layout.tsx";
import { Code, Muted, Text } from "#console/ui/text.tsx";

import type { Checked } from "./check.ts";
import { outcomesOf, type StepOutcome } from "./steps.ts";

const failuresShownMax = 20;
const looks = {
  passed: ["good", "check"],
  failed: ["bad", "alert"],
  unreached: ["quiet", "minus"],
} as const;

export function VerifyResult({
  what,
  checked,
}: {
  readonly what: string;
  readonly checked: Checked;
}): ReactNode {
  const { t, language } = useText();
  const { verdict } = checked;
  return (
    <Stack>
      <Notice
        tone={verdict.isProved ? "good" : "bad"}
        title={
          verdict.isProved
            ? t("verify.proved", { what })
            : t("verify.notProved", { what, count: verdict.failureCount })
        }
      >
        {verdict.isProved ? t("verify.provedText") : t("verify.notProvedText")}
      </Notice>
      <Card title={t("verify.steps")}>
        <ol className="plain-list">
          {outcomesOf(verdict).map((outcome, index) => (
            <li
              key={outcome.step}
              className="line"
              style={{ display: "block" }}
              data-step={outcome.step}
            >
              <StepRow number={index + 1} outcome={outcome} checked={checked} />
            </li>
          ))}
        </ol>
      </Card>
      <BillFacts checked={checked} />
      {verdict.notes.length === 0 ? null : (
        <Card title={t("verify.notes")}>
          <ul>
            {verdict.notes.map(({ code, message }) => (
              <li key={`${code} ${message.en}`} data-note={code}>
                {message[language]}
              </li>
            ))}
          </ul>
        </Card>
      )}
    </Stack>
  );
}

function StepRow({
  number,
  outcome: { step, outcome, failures },
  checked,
}: {
  readonly number: number;
  readonly outcome: StepOutcome;
  readonly checked: Checked;
}): ReactNode {
  const { t, language } = useText();
  const [tone, icon] = looks[outcome];
  const { bill } = checked.verdict;
  const values = {
    signatures: checked.signatures,
    proofs: checked.consistencyProofs,
    events: bill?.events ?? 0,
    lines: bill?.lines ?? 0,
    size: bill?.checkpoints.at(-1)?.size ?? 0,
  };
  return (
    <>
      <Row justify="space-between" wrap="nowrap" align="flex-start">
        <div>
          <Text isStrong>
            {number}. {t(`verify.step.${step}.name`)}
          </Text>
          <Muted>{t(`verify.step.${step}.text`, values)}</Muted>
        </div>
        <Badge tone={tone} icon={icon}>
          {t(`verify.outcome.${outcome}`)}
        </Badge>
      </Row>
      {failures.length === 0 ? null : (
        <ul>
          {failures.slice(0, failuresShownMax).map(({ code, place, message }) => (
            <li key={`${code} ${place} ${message.en}`}>
              <strong>{place}</strong> <Code>{code}</Code>
              <br />
              {message[language]}
            </li>
          ))}
          {failures.length > failuresShownMax ? (
            <li>{t("verify.moreFailures", { count: failures.length - failuresShownMax })}</li>
          ) : null}
        </ul>
      )}
    </>
  );
}

function BillFacts({ checked }: { readonly checked: Checked }): ReactNode {
  const { t } = useText();
  const { bill } = checked.verdict;
  if (bill === undefined) return null;
  return (
    <Card title={t("verify.bill")}>
      <Facts
        rows={[
          [t("verify.customer"), bill.tenant],
          [
            t("verify.month"),
            `${bill.month} ${bill.invoice ?? ""} (${t(`verify.state.${bill.state}`)})`,
          ],
          [t("verify.total"), <Money key="total" amount={bill.total} />],
          [t("verify.rests"), t("verify.restsOn", { lines: bill.lines, events: bill.events })],
          [t("verify.hash"), <CopyLine key="hash" text={bill.statementSha256} />],
          [
            t("verify.fingerprint"),
            bill.key === undefined ? (
              "—"
            ) : (
              <Stack key="key" gap="xs">
                <span>
                  <Code>{bill.key.split("+")[1] ?? ""}</Code>{" "}
                  {t(bill.isKeyPinned ? "verify.keyPinned" : "verify.keyOwn")}
                </span>
                <CopyLine text={bill.key} />
              </Stack>
            ),
          ],
          ...bill.checkpoints.map(
            ({ size, root }) =>
              [
                t("verify.checkpointOf", { size }),
                <CopyLine key={`${size} ${root}`} text={root} />,
              ] as const,
          ),
        ]}
      />
    </Card>
  );
}
