/** The users of the tenant: role, whether they may sign in, and links to set a password. */
import { useState, type ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { useAction, usePages } from "#console/api/queries.ts";
import { ConfirmDialog } from "#console/components/confirm-dialog.tsx";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { StateBadge } from "#console/components/state-badge.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { useMay, useSession } from "#console/api/session.ts";
import { IconButton } from "#console/ui/button.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { Row } from "#console/ui/layout.tsx";
import { Menu, type MenuEntry } from "#console/ui/overlay.tsx";
import { Muted } from "#console/ui/text.tsx";

import { InviteDialog, RoleDialog } from "./user-dialogs.tsx";

export type User = ItemOf<"listUsers">;

export function UsersTab(): ReactNode {
  const { t } = useText();
  const pages = usePages("listUsers", { query: { limit: 100 } });
  const { user: self } = useSession();
  const columns: readonly Column<User>[] = [
    {
      key: "name",
      head: t("common.name"),
      cell: (user) => (
        <Row gap="xs">
          <bdi>{user.name}</bdi>
          {user.id === self.id ? <Badge tone="accent">{t("account.team.you")}</Badge> : null}
        </Row>
      ),
    },
    {
      key: "email",
      head: t("account.team.email"),
      cell: (user) => user.email ?? <Muted>{t("account.team.noEmail")}</Muted>,
    },
    {
      key: "role",
      head: t("account.team.role"),
      cell: (user) => t(`shell.role.${user.role}`),
    },
    {
      key: "state",
      head: t("common.state"),
      cell: (user) => <StateBadge of="user" state={user.state} />,
    },
    { key: "created", head: t("common.created"), cell: (user) => <When at={user.createdAt} /> },
    {
      key: "actions",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (user) => <UserMenu user={user} />,
    },
  ];
  return (
    <DataTable
      label={t("account.team.users")}
      pages={pages}
      columns={columns}
      keyOf={(user) => user.id}
      nameOf={(user) => user.name}
      empty={<EmptyState icon="team" title={t("account.team.empty")} />}
    />
  );
}

type Asked = "role" | "invite" | "disable" | "enable";

function UserMenu({ user }: { readonly user: User }): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("member.manage");
  const { user: self } = useSession();
  const [asked, setAsked] = useState<Asked>();
  const close = (): void => setAsked(undefined);
  const update = useAction("updateUser", { onDone: close });
  const adminOnly = mayManage ? undefined : t("account.team.adminOnly");
  const isDisabled = user.state === "disabled";
  const entry = (key: Asked, icon: "edit" | "key" | "pause" | "play", why?: string): MenuEntry => ({
    kind: "action",
    icon,
    label: t(`account.team.${key}`),
    disabledReason: adminOnly ?? why,
    isDangerous: key === "disable",
    run: () => {
      update.reset();
      setAsked(key);
    },
  });
  return (
    <>
      <Menu
        trigger={
          <IconButton icon="more" label={t("account.team.actionsOf", { name: user.name })} />
        }
        entries={[
          entry("role", "edit"),
          entry("invite", "key", isDisabled ? t("account.team.isDisabled") : undefined),
          isDisabled
            ? entry("enable", "play")
            : entry(
                "disable",
                "pause",
                user.id === self.id ? t("account.team.notSelf") : undefined,
              ),
        ]}
      />
      {asked === "role" ? <RoleDialog user={user} onClose={close} /> : null}
      {asked === "invite" ? <InviteDialog user={user} onClose={close} /> : null}
      <ConfirmDialog
        call={{
          operation: "updateUser",
          request: {
            params: { userId: user.id },
            body: { state: isDisabled ? "active" : "disabled" },
          },
        }}
        isOpen={asked === "disable" || asked === "enable"}
        onClose={close}
        title={
          isDisabled
            ? t("account.team.enableTitle", { name: user.name })
            : t("account.team.disableTitle", { name: user.name })
        }
        confirmLabel={isDisabled ? t("account.team.enable") : t("account.team.disable")}
        isDangerous={!isDisabled}
        isBusy={update.isPending}
        error={update.error}
        onConfirm={() =>
          update.mutate({
            params: { userId: user.id },
            body: { state: isDisabled ? "active" : "disabled" },
          })
        }
      >
        {isDisabled ? t("account.team.enableText") : t("account.team.disableText")}
      </ConfirmDialog>
    </>
  );
}
