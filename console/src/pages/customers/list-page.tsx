/** All customers, newest first: how each is, what it brings, who needs somebody. */
import { useState, type ReactNode } from "react";

import { usePages } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { Money } from "#console/components/money.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { anyText, oneOf, useSearchParams } from "#console/components/search-params.ts";
import { StateBadge } from "#console/components/state-badge.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Select, TextField } from "#console/ui/fields.tsx";
import { Stack } from "#console/ui/layout.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Muted } from "#console/ui/text.tsx";

import {
  SignBadges,
  signs,
  StageBadge,
  stages,
  TierBadge,
  tiers,
  type Customer,
} from "./badges.tsx";
import { CreateDialog } from "./create-dialog.tsx";

const pageSize = 50;
const spec = {
  name: anyText(100),
  tier: oneOf(tiers),
  state: oneOf(["active", "suspended"]),
  stage: oneOf(["low", ...stages]),
  sign: oneOf(["any", ...signs]),
} as const;

export function CustomersPage(): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("tenant.manage");
  const [filters, setFilters] = useSearchParams(spec);
  const [isCreating, setCreating] = useState(false);
  const { name, tier, state, stage, sign } = filters;
  const pages = usePages("listCustomers", {
    query: {
      limit: pageSize,
      ...(name === undefined ? {} : { nameHas: name }),
      ...(tier === undefined ? {} : { tier }),
      ...(state === undefined ? {} : { state }),
      ...(stage === undefined ? {} : { stage }),
      ...(sign === undefined ? {} : { sign }),
    },
  });
  const add = (
    <Button
      kind="primary"
      icon="plus"
      onClick={() => setCreating(true)}
      disabledReason={mayManage ? undefined : t("customers.operatorOnly")}
    >
      {t("customers.add")}
    </Button>
  );
  return (
    <>
      <PageHead title={t("customers.title")} lead={t("customers.lead")} actions={add} />
      <DataTable
        label={t("customers.title")}
        pages={pages}
        columns={useColumns()}
        keyOf={({ id }) => id}
        nameOf={({ displayName }) => displayName}
        isFiltered={Object.values(filters).some((value) => value !== undefined)}
        onClearFilters={() =>
          setFilters({
            name: undefined,
            tier: undefined,
            state: undefined,
            stage: undefined,
            sign: undefined,
          })
        }
        filters={<Filters values={filters} onChange={setFilters} />}
        empty={
          <EmptyState
            icon="team"
            title={t("customers.emptyTitle")}
            text={t("customers.emptyText")}
            action={add}
            command="millrace tenant create acme --display-name Acme"
          />
        }
      />
      {isCreating ? <CreateDialog onClose={() => setCreating(false)} /> : null}
    </>
  );
}

type Search = ReturnType<typeof useSearchParams<typeof spec>>;

function Filters({
  values,
  onChange,
}: {
  readonly values: Search[0];
  readonly onChange: Search[1];
}): ReactNode {
  const { t } = useText();
  const any = t("customers.any");
  return (
    <div
      className="filters"
      style={{ display: "grid", gridTemplateColumns: "repeat(auto-fit, minmax(9rem, 1fr))" }}
    >
      <TextField
        label={t("customers.nameHas")}
        value={values.name ?? ""}
        maxLength={100}
        onChange={(name) => onChange({ name: name === "" ? undefined : name })}
      />
      <Select
        label={t("customers.tier")}
        placeholder={any}
        isClearable
        choices={tiers.map((value) => ({ value, label: t(`customers.tierName.${value}`) }))}
        value={values.tier}
        onChange={(tier) => onChange({ tier })}
      />
      <Select
        label={t("customers.standing")}
        placeholder={any}
        isClearable
        choices={[
          { value: "low" as const, label: t("customers.anyLow") },
          ...stages.map((value) => ({ value, label: t(`customers.stage.${value}.name`) })),
        ]}
        value={values.stage}
        onChange={(stage) => onChange({ stage })}
      />
      <Select
        label={t("customers.signs")}
        placeholder={any}
        isClearable
        choices={[
          { value: "any" as const, label: t("customers.anySign") },
          ...signs.map((value) => ({ value, label: t(`customers.sign.${value}`) })),
        ]}
        value={values.sign}
        onChange={(sign) => onChange({ sign })}
      />
      <Select
        label={t("common.state")}
        placeholder={any}
        isClearable
        choices={(["active", "suspended"] as const).map((value) => ({
          value,
          label: t(`states.tenant.${value}`),
        }))}
        value={values.state}
        onChange={(state) => onChange({ state })}
      />
    </div>
  );
}

function useColumns(): readonly Column<Customer>[] {
  const { t } = useText();
  return [
    {
      key: "name",
      head: t("common.name"),
      isTitle: true,
      cell: ({ id, name, displayName, state }) => (
        <Stack gap={0}>
          <TextLink to="/operate/customers/$tenantId" params={{ tenantId: id }}>
            <bdi>{displayName}</bdi>
          </TextLink>
          {name === displayName ? null : <Muted size="xs">{name}</Muted>}
          {state === "active" ? null : (
            <div>
              <StateBadge of="tenant" state={state} />
            </div>
          )}
        </Stack>
      ),
    },
    {
      key: "tier",
      head: t("customers.tier"),
      cell: ({ tier, isTierByHand }) => <TierBadge tier={tier} isByHand={isTierByHand} />,
    },
    {
      key: "stage",
      head: t("customers.standing"),
      cell: ({ stage }) => <StageBadge stage={stage} />,
    },
    {
      key: "available",
      head: t("customers.available"),
      align: "end",
      cell: ({ available }) => <Money amount={available} />,
    },
    {
      key: "spent",
      head: t("customers.thisMonth"),
      align: "end",
      cell: ({ spentThisMonth }) => <Money amount={spentThisMonth} />,
    },
    { key: "signs", head: t("customers.signs"), cell: ({ signs: of }) => <SignBadges of={of} /> },
    {
      key: "created",
      head: t("customers.since"),
      cell: ({ createdAt }) => <When at={createdAt} how="day" />,
    },
  ];
}
