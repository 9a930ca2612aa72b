/** What arrived at the bank; what no payment waits for exactly is to be decided by somebody. */
import { useState, type ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { usePages } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { Money } from "#console/components/money.tsx";
import { oneOf, useSearchParams } from "#console/components/search-params.ts";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { Segments } from "#console/ui/fields.tsx";
import { Stack } from "#console/ui/layout.tsx";
import { Code, Muted } from "#console/ui/text.tsx";

import { ResolveDialog } from "./resolve-dialog.tsx";
import { TenantLink, useTenantNames } from "./tenants.tsx";

export type Receipt = ItemOf<"listBankReceipts">;

const looks = {
  matched: ["good", "check"],
  suspense: ["attention", "wait"],
  assigned: ["good", "user"],
  returned: ["quiet", "left"],
} as const;

export function ReceiptsTab(): ReactNode {
  const { t } = useText();
  const may = useMay();
  const [{ state = "suspense" }, setSearch] = useSearchParams({
    state: oneOf(["suspense", "all"]),
  });
  const [asked, setAsked] = useState<Receipt>();
  const { nameOf } = useTenantNames();
  const pages = usePages("listBankReceipts", { query: { limit: 100, state } });
  const columns: readonly Column<Receipt>[] = [
    {
      key: "on",
      head: t("books.receipts.receivedOn"),
      cell: ({ receivedOn }) => <span className="tabular nowrap">{receivedOn}</span>,
    },
    {
      key: "reference",
      head: t("books.receipts.reference"),
      isTitle: true,
      cell: ({ bankReference }) => <bdi style={{ overflowWrap: "anywhere" }}>{bankReference}</bdi>,
    },
    {
      key: "code",
      head: t("books.receipts.code"),
      cell: ({ code }) =>
        code === "" ? (
          "—"
        ) : (
          <bdi style={{ overflowWrap: "anywhere" }}>
            <Code>{code}</Code>
          </bdi>
        ),
    },
    {
      key: "amount",
      head: t("books.receipts.amount"),
      align: "end",
      cell: ({ amount }) => <Money amount={amount} />,
    },
    {
      key: "state",
      head: t("books.payments.state"),
      cell: (receipt) => (
        <Stack gap={0}>
          <div>
            <Badge tone={looks[receipt.state][0]} icon={looks[receipt.state][1]}>
              {t(`books.receipts.stateOf.${receipt.state}`)}
            </Badge>
          </div>
          {receipt.reason === null ? null : (
            <Muted size="xs">{t(`books.receipts.whyOf.${receipt.reason}`)}</Muted>
          )}
        </Stack>
      ),
    },
    {
      key: "customer",
      head: t("books.customer"),
      cell: ({ tenantId }) =>
        tenantId === null ? "—" : <TenantLink id={tenantId} name={nameOf(tenantId) ?? tenantId} />,
    },
    {
      key: "note",
      head: t("books.receipts.note"),
      cell: ({ note }) => <bdi style={{ overflowWrap: "anywhere" }}>{note ?? "—"}</bdi>,
    },
    {
      key: "decide",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (receipt) =>
        receipt.state === "suspense" ? (
          <Button
            size="xs"
            disabledReason={may("platform.manage") ? undefined : t("books.mayNot")}
            onClick={() => setAsked(receipt)}
          >
            {t("books.receipts.decide")}
          </Button>
        ) : null,
    },
  ];
  return (
    <Stack gap="sm">
      <div>
        <Segments
          label={t("books.payments.state")}
          value={state}
          onChange={(next) => setSearch({ state: next === "suspense" ? undefined : next })}
          choices={[
            { value: "suspense", label: t("books.receipts.waiting") },
            { value: "all", label: t("books.receipts.all") },
          ]}
        />
      </div>
      <DataTable
        label={t("books.payments.tab.receipts")}
        pages={pages}
        columns={columns}
        keyOf={({ id }) => id}
        empty={
          state === "all" ? (
            <EmptyState
              icon="money"
              title={t("books.receipts.noneTitle")}
              command="millrace payment confirm CODE 1000 --bank-reference 4711 --received-on 2026-05-04"
            />
          ) : (
            <EmptyState
              icon="check"
              title={t("books.receipts.emptyTitle")}
              text={t("books.receipts.emptyText")}
            />
          )
        }
      />
      {asked === undefined ? null : (
        <ResolveDialog receipt={asked} onClose={() => setAsked(undefined)} />
      )}
    </Stack>
  );
}
