/** One's SSH public keys, which machines rented from now on accept. */
import { useState, type ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { useAction, usePages } from "#console/api/queries.ts";
import { ConfirmDialog } from "#console/components/confirm-dialog.tsx";
import { CopyButton, CopyLine } from "#console/components/copy.tsx";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { useMay } from "#console/api/session.ts";
import { Button, IconButton } from "#console/ui/button.tsx";
import { TextArea, TextField } from "#console/ui/fields.tsx";
import { Row } from "#console/ui/layout.tsx";
import { Code } from "#console/ui/text.tsx";

import { keyComment } from "./ssh-key.ts";

type SshKey = ItemOf<"listSshKeys">;

export function SshKeysPage(): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("key.manage");
  const pages = usePages("listSshKeys", { query: { limit: 100 } });
  const [isAdding, setAdding] = useState(false);
  const [going, setGoing] = useState<SshKey>();
  const remove = useAction("deleteSshKey", { onDone: () => setGoing(undefined) });
  const why = mayManage ? undefined : t("account.noRight");
  const add = (
    <Button kind="primary" icon="plus" onClick={() => setAdding(true)} disabledReason={why}>
      {t("account.ssh.add")}
    </Button>
  );
  const columns: readonly Column<SshKey>[] = [
    { key: "name", head: t("common.name"), cell: (key) => <bdi>{key.name}</bdi> },
    {
      key: "kind",
      head: t("account.ssh.kind"),
      cell: (key) => <Code>{key.publicKey.split(" ")[0]}</Code>,
    },
    {
      key: "fingerprint",
      head: t("account.ssh.fingerprint"),
      cell: (key) => <CopyLine text={key.fingerprint} />,
    },
    { key: "created", head: t("common.created"), cell: (key) => <When at={key.createdAt} /> },
    {
      key: "actions",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (key) => (
        <Row gap="xs" wrap="nowrap" justify="flex-end">
          <CopyButton text={key.publicKey} label={t("account.ssh.copy", { name: key.name })} />
          <IconButton
            icon="trash"
            label={t("account.ssh.removeOf", { name: key.name })}
            disabledReason={why}
            onClick={() => {
              remove.reset();
              setGoing(key);
            }}
          />
        </Row>
      ),
    },
  ];
  return (
    <>
      <PageHead title={t("account.ssh.title")} lead={t("account.ssh.lead")} actions={add} />
      <DataTable
        label={t("account.ssh.title")}
        pages={pages}
        columns={columns}
        keyOf={(key) => key.id}
        empty={
          <EmptyState
            icon="key"
            title={t("account.ssh.emptyTitle")}
            text={t("account.ssh.emptyText")}
            action={add}
            command="millrace ssh-key add my-laptop --file ~/.ssh/id_ed25519.pub"
          />
        }
      />
      {isAdding ? <AddDialog onClose={() => setAdding(false)} /> : null}
      <ConfirmDialog
        call={going && { operation: "deleteSshKey", request: { params: { sshKeyId: going.id } } }}
        isOpen={going !== undefined}
        onClose={() => setGoing(undefined)}
        title={t("account.ssh.removeTitle", { name: going?.name ?? "" })}
        confirmLabel={t("common.delete")}
        isDangerous
        isBusy={remove.isPending}
        error={remove.error}
        onConfirm={() => {
          if (going !== undefined) remove.mutate({ params: { sshKeyId: going.id } });
        }}
      >
        {t("account.ssh.removeText")}
      </ConfirmDialog>
    </>
  );
}

function AddDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { t } = useText();
  const [name, setName] = useState<string>();
  const [publicKey, setPublicKey] = useState("");
  const create = useAction("createSshKey", { onDone: onClose });
  // What stands behind the key is a good name for it, until one types another.
  const shownName = name ?? keyComment(publicKey);
  const request = { body: { name: shownName.trim(), publicKey: publicKey.trim() } };
  const why =
    publicKey.trim() === ""
      ? t("account.ssh.keyNeeded")
      : publicKey.includes("PRIVATE KEY")
        ? t("account.ssh.isPrivate")
        : shownName.trim() === ""
          ? t("account.nameNeeded")
          : undefined;
  return (
    <FormDialog
      title={t("account.ssh.add")}
      onClose={onClose}
      submitLabel={t("account.ssh.add")}
      isBusy={create.isPending}
      error={create.error}
      disabledReason={why}
      call={{ operation: "createSshKey", request }}
      onSubmit={() => create.mutate(request)}
      size="lg"
    >
      <TextArea
        label={t("account.ssh.publicKey")}
        description={t("account.ssh.publicKeyHelp")}
        placeholder="ssh-ed25519 AAAA… me@laptop"
        value={publicKey}
        onChange={setPublicKey}
        maxLength={8192}
        rows={4}
        isCode
        error={
          publicKey.includes("PRIVATE KEY")
            ? t("account.ssh.isPrivate")
            : fieldError(create.error, "publicKey")
        }
      />
      <TextField
        label={t("common.name")}
        value={shownName}
        onChange={setName}
        maxLength={100}
        error={fieldError(create.error, "name")}
      />
    </FormDialog>
  );
}
