/** Groups of instances that are alike and that grow and shrink by what they use. */
import type { ReactNode } from "react";

import { usePages } from "#console/api/queries.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { Money } from "#console/components/money.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { oneOf, useSearchParams } from "#console/components/search-params.ts";
import { StateBadge } from "#console/components/state-badge.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { LinkButton } from "#console/ui/button.tsx";
import { Switch } from "#console/ui/fields.tsx";
import { TextLink } from "#console/ui/link.tsx";

import type { Group } from "./scaling.ts";

export function GroupsPage(): ReactNode {
  const { t } = useText();
  const [{ all }, setSearch] = useSearchParams({ all: oneOf(["1"]) });
  const pages = usePages(
    "listGroups",
    { query: { limit: 100, state: all === undefined ? "there" : "all" } },
    { everyMs: 15_000 },
  );
  return (
    <>
      <PageHead
        title={t("groups.title")}
        lead={t("groups.lead")}
        actions={
          <LinkButton to="/groups/new" kind="primary" icon="plus">
            {t("groups.create")}
          </LinkButton>
        }
      />
      <DataTable
        label={t("groups.title")}
        pages={pages}
        columns={useColumns()}
        keyOf={idOf}
        nameOf={(group) => group.name}
        isFiltered={all !== undefined}
        onClearFilters={() => setSearch({ all: undefined })}
        filters={
          <div className="filters">
            <Switch
              label={t("groups.withDeleted")}
              isOn={all === "1"}
              onChange={(isOn) => setSearch({ all: isOn ? "1" : undefined })}
            />
          </div>
        }
        empty={
          <EmptyState
            icon="pool"
            title={t("groups.emptyTitle")}
            text={t("groups.emptyText")}
            action={{ to: "/groups/new", label: t("groups.create") }}
            command="millrace group create web --flavor small --min 2 --max 10 --target cpu=60"
          />
        }
      />
    </>
  );
}

function useColumns(): readonly Column<Group>[] {
  const { t } = useText();
  return [
    {
      key: "name",
      head: t("common.name"),
      isTitle: true,
      cell: (group) => (
        <TextLink to="/groups/$groupId" params={{ groupId: group.id }}>
          {group.name}
        </TextLink>
      ),
    },
    {
      key: "state",
      head: t("common.state"),
      cell: (group) => <StateBadge of="group" state={group.state} why={group.reason?.message} />,
    },
    { key: "flavor", head: t("instances.flavor"), cell: (group) => group.flavor },
    {
      key: "members",
      head: t("groups.members"),
      align: "end",
      cell: ({ running, wanted }) => t("groups.runningOf", { running, wanted }),
    },
    {
      key: "bounds",
      head: t("groups.bounds"),
      align: "end",
      cell: ({ min, max }) => `${min}–${max}`,
    },
    {
      key: "price",
      head: t("instances.price"),
      align: "end",
      cell: ({ price }) => <Money amount={price.now} />,
    },
    { key: "created", head: t("common.created"), cell: ({ createdAt }) => <When at={createdAt} /> },
  ];
}

function idOf({ id }: Group): string {
  return id;
}
