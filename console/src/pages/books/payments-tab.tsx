/** Payments that customers announced: what arrived of them, and what was paid back. */
import { useState, type ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { usePages } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { fenOf, Money } from "#console/components/money.tsx";
import { oneOf, useSearchParams } from "#console/components/search-params.ts";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { Select } from "#console/ui/fields.tsx";
import { Code, Muted } from "#console/ui/text.tsx";

import { RefundDialog } from "./refund-dialog.tsx";
import { TenantLink, TenantSelect, tenantText } from "./tenants.tsx";

export type Payment = ItemOf<"listAllPayments">;

const states = ["created", "pending", "settled", "failed", "canceled"] as const;

const looks = {
  created: ["info", "refresh"],
  pending: ["attention", "wait"],
  settled: ["good", "check"],
  failed: ["bad", "alert"],
  canceled: ["quiet", "minus"],
} as const;

/** A payment under way is told of by no event. */
const lookMs = 10_000;

export function PaymentsTab(): ReactNode {
  const { t } = useText();
  const [filters, setFilters] = useSearchParams({ tenant: tenantText, state: oneOf(states) });
  const { tenant, state } = filters;
  const [asked, setAsked] = useState<Payment>();
  const query = {
    limit: 100,
    ...(tenant === undefined ? {} : { tenantId: tenant }),
    ...(state === undefined ? {} : { state }),
  };
  const pages = usePages("listAllPayments", { query }, { everyMs: lookMs });
  const columns: readonly Column<Payment>[] = [
    {
      key: "customer",
      head: t("books.customer"),
      isTitle: true,
      cell: ({ tenantId, tenant: name }) => <TenantLink id={tenantId} name={name} />,
    },
    {
      key: "code",
      head: t("books.payments.code"),
      cell: ({ code }) => (
        <span className="nowrap">
          <Code>{code}</Code>
        </span>
      ),
    },
    {
      key: "method",
      head: t("books.payments.method"),
      cell: ({ method }) => <span className="nowrap">{t(`billing.pay.method.${method}`)}</span>,
    },
    {
      key: "state",
      head: t("books.payments.state"),
      cell: (payment) => (
        <Badge
          tone={looks[payment.state][0]}
          icon={looks[payment.state][1]}
          title={payment.failure ?? undefined}
        >
          {t(`billing.pay.state.${payment.state}`)}
        </Badge>
      ),
    },
    {
      key: "amount",
      head: t("books.payments.amount"),
      align: "end",
      cell: ({ amount }) => <Money amount={amount} />,
    },
    {
      key: "received",
      head: t("books.payments.received"),
      align: "end",
      cell: ({ received, refunded }) => (
        <>
          <Money amount={received} />
          {fenOf(refunded) === 0n ? null : (
            <div>
              <Muted size="xs">
                {t("books.payments.refunded")} <Money amount={refunded} />
              </Muted>
            </div>
          )}
        </>
      ),
    },
    { key: "created", head: t("common.created"), cell: ({ createdAt }) => <When at={createdAt} /> },
    {
      key: "refund",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (payment) => <RefundButton payment={payment} onClick={() => setAsked(payment)} />,
    },
  ];
  return (
    <>
      <DataTable
        label={t("books.payments.tab.payments")}
        pages={pages}
        columns={columns}
        keyOf={({ id }) => id}
        isFiltered={tenant !== undefined || state !== undefined}
        onClearFilters={() => setFilters({ tenant: undefined, state: undefined })}
        filters={
          <div className="filters">
            <TenantSelect value={tenant} onChange={(value) => setFilters({ tenant: value })} />
            <Select
              label={t("books.payments.state")}
              placeholder={t("books.payments.anyState")}
              isClearable
              choices={states.map((value) => ({ value, label: t(`billing.pay.state.${value}`) }))}
              value={state}
              onChange={(value) => setFilters({ state: value })}
            />
          </div>
        }
        empty={
          <EmptyState
            icon="money"
            title={t("books.payments.emptyTitle")}
            text={t("books.payments.emptyText")}
            command="millrace ledger payments"
          />
        }
      />
      {asked === undefined ? null : (
        <RefundDialog payment={asked} onClose={() => setAsked(undefined)} />
      )}
    </>
  );
}

function RefundButton({
  payment,
  onClick,
}: {
  readonly payment: Payment;
  readonly onClick: () => void;
}): ReactNode {
  const { t } = useText();
  const may = useMay();
  const reason = !may("platform.manage")
    ? t("books.mayNot")
    : payment.state !== "settled"
      ? t("books.payments.notSettled")
      : fenOf(payment.received) <= fenOf(payment.refunded)
        ? t("books.payments.allBack")
        : undefined;
  return (
    <Button size="xs" disabledReason={reason} onClick={onClick}>
      {t("books.payments.refund")}
    </Button>
  );
}
