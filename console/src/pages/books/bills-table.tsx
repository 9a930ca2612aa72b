/** Bills that were made again from their events, and where one differs, in what. */
import type { ReactNode } from "react";

import { DataTable, type Column } from "#console/components/data-table.tsx";
import { Money } from "#console/components/money.tsx";
import { useText } from "#console/i18n/index.ts";
import { wholeList } from "#console/pages/billing/whole-list.ts";
import { Badge } from "#console/ui/feedback.tsx";
import { Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

import type { ReplayedBill } from "./bills-card.tsx";
import { TenantLink } from "./tenants.tsx";

const shownMax = 3;

export function BillsTable({ bills }: { readonly bills: readonly ReplayedBill[] }): ReactNode {
  const { t } = useText();
  const columns: readonly Column<ReplayedBill>[] = [
    {
      key: "customer",
      head: t("books.check.bills.customer"),
      isTitle: true,
      cell: ({ invoice }) => <TenantLink id={invoice.tenantId} name={invoice.tenant} />,
    },
    {
      key: "total",
      head: t("books.check.bills.total"),
      align: "end",
      cell: ({ replay }) => <Money amount={replay.total} />,
    },
    {
      key: "lines",
      head: t("books.check.bills.lines"),
      align: "end",
      cell: ({ replay }) => replay.lines,
    },
    {
      key: "events",
      head: t("books.check.bills.events"),
      align: "end",
      cell: ({ replay }) => replay.events,
    },
    {
      key: "result",
      head: t("books.check.bills.result"),
      cell: (bill) => <Result bill={bill} />,
    },
  ];
  if (bills.length === 0) return null;
  return (
    <DataTable
      label={t("books.check.bills.title")}
      pages={wholeList(bills)}
      columns={columns}
      keyOf={({ invoice }) => invoice.id ?? invoice.tenantId}
      empty={null}
    />
  );
}

function Result({ bill: { replay } }: { readonly bill: ReplayedBill }): ReactNode {
  const { t, language } = useText();
  return (
    <Stack gap={0}>
      <div>
        {replay.isSame ? (
          <Badge tone="good" icon="check">
            {t("books.check.bills.same")}
          </Badge>
        ) : (
          <Badge tone="bad" icon="alert">
            {t("books.check.bills.differs")}
          </Badge>
        )}
      </div>
      {replay.differences.slice(0, shownMax).map(({ code, place, message }) => (
        <Muted key={`${code} ${place}`} size="xs">
          {place}: {message[language]}
        </Muted>
      ))}
      {replay.notes.length === 0 ? null : (
        <details>
          <summary>{t("books.check.bills.notes")}</summary>
          {replay.notes.map(({ code, message }) => (
            <Muted key={code} size="xs">
              {message[language]}
            </Muted>
          ))}
        </details>
      )}
    </Stack>
  );
}
