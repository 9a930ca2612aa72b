/**
 * An order with its quote in view: list price, each discount, what is paid, what would be cheaper. What is
 * ordered is the amount that was shown; if the price is another one by then, the server refuses it.
 */
import type { FormEvent, ReactNode } from "react";
import type { AnswerOf, LooseRequest, RequestOf } from "#client/types.ts";
import type { OperationId } from "#contract/operations.ts";

import { useApi } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { Money } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Notice, Skeleton } from "#console/ui/feedback.tsx";
import { Facts, Row, Stack } from "#console/ui/layout.tsx";
import { Dialog } from "#console/ui/dialog.tsx";
import { Muted, Text } from "#console/ui/text.tsx";

export type OrderAsk = RequestOf<"quoteOrder">["body"];
export type OrderQuote = AnswerOf<"quoteOrder">;

export function OrderDialog({
  title,
  ask,
  children,
  confirmLabel,
  onOrder,
  cli,
  isBusy,
  error,
  missing,
  onClose,
}: {
  readonly title: string;
  /** `undefined` while something is still to be chosen; then `missing` says what. */
  readonly ask: OrderAsk | undefined;
  readonly missing?: string | undefined;
  /** What is chosen: fields. */
  readonly children?: ReactNode;
  readonly confirmLabel: string;
  readonly onOrder: (quote: OrderQuote) => void;
  readonly cli?: (quote: OrderQuote) => {
    readonly operation: OperationId;
    readonly request: LooseRequest;
  };
  readonly isBusy: boolean;
  readonly error: unknown;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("billing.manage");
  const quote = useApi(
    "quoteOrder",
    { body: ask ?? { kind: "support_24x7" } },
    { enabled: ask !== undefined, keepsLast: true },
  );
  const shown = ask === undefined ? undefined : quote.data;
  const isCurrent = shown !== undefined && !quote.isPlaceholderData && quote.error === null;
  const reason = !mayManage
    ? t("billing.mayNot")
    : ask === undefined
      ? (missing ?? t("orders.choose"))
      : !isCurrent
        ? t("orders.waitForQuote")
        : shown.affordable
          ? undefined
          : t("orders.notAffordable");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (reason === undefined && shown !== undefined && !isBusy) onOrder(shown);
  };
  return (
    <Dialog isOpen onClose={onClose} title={title} closeLabel={t("common.close")} size="lg">
      <form onSubmit={submit}>
        <Stack>
          {children}
          <div aria-live="polite">
            {ask !== undefined && quote.error !== null ? (
              <ProblemBox error={quote.error} onRetry={() => void quote.refetch()} />
            ) : shown !== undefined ? (
              <QuoteFacts quote={shown} />
            ) : ask === undefined ? (
              <Muted>{missing ?? t("orders.choose")}</Muted>
            ) : (
              <Skeleton lines={5} label={t("common.loading")} />
            )}
          </div>
          {error === null || error === undefined ? null : <ProblemBox error={error} />}
          <Row justify="space-between">
            {cli === undefined || !isCurrent ? <span /> : <ShowAsCli {...cli(shown)} />}
            <Row gap="xs">
              <Button onClick={onClose}>{t("common.cancel")}</Button>
              <Button type="submit" kind="primary" isBusy={isBusy} disabledReason={reason}>
                {confirmLabel}
              </Button>
            </Row>
          </Row>
        </Stack>
      </form>
    </Dialog>
  );
}

function QuoteFacts({ quote }: { readonly quote: OrderQuote }): ReactNode {
  const { t, language } = useText();
  const { rates } = quote;
  return (
    <Stack gap="sm">
      <Text isStrong>{quote.description[language]}</Text>
      <Facts
        rows={[
          [t("orders.listPrice"), <Money key="list" amount={quote.listPrice} />],
          ...quote.discounts.map(
            ({ rule, amount, text }) =>
              [text[language], <Money key={rule} amount={amount} isSigned />] as const,
          ),
          [
            t("orders.amount"),
            <strong key="amount">
              <Money amount={quote.amount} />
            </strong>,
          ],
          [t("orders.vat"), <Money key="vat" amount={quote.vatIncluded} />],
          ...(rates === null
            ? []
            : [
                [
                  t("orders.rates"),
                  <span key="rates">
                    <Money amount={rates.hourly} /> {t("common.perHour")} ·{" "}
                    <Money amount={rates.daily} /> {t("common.perDay")} ·{" "}
                    <Money amount={rates.monthly} /> {t("common.perMonth")}
                  </span>,
                ] as const,
              ]),
          ...(quote.from === null || quote.until === null
            ? []
            : [
                [
                  t("orders.time"),
                  <span key="time">
                    <When how="absolute" at={quote.from} /> –{" "}
                    <When how="absolute" at={quote.until} />
                  </span>,
                ] as const,
              ]),
          [t("billing.available"), <Money key="available" amount={quote.available} />],
        ]}
      />
      {quote.affordable ? null : <Notice tone="attention">{t("orders.notAffordable")}</Notice>}
      {quote.remarks.map((remark) => (
        <Notice key={remark.en} tone="info">
          {remark[language]}
        </Notice>
      ))}
      {quote.cheaperIf.length === 0 ? null : (
        <div>
          <Text isStrong>{t("orders.cheaperIf")}</Text>
          <ul>
            {quote.cheaperIf.map((way) => (
              <li key={`${way.way} ${way.what}`}>{way.text[language]}</li>
            ))}
          </ul>
        </div>
      )}
    </Stack>
  );
}
