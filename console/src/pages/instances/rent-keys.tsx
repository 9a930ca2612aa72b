/** Whose SSH keys it accepts: all of one's own unless chosen, and one may be added here. */
import { useState, type ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { fieldError, ProblemBox } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Checkbox, TextArea, TextField } from "#console/ui/fields.tsx";
import { Notice } from "#console/ui/feedback.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { Dialog } from "#console/ui/dialog.tsx";
import { Muted, Text } from "#console/ui/text.tsx";

import type { RentForm } from "./rent-form.ts";

export function RentKeys({
  form,
  change,
  error,
}: {
  readonly form: Pick<RentForm, "sshKeys">;
  readonly change: (changes: Pick<RentForm, "sshKeys">) => void;
  readonly error: unknown;
}): ReactNode {
  const { t } = useText();
  const may = useMay();
  const [isAdding, setAdding] = useState(false);
  const keys = useApi("listSshKeys", { query: { limit: 200 } });
  const items = keys.data?.items ?? [];
  const chosen = new Set(form.sshKeys ?? items.map(({ id }) => id));
  const toggle = (id: string, isOn: boolean): void => {
    const next = items
      .map((key) => key.id)
      .filter((each) => (each === id ? isOn : chosen.has(each)));
    change({ sshKeys: next.length === items.length ? undefined : next });
  };
  const wrong = fieldError(error, "sshKeys");
  return (
    <fieldset className="plain-fieldset">
      <legend>{t("rent.keys")}</legend>
      <Stack gap="xs">
        {keys.error === null ? null : <ProblemBox error={keys.error} />}
        {keys.data !== undefined && items.length === 0 ? (
          <Notice tone="attention">{t("rent.noKeys")}</Notice>
        ) : null}
        {items.map((key) => (
          <Checkbox
            key={key.id}
            isOn={chosen.has(key.id)}
            onChange={(isOn) => toggle(key.id, isOn)}
            label={
              <>
                {key.name} <Muted size="xs">{key.fingerprint}</Muted>
              </>
            }
          />
        ))}
        {items.length > 0 && chosen.size === 0 ? (
          <Notice tone="attention">{t("rent.noKeyChosen")}</Notice>
        ) : null}
        {wrong === undefined ? null : <Text tone="bad">{wrong}</Text>}
        <Row>
          <Button
            size="xs"
            icon="plus"
            onClick={() => setAdding(true)}
            disabledReason={may("key.manage") ? undefined : t("instances.whyNot.permission")}
          >
            {t("rent.addKey")}
          </Button>
          <Muted size="xs">{t("rent.keysHelp")}</Muted>
        </Row>
      </Stack>
      {isAdding ? (
        <AddKey
          onClose={() => setAdding(false)}
          onAdded={(id) =>
            change({
              sshKeys: form.sshKeys === undefined ? undefined : [...form.sshKeys, id],
            })
          }
        />
      ) : null}
    </fieldset>
  );
}

function AddKey({
  onClose,
  onAdded,
}: {
  readonly onClose: () => void;
  readonly onAdded: (id: string) => void;
}): ReactNode {
  const { t } = useText();
  const [name, setName] = useState("");
  const [publicKey, setPublicKey] = useState("");
  const add = useAction("createSshKey", {
    onDone: ({ id }) => {
      onAdded(id);
      onClose();
    },
  });
  const missing = name === "" || publicKey === "" ? t("rent.keyMissing") : undefined;
  return (
    <Dialog isOpen onClose={onClose} title={t("rent.addKey")} closeLabel={t("common.close")}>
      {/* Not a form: forms do not lie in forms, and React's events pass through the portal. */}
      <Stack>
        <TextField
          label={t("common.name")}
          value={name}
          onChange={setName}
          maxLength={100}
          error={fieldError(add.error, "name")}
          placeholder="laptop"
          autoFocus
        />
        <TextArea
          label={t("rent.publicKey")}
          description={t("rent.publicKeyHelp")}
          value={publicKey}
          onChange={setPublicKey}
          error={fieldError(add.error, "publicKey")}
          placeholder="ssh-ed25519 AAAA…"
          isCode
          rows={4}
          maxLength={10_000}
        />
        {add.error === null ? null : <ProblemBox error={add.error} />}
        <Row justify="flex-end">
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button
            kind="primary"
            isBusy={add.isPending}
            disabledReason={missing}
            onClick={() => add.mutate({ body: { name, publicKey } })}
          >
            {t("rent.addKey")}
          </Button>
        </Row>
      </Stack>
    </Dialog>
  );
}
