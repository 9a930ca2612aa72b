/** Adding a user, changing his role, and the link with which he sets his password. */
import { useState, type ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useAction } from "#console/api/queries.ts";
import { CopyLine } from "#console/components/copy.tsx";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { useSession } from "#console/api/session.ts";
import { useNamedTenant } from "#console/api/tenant.ts";
import { Button } from "#console/ui/button.tsx";
import { Notice } from "#console/ui/feedback.tsx";
import { RadioGroup, TextField } from "#console/ui/fields.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { Dialog } from "#console/ui/dialog.tsx";
import { Text } from "#console/ui/text.tsx";

import type { User } from "./users-tab.tsx";

type Role = User["role"];
type Close = { readonly onClose: () => void };

function RoleField({
  value,
  onChange,
}: {
  readonly value: Role;
  readonly onChange: (role: Role) => void;
}): ReactNode {
  const { t } = useText();
  const { tenant } = useSession();
  // Of a customer for whom the operator acts nobody becomes one.
  const isOwn = useNamedTenant() === undefined;
  const roles: readonly Role[] = [
    ...(tenant.kind === "operator" && isOwn ? (["root"] as const) : []),
    "domain_admin",
    "user",
    "billing",
    "viewer",
  ];
  return (
    <RadioGroup
      label={t("account.team.role")}
      value={value}
      onChange={onChange}
      choices={roles.map((role) => ({
        value: role,
        label: t(`shell.role.${role}`),
        description: t(`account.roleText.${role}`),
      }))}
    />
  );
}

export function AddUserDialog({ onClose }: Close): ReactNode {
  const { t } = useText();
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("user");
  const invite = useAction("inviteUser");
  const create = useAction("createUser", {
    onDone: (user) => {
      if (user.email === null) onClose();
      else invite.mutate({ params: { userId: user.id }, body: {} });
    },
  });
  const request = {
    body: { name: name.trim(), role, ...(email.trim() === "" ? {} : { email: email.trim() }) },
  };
  if (create.data?.email !== undefined && create.data.email !== null && invite.data !== undefined) {
    return <InvitationDialog invitation={invite.data} onClose={onClose} />;
  }
  return (
    <FormDialog
      title={t("account.team.add")}
      onClose={onClose}
      submitLabel={t("account.team.add")}
      isBusy={create.isPending || invite.isPending}
      error={create.error ?? invite.error}
      disabledReason={name.trim() === "" ? t("account.nameNeeded") : undefined}
      call={{ operation: "createUser", request }}
      onSubmit={() => create.mutate(request)}
    >
      <TextField
        label={t("common.name")}
        value={name}
        onChange={setName}
        maxLength={100}
        autoFocus
        required
        error={fieldError(create.error, "name")}
      />
      <TextField
        label={t("account.team.email")}
        description={t("account.team.emailHelp")}
        value={email}
        onChange={setEmail}
        maxLength={254}
        autoComplete="off"
        error={fieldError(create.error, "email")}
      />
      <RoleField value={role} onChange={setRole} />
    </FormDialog>
  );
}

export function RoleDialog({ user, onClose }: Close & { readonly user: User }): ReactNode {
  const { t } = useText();
  const [role, setRole] = useState<Role>(user.role);
  const update = useAction("updateUser", { onDone: onClose });
  const request = { params: { userId: user.id }, body: { role } };
  return (
    <FormDialog
      title={t("account.team.roleTitle", { name: user.name })}
      onClose={onClose}
      submitLabel={t("common.save")}
      isBusy={update.isPending}
      error={update.error}
      disabledReason={role === user.role ? t("account.nothingChanged") : undefined}
      call={{ operation: "updateUser", request }}
      onSubmit={() => update.mutate(request)}
    >
      <RoleField value={role} onChange={setRole} />
    </FormDialog>
  );
}

export function InviteDialog({ user, onClose }: Close & { readonly user: User }): ReactNode {
  const { t } = useText();
  const [email, setEmail] = useState(user.email ?? "");
  const invite = useAction("inviteUser");
  const request = {
    params: { userId: user.id },
    body: user.email === null ? { email: email.trim() } : {},
  };
  if (invite.data !== undefined) {
    return <InvitationDialog invitation={invite.data} onClose={onClose} />;
  }
  return (
    <FormDialog
      title={t("account.team.inviteTitle", { name: user.name })}
      onClose={onClose}
      submitLabel={t("account.team.makeLink")}
      isBusy={invite.isPending}
      error={invite.error}
      disabledReason={email.trim() === "" ? t("account.team.emailNeeded") : undefined}
      call={{ operation: "inviteUser", request }}
      onSubmit={() => invite.mutate(request)}
    >
      <Text>{t("account.team.inviteText")}</Text>
      <TextField
        label={t("account.team.email")}
        value={email}
        onChange={setEmail}
        disabled={user.email !== null}
        maxLength={254}
        error={fieldError(invite.error, "email")}
      />
    </FormDialog>
  );
}

/** The link is shown once: whoever has it becomes that user. */
function InvitationDialog({
  invitation,
  onClose,
}: Close & { readonly invitation: AnswerOf<"inviteUser"> }): ReactNode {
  const { t } = useText();
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={t("account.team.linkTitle")}
      closeLabel={t("common.close")}
    >
      <Stack>
        <Text>{t("account.team.linkText", { email: invitation.email })}</Text>
        <CopyLine text={`${location.origin}${invitation.path}`} />
        <Text isMuted size="sm">
          {t("account.team.linkUntil")} <When at={invitation.expiresAt} how="both" />
        </Text>
        <Notice tone="attention">{t("account.team.linkSecret")}</Notice>
        <Row justify="flex-end">
          <Button kind="primary" onClick={onClose}>
            {t("common.close")}
          </Button>
        </Row>
      </Stack>
    </Dialog>
  );
}
