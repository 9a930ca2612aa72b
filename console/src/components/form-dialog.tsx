/**
 * A dialog with a form: fields, what went wrong, the same as a command, and the button that sends it.
 * It stays while the work is under way, and what was typed stays when it is refused.
 */
import type { FormEvent, ReactNode } from "react";

import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { Dialog } from "#console/ui/dialog.tsx";

import { ProblemBox } from "./problem-box.tsx";
import { ShowAsCli, type ShownCall } from "./show-as-cli.tsx";

export function FormDialog({
  onClose,
  onSubmit,
  title,
  children,
  submitLabel,
  isBusy = false,
  error = null,
  disabledReason,
  call,
  size = "md",
}: {
  /** Drawn only while it is open, so that it begins empty each time. */
  readonly onClose: () => void;
  readonly onSubmit: () => void;
  readonly title: string;
  readonly children: ReactNode;
  readonly submitLabel: string;
  readonly isBusy?: boolean;
  readonly error?: unknown;
  /** Why it cannot be sent yet. */
  readonly disabledReason?: string | undefined;
  /** What it will ask the server for. */
  readonly call?: ShownCall | undefined;
  readonly size?: "md" | "lg";
}): ReactNode {
  const { t } = useText();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    event.stopPropagation();
    if (disabledReason === undefined && !isBusy) onSubmit();
  };
  return (
    <Dialog isOpen onClose={onClose} title={title} closeLabel={t("common.close")} size={size}>
      <form onSubmit={submit} noValidate>
        <Stack>
          {children}
          {error === null || error === undefined ? null : <ProblemBox error={error} />}
          <Row justify="space-between">
            {call === undefined ? <span /> : <ShowAsCli {...call} />}
            <Row>
              <Button onClick={onClose}>{t("common.cancel")}</Button>
              <Button type="submit" kind="primary" isBusy={isBusy} disabledReason={disabledReason}>
                {submitLabel}
              </Button>
            </Row>
          </Row>
        </Stack>
      </form>
    </Dialog>
  );
}
