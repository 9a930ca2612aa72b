/** Who belongs to the account, and into which projects its work is sorted. */
import { useState, type ReactNode } from "react";

import { PageHead } from "#console/components/page-head.tsx";
import { oneOf, useSearchParams } from "#console/components/search-params.ts";
import { useText } from "#console/i18n/index.ts";
import { useMay } from "#console/api/session.ts";
import { Button } from "#console/ui/button.tsx";
import { Tabs } from "#console/ui/tabs.tsx";

import { CreateProjectDialog, ProjectsTab } from "./projects-tab.tsx";
import { AddUserDialog } from "./user-dialogs.tsx";
import { UsersTab } from "./users-tab.tsx";

const tabs = ["users", "projects"] as const;

export function TeamPage(): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("member.manage");
  const [{ tab = "users" }, setSearch] = useSearchParams({ tab: oneOf(tabs) });
  const [isAdding, setAdding] = useState(false);
  return (
    <>
      <PageHead
        title={t("account.team.title")}
        lead={t("account.team.lead")}
        actions={
          <Button
            kind="primary"
            icon="plus"
            onClick={() => setAdding(true)}
            disabledReason={mayManage ? undefined : t("account.team.adminOnly")}
          >
            {tab === "users" ? t("account.team.add") : t("account.projects.add")}
          </Button>
        }
      />
      <Tabs
        label={t("account.team.title")}
        value={tab}
        onChange={(next) => setSearch({ tab: next === "users" ? undefined : next }, "step")}
        tabs={[
          { value: "users", label: t("account.team.users"), content: () => <UsersTab /> },
          {
            value: "projects",
            label: t("account.projects.title"),
            content: () => <ProjectsTab />,
          },
        ]}
      />
      {!isAdding ? null : tab === "users" ? (
        <AddUserDialog onClose={() => setAdding(false)} />
      ) : (
        <CreateProjectDialog onClose={() => setAdding(false)} />
      )}
    </>
  );
}
