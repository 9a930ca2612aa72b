/** Invoices and credit notes; the month that goes on stands on top. */
import type { ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { usePages } from "#console/api/queries.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { Money } from "#console/components/money.tsx";
import { StateBadge } from "#console/components/state-badge.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { TextLink } from "#console/ui/link.tsx";
import { Muted } from "#console/ui/text.tsx";

type Invoice = ItemOf<"listInvoices">;

export function InvoicesTab(): ReactNode {
  const { t } = useText();
  const pages = usePages("listInvoices", { query: { limit: 50 } });
  const columns: readonly Column<Invoice>[] = [
    {
      key: "number",
      head: t("statements.number"),
      isTitle: true,
      cell: ({ number, kind }) =>
        number === null ? (
          <Muted>{t("statements.noNumber")}</Muted>
        ) : (
          <>
            <TextLink to="/billing/invoices/$invoice" params={{ invoice: number }}>
              {number}
            </TextLink>
            {kind === "credit_note" ? <Muted> {t("statements.creditNote")}</Muted> : null}
          </>
        ),
    },
    {
      key: "period",
      head: t("verify.month"),
      cell: ({ period }) => (
        <TextLink to="/billing/statements" search={{ month: period }}>
          {period}
        </TextLink>
      ),
    },
    {
      key: "state",
      head: t("common.state"),
      cell: ({ state }) => <StateBadge of="invoice" state={state} />,
    },
    {
      key: "gross",
      head: t("verify.total"),
      align: "end",
      cell: ({ gross }) => <Money amount={gross} />,
    },
    {
      key: "outstanding",
      head: t("statements.outstanding"),
      align: "end",
      cell: ({ outstanding }) => <Money amount={outstanding} />,
    },
    { key: "due", head: t("statements.due"), cell: ({ dueOn }) => dueOn ?? "—" },
    {
      key: "closed",
      head: t("statements.closed"),
      cell: ({ finalizedAt }) => <When how="day" at={finalizedAt} />,
    },
    {
      key: "verify",
      head: t("verify.title"),
      isHeadHidden: true,
      cell: ({ kind, period }) =>
        kind === "monthly" ? (
          <TextLink to="/billing/verify" search={{ month: period }}>
            {t("statements.verify")}
          </TextLink>
        ) : null,
    },
  ];
  return (
    <DataTable
      label={t("statements.tab.invoices")}
      pages={pages}
      columns={columns}
      keyOf={({ id, kind, period }) => id ?? `${kind} ${period}`}
      empty={
        <EmptyState
          icon="invoice"
          title={t("statements.noInvoices")}
          text={t("statements.noInvoicesText")}
          command="millrace invoice list"
        />
      }
    />
  );
}
