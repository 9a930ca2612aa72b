/** Payments on their way and done: what the payer does next, and what arrived. */
import { useState, type ReactNode } from "react";

import { useAction, usePages } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { CodeBlock, CopyLine } from "#console/components/copy.tsx";
import { ConfirmDialog } from "#console/components/confirm-dialog.tsx";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { fenOf, Money } from "#console/components/money.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import type { ItemOf } from "#client/types.ts";
import { Button } from "#console/ui/button.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { ExternalLink } from "#console/ui/link.tsx";
import { Dialog } from "#console/ui/dialog.tsx";
import { Muted, Text } from "#console/ui/text.tsx";

export type Payment = ItemOf<"listPayments">;

const looks = {
  created: ["info", "refresh"],
  pending: ["attention", "wait"],
  settled: ["good", "check"],
  failed: ["bad", "alert"],
  canceled: ["quiet", "minus"],
} as const;

const pageSize = 50;
/** A payment under way is told of by no event. */
const lookMs = 5000;

export function PaymentsTab(): ReactNode {
  const { t } = useText();
  const may = useMay();
  const pages = usePages("listPayments", { query: { limit: pageSize } }, { everyMs: lookMs });
  const [shown, setShown] = useState<string>();
  const [canceled, setCanceled] = useState<Payment>();
  const cancel = useAction("cancelPayment", { onDone: () => setCanceled(undefined) });
  const payment = pages.items.find((each) => each.id === shown);
  const columns: readonly Column<Payment>[] = [
    { key: "code", head: t("billing.pay.code"), isTitle: true, cell: ({ code }) => code },
    {
      key: "method",
      head: t("billing.pay.way"),
      cell: ({ method }) => t(`billing.pay.method.${method}`),
    },
    {
      key: "state",
      head: t("common.state"),
      cell: ({ state, failure }) => (
        <Badge tone={looks[state][0]} icon={looks[state][1]} title={failure ?? undefined}>
          {t(`billing.pay.state.${state}`)}
        </Badge>
      ),
    },
    {
      key: "amount",
      head: t("billing.pay.amount"),
      align: "end",
      cell: ({ amount }) => <Money amount={amount} />,
    },
    {
      key: "received",
      head: t("billing.pay.received"),
      align: "end",
      cell: ({ received, refunded }) => (
        <>
          <Money amount={received} />
          {fenOf(refunded) === 0n ? null : (
            <Muted>
              {" "}
              (− <Money amount={refunded} />)
            </Muted>
          )}
        </>
      ),
    },
    { key: "created", head: t("common.created"), cell: ({ createdAt }) => <When at={createdAt} /> },
    {
      key: "do",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (each) =>
        each.state === "created" || each.state === "pending" ? (
          <Row gap="xs" wrap="nowrap">
            <Button size="xs" onClick={() => setShown(each.id)}>
              {t("billing.pay.how")}
            </Button>
            <Button
              size="xs"
              kind="quiet"
              onClick={() => setCanceled(each)}
              disabledReason={may("billing.manage") ? undefined : t("billing.mayNot")}
            >
              {t("billing.pay.cancel")}
            </Button>
          </Row>
        ) : each.failure === null ? null : (
          <Muted>{each.failure}</Muted>
        ),
    },
  ];
  return (
    <>
      <DataTable
        label={t("billing.tab.payments")}
        pages={pages}
        columns={columns}
        keyOf={(each) => each.id}
        empty={
          <EmptyState
            icon="money"
            title={t("billing.pay.emptyTitle")}
            text={t("billing.pay.emptyText")}
            command="millrace top-up 1000 --method bank_transfer"
          />
        }
      />
      {payment === undefined ? null : (
        <HowToPay payment={payment} onClose={() => setShown(undefined)} />
      )}
      {canceled === undefined ? null : (
        <ConfirmDialog
          call={{ operation: "cancelPayment", request: { params: { paymentId: canceled.id } } }}
          isOpen
          onClose={() => setCanceled(undefined)}
          onConfirm={() => cancel.mutate({ params: { paymentId: canceled.id } })}
          title={t("billing.pay.cancelTitle", { code: canceled.code })}
          confirmLabel={t("billing.pay.cancel")}
          isDangerous
          isBusy={cancel.isPending}
          error={cancel.error}
        >
          <Text>{t("billing.pay.cancelText")}</Text>
        </ConfirmDialog>
      )}
    </>
  );
}

function HowToPay({
  payment,
  onClose,
}: {
  readonly payment: Payment;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const { next, code, amount, expiresAt } = payment;
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={t("billing.pay.howTitle", { code })}
      closeLabel={t("common.close")}
    >
      <Stack>
        <Text>
          {t("billing.pay.amount")}: <Money amount={amount} />
        </Text>
        {payment.method === "bank_transfer" ? (
          <div>
            <Muted>{t("billing.pay.writeCode")}</Muted>
            <div>
              <CopyLine text={code} />
            </div>
          </div>
        ) : null}
        {next === null ? (
          <Muted>{t("billing.pay.noNext")}</Muted>
        ) : next.kind === "instructions" ? (
          <CodeBlock wraps text={next.text} label={t("billing.pay.how")} />
        ) : isWebAddress(next.url) ? (
          <ExternalLink href={next.url}>{t("billing.pay.toProvider")}</ExternalLink>
        ) : (
          <CopyLine text={next.url} />
        )}
        <Muted>
          {t("billing.pay.until")} <When how="both" at={expiresAt} />
        </Muted>
      </Stack>
    </Dialog>
  );
}

/** Whatever a provider says, no link runs a script. */
function isWebAddress(url: string): boolean {
  return /^https?:\/\//i.test(url);
}
