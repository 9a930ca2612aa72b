/** Oneself: who one is, the password, and where one is signed in. */
import { useState, type FormEvent, type ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { useAction, useApi, usePages } from "#console/api/queries.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { fieldError, ProblemBox } from "#console/components/problem-box.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { useSession } from "#console/api/session.ts";
import { Button } from "#console/ui/button.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { PasswordField, TextField } from "#console/ui/fields.tsx";
import { Card, Facts, Grid, Row, Stack } from "#console/ui/layout.tsx";
import { Heading, Muted, Text } from "#console/ui/text.tsx";
import { toast } from "#console/ui/toast.tsx";

import { browserName } from "./browser-name.ts";

export function ProfilePage(): ReactNode {
  const { t } = useText();
  const { tenant, user, scope } = useSession();
  return (
    <>
      <PageHead title={t("account.profile.title")} lead={t("account.profile.lead")} />
      <Stack gap="lg">
        <Grid columns={2}>
          <Card title={t("account.profile.you")}>
            <Facts
              rows={[
                [t("common.name"), <bdi key="name">{user.name}</bdi>],
                [t("account.team.email"), user.email ?? "—"],
                [t("account.team.role"), t(`shell.role.${user.role}`)],
                [t("account.profile.tenant"), <bdi key="tenant">{tenant.displayName}</bdi>],
                [t("account.profile.zone"), tenant.timeZone],
                [
                  t("account.profile.rights"),
                  scope === "all" ? t("account.profile.allRights") : t("account.profile.readOnly"),
                ],
              ]}
            />
          </Card>
          <PasswordCard />
        </Grid>
        <Sessions />
      </Stack>
    </>
  );
}

const charactersMin = 12;

function PasswordCard(): ReactNode {
  const { t } = useText();
  const { user } = useSession();
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const [email, setEmail] = useState("");
  const save = useAction("setPassword", {
    onDone: () => {
      setCurrent("");
      setPassword("");
      toast({ tone: "good", title: t("account.profile.passwordSet") });
    },
  });
  const why =
    password.length < charactersMin
      ? t("shell.signIn.tooShort", { count: charactersMin })
      : user.hasPassword && current === ""
        ? t("account.profile.currentNeeded")
        : user.email === null && email.trim() === ""
          ? t("account.team.emailNeeded")
          : undefined;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (why !== undefined || save.isPending) return;
    save.mutate({
      body: {
        password,
        ...(user.hasPassword ? { currentPassword: current } : {}),
        ...(user.email === null ? { email: email.trim() } : {}),
      },
    });
  };
  return (
    <Card title={t("account.profile.password")}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <Muted>
            {user.hasPassword ? t("account.profile.hasPassword") : t("account.profile.noPassword")}
          </Muted>
          {user.email === null ? (
            <TextField
              label={t("account.team.email")}
              value={email}
              onChange={setEmail}
              maxLength={254}
              autoComplete="email"
              error={fieldError(save.error, "email")}
            />
          ) : null}
          {user.hasPassword ? (
            <PasswordField
              label={t("account.profile.current")}
              value={current}
              onChange={setCurrent}
              autoComplete="current-password"
              revealLabel={t("common.reveal")}
              error={fieldError(save.error, "currentPassword")}
            />
          ) : null}
          <PasswordField
            label={t("shell.signIn.newPassword")}
            description={t("shell.signIn.passwordRule", { count: charactersMin })}
            value={password}
            onChange={setPassword}
            autoComplete="new-password"
            revealLabel={t("common.reveal")}
            error={fieldError(save.error, "password")}
          />
          {save.error === null ? null : <ProblemBox error={save.error} />}
          <div>
            <Button type="submit" isBusy={save.isPending} disabledReason={why}>
              {t("account.profile.setPassword")}
            </Button>
          </div>
        </Stack>
      </form>
    </Card>
  );
}

type Session = ItemOf<"listSessions">;

function Sessions(): ReactNode {
  const { t } = useText();
  const { user } = useSession();
  const pages = usePages("listSessions", { query: { limit: 100 } });
  const users = useApi("listUsers", { query: { limit: 200 } });
  const nameOf = (id: string): string =>
    id === user.id
      ? user.name
      : (users.data?.items.find((each) => each.id === id)?.name ?? id.slice(0, 8));
  const columns: readonly Column<Session>[] = [
    {
      key: "where",
      head: t("account.sessions.where"),
      cell: (session) => (
        <Row gap="xs">
          <span title={session.userAgent}>
            {browserName(session.userAgent) ?? t("account.sessions.unknown")}
          </span>
          {session.current ? <Badge tone="accent">{t("account.sessions.current")}</Badge> : null}
        </Row>
      ),
    },
    { key: "user", head: t("account.api.user"), cell: (each) => <bdi>{nameOf(each.userId)}</bdi> },
    { key: "address", head: t("account.sessions.address"), cell: ({ address }) => address },
    {
      key: "how",
      head: t("account.sessions.how"),
      cell: ({ madeBy }) => t(`account.sessions.by.${madeBy}`),
    },
    {
      key: "seen",
      head: t("account.sessions.seen"),
      cell: ({ lastSeenAt }) => <When at={lastSeenAt} />,
    },
    {
      key: "ends",
      head: t("account.sessions.ends"),
      cell: ({ idleExpiresAt }) => <When at={idleExpiresAt} />,
    },
    {
      key: "actions",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (session) => <EndButton session={session} />,
    },
  ];
  return (
    <Stack gap="sm">
      <Heading level={2}>{t("account.sessions.title")}</Heading>
      <Text isMuted size="sm">
        {t("account.sessions.lead")}
      </Text>
      <DataTable
        label={t("account.sessions.title")}
        pages={pages}
        columns={columns}
        keyOf={(session) => session.id}
        empty={<EmptyState icon="shield" title={t("account.sessions.empty")} />}
      />
    </Stack>
  );
}

function EndButton({ session }: { readonly session: Session }): ReactNode {
  const { t } = useText();
  const end = useAction("revokeSession");
  return (
    <Button
      size="xs"
      isBusy={end.isPending}
      disabledReason={session.current ? t("account.sessions.useSignOut") : undefined}
      onClick={() => end.mutate({ params: { sessionId: session.id } })}
    >
      {t("account.sessions.end")}
    </Button>
  );
}
