/** All versions of the price profile: what is in force, what is to come, what is a draft. */
import { useState, type ReactNode } from "react";

import { wholeList } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { IconButton, LinkButton } from "#console/ui/button.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Menu } from "#console/ui/overlay.tsx";

import { useActivationRefusal } from "./activation.ts";
import { ActivateDialog } from "./activate-dialog.tsx";
import { stateOf, versionName, type Version } from "./profile-state.ts";
import { useVersions } from "./use-versions.ts";
import { VersionBadge } from "./version-badge.tsx";

export function PricesPage(): ReactNode {
  const { t } = useText();
  const may = useMay();
  const { query, versions, today, current } = useVersions();
  const [asked, setAsked] = useState<Version>();
  const columns: readonly Column<Version>[] = [
    {
      key: "name",
      head: t("common.name"),
      isTitle: true,
      cell: ({ id, name }) => (
        <TextLink to="/operate/prices/$profileId" params={{ profileId: id }}>
          <bdi style={{ overflowWrap: "anywhere" }}>{name}</bdi>
        </TextLink>
      ),
    },
    { key: "version", head: t("prices.version"), align: "end", cell: ({ version }) => version },
    {
      key: "state",
      head: t("common.state"),
      cell: (each) => <VersionBadge state={stateOf(each, { today, current })} />,
    },
    {
      key: "from",
      head: t("prices.inForceFrom"),
      cell: ({ activeFrom }) => <span className="tabular nowrap">{activeFrom ?? "—"}</span>,
    },
    { key: "created", head: t("common.created"), cell: ({ createdAt }) => <When at={createdAt} /> },
    {
      key: "actions",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (each) => <VersionMenu version={each} onActivate={() => setAsked(each)} />,
    },
  ];
  return (
    <>
      <PageHead
        title={t("prices.title")}
        lead={t("prices.lead")}
        actions={
          <>
            <LinkButton to="/operate/prices/replay" icon="refresh">
              {t("prices.replayTitle")}
            </LinkButton>
            {may("catalog.manage") ? (
              <LinkButton
                to="/operate/prices/new"
                search={current === undefined ? {} : { from: current.id }}
                kind="primary"
                icon="plus"
              >
                {t("prices.create")}
              </LinkButton>
            ) : null}
          </>
        }
      />
      <DataTable
        label={t("prices.title")}
        pages={wholeList(query, versions)}
        columns={columns}
        keyOf={({ id }) => id}
        empty={
          <EmptyState
            icon="money"
            title={t("prices.emptyTitle")}
            text={t("prices.emptyText")}
            action={{ to: "/operate/prices/new", label: t("prices.create") }}
            command="millrace profile create spring --file new.yaml"
          />
        }
      />
      {asked === undefined ? null : (
        <ActivateDialog version={asked} onClose={() => setAsked(undefined)} />
      )}
    </>
  );
}

function VersionMenu({
  version,
  onActivate,
}: {
  readonly version: Version;
  readonly onActivate: () => void;
}): ReactNode {
  const { t } = useText();
  const refused = useActivationRefusal(version);
  const { id } = version;
  return (
    <Menu
      trigger={
        <IconButton icon="more" label={t("prices.actionsOf", { name: versionName(version) })} />
      }
      entries={[
        {
          kind: "link",
          icon: "edit",
          label: t("prices.editAsNew"),
          to: "/operate/prices/new",
          search: { from: id },
        },
        {
          kind: "link",
          icon: "list",
          label: t("prices.compareIt"),
          to: "/operate/prices/$profileId",
          params: { profileId: id },
          search: { tab: "compare" },
        },
        {
          kind: "link",
          icon: "refresh",
          label: t("prices.replayIt"),
          to: "/operate/prices/replay",
          search: { profile: id },
        },
        {
          kind: "action",
          icon: "check",
          label: t("prices.activate"),
          disabledReason: refused,
          run: onActivate,
        },
      ]}
    />
  );
}
