/** Closed months and credit notes of all customers; one that is wrong is taken back. */
import { useState, type ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { usePages } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { DownloadButton } from "#console/components/download.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { Money } from "#console/components/money.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { monthText, oneOf, useSearchParams } from "#console/components/search-params.ts";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { StateBadge } from "#console/components/state-badge.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { DateField, Select } from "#console/ui/fields.tsx";
import { Row } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

import { TenantLink, TenantSelect, tenantText } from "./tenants.tsx";
import { VoidDialog } from "./void-dialog.tsx";

export type Invoice = ItemOf<"listAllInvoices">;

const states = ["final", "paid", "overdue", "void"] as const;
const kinds = ["monthly", "credit_note"] as const;

export function AllInvoicesPage(): ReactNode {
  const { t } = useText();
  const [filters, setFilters] = useSearchParams({
    tenant: tenantText,
    month: monthText,
    state: oneOf(states),
    kind: oneOf(kinds),
  });
  const { tenant, month, state, kind } = filters;
  const [asked, setAsked] = useState<Invoice>();
  const query = {
    limit: 100,
    ...(tenant === undefined ? {} : { tenantId: tenant }),
    ...(month === undefined ? {} : { month }),
    ...(state === undefined ? {} : { state }),
    ...(kind === undefined ? {} : { kind }),
  };
  const pages = usePages("listAllInvoices", { query });
  return (
    <>
      <PageHead
        title={t("books.invoices.title")}
        lead={t("books.invoices.lead")}
        actions={<ShowAsCli operation="listAllInvoices" request={{ query }} />}
      />
      <DataTable
        label={t("books.invoices.title")}
        pages={pages}
        columns={useColumns(setAsked)}
        keyOf={({ id, tenantId, period }) => id ?? `${tenantId} ${period}`}
        isFiltered={Object.values(filters).some((value) => value !== undefined)}
        onClearFilters={() =>
          setFilters({ tenant: undefined, month: undefined, state: undefined, kind: undefined })
        }
        filters={
          <div className="filters">
            <TenantSelect value={tenant} onChange={(value) => setFilters({ tenant: value })} />
            <DateField
              kind="month"
              label={t("books.invoices.month")}
              value={month ?? ""}
              onChange={(value) => setFilters({ month: value })}
            />
            <Select
              label={t("books.invoices.state")}
              placeholder={t("books.invoices.anyState")}
              isClearable
              choices={states.map((value) => ({ value, label: t(`states.invoice.${value}`) }))}
              value={state}
              onChange={(value) => setFilters({ state: value })}
            />
            <Select
              label={t("books.invoices.kind")}
              placeholder={t("books.invoices.anyKind")}
              isClearable
              choices={kinds.map((value) => ({
                value,
                label: t(`books.invoices.kindOf.${value}`),
              }))}
              value={kind}
              onChange={(value) => setFilters({ kind: value })}
            />
          </div>
        }
        empty={
          <EmptyState
            icon="invoice"
            title={t("books.invoices.emptyTitle")}
            text={t("books.invoices.emptyText")}
            command="millrace ledger invoices"
          />
        }
      />
      {asked === undefined ? null : (
        <VoidDialog invoice={asked} onClose={() => setAsked(undefined)} />
      )}
    </>
  );
}

function useColumns(onVoid: (invoice: Invoice) => void): readonly Column<Invoice>[] {
  const { t } = useText();
  return [
    {
      key: "customer",
      head: t("books.customer"),
      isTitle: true,
      cell: ({ tenantId, tenant }) => <TenantLink id={tenantId} name={tenant} />,
    },
    {
      key: "number",
      head: t("books.invoices.number"),
      cell: (invoice) => (
        <>
          <div className="nowrap tabular">{invoice.number ?? "—"}</div>
          <Muted size="xs">
            {t(`books.invoices.kindOf.${invoice.kind}`)} · {invoice.period}
          </Muted>
        </>
      ),
    },
    {
      key: "state",
      head: t("books.invoices.state"),
      cell: (invoice) => (
        <StateBadge of="invoice" state={invoice.state} why={invoice.reason ?? undefined} />
      ),
    },
    {
      key: "gross",
      head: t("books.invoices.gross"),
      align: "end",
      cell: ({ gross }) => <Money amount={gross} />,
    },
    {
      key: "outstanding",
      head: t("books.invoices.outstanding"),
      align: "end",
      cell: ({ outstanding }) => <Money amount={outstanding} />,
    },
    {
      key: "due",
      head: t("books.invoices.due"),
      cell: ({ dueOn }) => <span className="nowrap tabular">{dueOn ?? "—"}</span>,
    },
    {
      key: "actions",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (invoice) => <Actions invoice={invoice} onVoid={() => onVoid(invoice)} />,
    },
  ];
}

function Actions({
  invoice,
  onVoid,
}: {
  readonly invoice: Invoice;
  readonly onVoid: () => void;
}): ReactNode {
  const { t, language } = useText();
  const may = useMay();
  const { number, kind, state, tenantId } = invoice;
  if (number === null) return null;
  const reason = !may("platform.manage")
    ? t("books.mayNot")
    : kind === "credit_note"
      ? t("books.invoices.isCreditNote")
      : state === "void"
        ? t("books.invoices.isVoid")
        : undefined;
  return (
    <Row gap="xs" wrap="nowrap" justify="flex-end">
      {kind === "credit_note" ? null : (
        <DownloadButton
          label={t("books.invoices.pdf")}
          fileName={`${number}.pdf`}
          operation="exportInvoice"
          request={{ params: { invoice: number }, query: { format: "pdf", language } }}
          tenantId={tenantId}
        />
      )}
      <Button size="xs" disabledReason={reason} onClick={onVoid}>
        {t("books.invoices.takeBack")}
      </Button>
    </Row>
  );
}
