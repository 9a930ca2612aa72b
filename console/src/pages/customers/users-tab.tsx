/** The customer's users, as his administrator sees them; invitations included. */
import { useState, type ReactNode } from "react";

import { useMay } from "#console/api/session.ts";
import { useText } from "#console/i18n/index.ts";
import { AddUserDialog } from "#console/pages/account/user-dialogs.tsx";
import { UsersTab as Users } from "#console/pages/account/users-tab.tsx";
import { Button } from "#console/ui/button.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

export function UsersTab(): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("member.manage");
  const [isAdding, setAdding] = useState(false);
  return (
    <Stack>
      <Row justify="space-between">
        <Muted>{t("customers.usersLead")}</Muted>
        <Button
          icon="plus"
          onClick={() => setAdding(true)}
          disabledReason={mayManage ? undefined : t("account.team.adminOnly")}
        >
          {t("account.team.add")}
        </Button>
      </Row>
      <Users />
      {isAdding ? <AddUserDialog onClose={() => setAdding(false)} /> : null}
    </Stack>
  );
}
