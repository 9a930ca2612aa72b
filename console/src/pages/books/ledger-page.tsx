/** Every movement of money of every customer: journals with their postings. */
import type { ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { usePages } from "#console/api/queries.ts";
import { useTimeZone } from "#console/api/session.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { dayText, oneOf, useSearchParams } from "#console/components/search-params.ts";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { When } from "#console/components/when.tsx";
import { textIfThere, told, useText } from "#console/i18n/index.ts";
import { dayBegin, dayEnd } from "#console/pages/account/zone-days.ts";
import { DateField, Select } from "#console/ui/fields.tsx";
import { Muted } from "#console/ui/text.tsx";

import { Postings } from "./postings.tsx";
import { TenantLink, TenantSelect, tenantText } from "./tenants.tsx";

type Journal = ItemOf<"listAllJournals">;

const kinds = [
  "top_up",
  "payout",
  "hold",
  "release",
  "charge",
  "adjustment",
  "package_purchase",
  "package_refund",
  "breakage",
  "order",
  "order_refund",
  "credit",
  "void",
  "settlement",
] as const;

const accounts = [
  "wallet",
  "held",
  "receivable",
  "principal",
  "bonus",
  "promotion",
  "breakage",
  "revenue",
  "cash",
] as const;

export function LedgerPage(): ReactNode {
  const { t } = useText();
  const timeZone = useTimeZone();
  const [filters, setFilters] = useSearchParams({
    tenant: tenantText,
    kind: oneOf(kinds),
    account: oneOf(accounts),
    from: dayText,
    through: dayText,
  });
  const { tenant, kind, account, from, through } = filters;
  const query = {
    limit: 100,
    ...(tenant === undefined ? {} : { tenantId: tenant }),
    ...(kind === undefined ? {} : { kind }),
    ...(account === undefined ? {} : { account }),
    ...(from === undefined ? {} : { since: dayBegin(from, timeZone) }),
    ...(through === undefined ? {} : { until: dayEnd(through, timeZone) }),
  };
  const pages = usePages("listAllJournals", { query });
  const columns: readonly Column<Journal>[] = [
    { key: "at", head: t("statements.when"), cell: ({ at }) => <When how="absolute" at={at} /> },
    {
      key: "customer",
      head: t("books.customer"),
      isTitle: true,
      cell: ({ tenantId, tenant: name }) => <TenantLink id={tenantId} name={name} />,
    },
    {
      key: "kind",
      head: t("books.ledger.kind"),
      cell: ({ kind: of, description }) => (
        <>
          <div className="nowrap">{textIfThere(`statements.kindOf.${of}`) ?? of}</div>
          <Muted size="xs">
            <bdi style={{ overflowWrap: "anywhere" }}>{told(description)}</bdi>
          </Muted>
        </>
      ),
    },
    {
      key: "postings",
      head: t("statements.postings"),
      cell: ({ postings }) => <Postings postings={postings} />,
    },
  ];
  return (
    <>
      <PageHead
        title={t("books.ledger.title")}
        lead={t("books.ledger.lead")}
        actions={<ShowAsCli operation="listAllJournals" request={{ query }} />}
      />
      <DataTable
        label={t("books.ledger.title")}
        pages={pages}
        columns={columns}
        keyOf={({ id }) => id}
        isFiltered={Object.values(filters).some((value) => value !== undefined)}
        onClearFilters={() =>
          setFilters({
            tenant: undefined,
            kind: undefined,
            account: undefined,
            from: undefined,
            through: undefined,
          })
        }
        filters={
          <div className="filters">
            <TenantSelect value={tenant} onChange={(value) => setFilters({ tenant: value })} />
            <Select
              label={t("books.ledger.kind")}
              placeholder={t("books.ledger.anyKind")}
              isClearable
              choices={kinds.map((value) => ({ value, label: t(`statements.kindOf.${value}`) }))}
              value={kind}
              onChange={(value) => setFilters({ kind: value })}
            />
            <Select
              label={t("books.ledger.account")}
              placeholder={t("books.ledger.anyAccount")}
              isClearable
              choices={accounts.map((value) => ({
                value,
                label: t(`statements.account.${value}`),
              }))}
              value={account}
              onChange={(value) => setFilters({ account: value })}
            />
            <DateField
              label={t("books.ledger.from")}
              value={from ?? ""}
              {...(through === undefined ? {} : { max: through })}
              onChange={(value) => setFilters({ from: value })}
            />
            <DateField
              label={t("books.ledger.through")}
              value={through ?? ""}
              {...(from === undefined ? {} : { min: from })}
              onChange={(value) => setFilters({ through: value })}
            />
          </div>
        }
        empty={
          <EmptyState
            icon="list"
            title={t("books.ledger.emptyTitle")}
            text={t("books.ledger.emptyText")}
            command="millrace ledger journals"
          />
        }
      />
    </>
  );
}
