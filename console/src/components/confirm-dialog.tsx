/**
 * Asks before something that costs or destroys. `typed` is a name to be typed first, for what cannot
 * be undone. The dialog stays while the work is under way, and shows why it failed.
 */
import { useEffect, useState, type FormEvent, type ReactNode } from "react";

import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { TextField } from "#console/ui/fields.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { Dialog } from "#console/ui/dialog.tsx";

import { ProblemBox } from "./problem-box.tsx";
import { ShowAsCli, type ShownCall } from "./show-as-cli.tsx";

export function ConfirmDialog({
  isOpen,
  onClose,
  onConfirm,
  title,
  children,
  confirmLabel,
  isDangerous = false,
  isBusy = false,
  error = null,
  typed,
  disabledReason,
  call,
}: {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly onConfirm: () => void;
  readonly title: string;
  readonly children?: ReactNode;
  readonly confirmLabel: string;
  readonly isDangerous?: boolean;
  readonly isBusy?: boolean;
  readonly error?: unknown;
  readonly typed?: string;
  readonly disabledReason?: string | undefined;
  /** What it will ask the server for. */
  readonly call?: ShownCall | undefined;
}): ReactNode {
  const { t } = useText();
  const [name, setName] = useState("");
  useEffect(() => setName(""), [isOpen]);
  const reason =
    disabledReason ??
    (typed !== undefined && name !== typed ? t("common.confirm.nameDiffers") : undefined);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (reason === undefined && !isBusy) onConfirm();
  };
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title={title} closeLabel={t("common.close")}>
      <form onSubmit={submit}>
        <Stack>
          {children}
          {typed === undefined ? null : (
            <TextField
              label={t("common.confirm.typeName", { name: typed })}
              value={name}
              onChange={setName}
              autoComplete="off"
              isCode
            />
          )}
          {error === null || error === undefined ? null : <ProblemBox error={error} />}
          <Row justify="space-between">
            {call === undefined ? <span /> : <ShowAsCli {...call} />}
            <Row>
              <Button onClick={onClose}>{t("common.cancel")}</Button>
              <Button
                type="submit"
                kind={isDangerous ? "danger" : "primary"}
                isBusy={isBusy}
                disabledReason={reason}
              >
                {confirmLabel}
              </Button>
            </Row>
          </Row>
        </Stack>
      </form>
    </Dialog>
  );
}
