/** API keys: what programs and the command line sign in with. A secret is shown once. */
import { useState, type ReactNode } from "react";
import type { AnswerOf, ItemOf } from "#client/types.ts";

import { useAction, useApi, usePages } from "#console/api/queries.ts";
import { ConfirmDialog } from "#console/components/confirm-dialog.tsx";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { useMay, useSession } from "#console/api/session.ts";
import { Button, IconButton } from "#console/ui/button.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { Row } from "#console/ui/layout.tsx";
import { Code, Muted } from "#console/ui/text.tsx";

import { CreateKeyDialog, SecretDialog } from "./api-key-dialogs.tsx";

type ApiKey = ItemOf<"listApiKeys">;

export function ApiKeysPage(): ReactNode {
  const { t } = useText();
  const may = useMay();
  const session = useSession();
  const pages = usePages("listApiKeys", { query: { limit: 100 } });
  const users = useApi("listUsers", { query: { limit: 200 } }, { enabled: may("member.read") });
  const [isAdding, setAdding] = useState(false);
  const [made, setMade] = useState<AnswerOf<"createApiKey">>();
  const [going, setGoing] = useState<ApiKey>();
  const revoke = useAction("revokeApiKey", { onDone: () => setGoing(undefined) });
  const why = may("key.manage") ? undefined : t("account.noRight");
  const nameOf = (userId: string): string =>
    users.data?.items.find(({ id }) => id === userId)?.name ?? userId.slice(0, 8);
  const add = (
    <Button kind="primary" icon="plus" onClick={() => setAdding(true)} disabledReason={why}>
      {t("account.api.add")}
    </Button>
  );
  const columns: readonly Column<ApiKey>[] = [
    {
      key: "name",
      head: t("common.name"),
      cell: (key) => (
        <Row gap="xs">
          <bdi>{key.name}</bdi>
          {key.id === session.key?.id ? (
            <Badge tone="accent">{t("account.api.current")}</Badge>
          ) : null}
        </Row>
      ),
    },
    { key: "prefix", head: t("account.api.prefix"), cell: (key) => <Code>{key.prefix}…</Code> },
    {
      key: "scope",
      head: t("account.api.scope"),
      cell: (key) => t(`account.scope.${scopeName(key.scope)}`),
    },
    { key: "user", head: t("account.api.user"), cell: (key) => <bdi>{nameOf(key.userId)}</bdi> },
    {
      key: "expires",
      head: t("account.api.expires"),
      cell: (key) => <Expiry at={key.expiresAt} />,
    },
    {
      key: "used",
      head: t("account.api.used"),
      cell: (key) =>
        key.lastUsedAt === null ? (
          <Muted>{t("account.api.never")}</Muted>
        ) : (
          <When at={key.lastUsedAt} />
        ),
    },
    { key: "created", head: t("common.created"), cell: (key) => <When at={key.createdAt} /> },
    {
      key: "actions",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (key) => (
        <IconButton
          icon="trash"
          label={t("account.api.revokeOf", { name: key.name })}
          disabledReason={why}
          onClick={() => {
            revoke.reset();
            setGoing(key);
          }}
        />
      ),
    },
  ];
  return (
    <>
      <PageHead title={t("account.api.title")} lead={t("account.api.lead")} actions={add} />
      <DataTable
        label={t("account.api.title")}
        pages={pages}
        columns={columns}
        keyOf={(key) => key.id}
        empty={
          <EmptyState
            icon="code"
            title={t("account.api.emptyTitle")}
            text={t("account.api.emptyText")}
            action={add}
            command="millrace key create ci --read-only --expires-days 90"
          />
        }
      />
      {isAdding ? (
        <CreateKeyDialog
          onClose={() => setAdding(false)}
          onMade={(key) => {
            setAdding(false);
            setMade(key);
          }}
        />
      ) : null}
      {made === undefined ? null : <SecretDialog made={made} onClose={() => setMade(undefined)} />}
      <ConfirmDialog
        call={going && { operation: "revokeApiKey", request: { params: { keyId: going.id } } }}
        isOpen={going !== undefined}
        onClose={() => setGoing(undefined)}
        title={t("account.api.revokeTitle", { name: going?.name ?? "" })}
        confirmLabel={t("account.api.revoke")}
        isDangerous
        isBusy={revoke.isPending}
        error={revoke.error}
        onConfirm={() => {
          if (going !== undefined) revoke.mutate({ params: { keyId: going.id } });
        }}
      >
        {going?.id === session.key?.id ? t("account.api.revokeOwn") : t("account.api.revokeText")}
      </ConfirmDialog>
    </>
  );
}

function Expiry({ at }: { readonly at: string | null }): ReactNode {
  const { t } = useText();
  if (at === null) return <Muted>{t("account.api.noExpiry")}</Muted>;
  return Date.parse(at) <= Date.now() ? (
    <Badge tone="bad" icon="alert">
      {t("account.api.expired")}
    </Badge>
  ) : (
    <When at={at} />
  );
}

/** A text key has no dot in its last part. */
function scopeName(scope: ApiKey["scope"]): "all" | "read" | "usage" {
  return scope === "usage.write" ? "usage" : scope;
}
