/** Asks for the optimization of a model: costs nothing until an offer is accepted. */
import { useState, type FormEvent, type ReactNode } from "react";

import { useAction } from "#console/api/queries.ts";
import { fieldError, ProblemBox } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { TextArea } from "#console/ui/fields.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { Dialog } from "#console/ui/dialog.tsx";

const charactersMax = 1000;

export function AskOptimization({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { t } = useText();
  const [description, setDescription] = useState("");
  const ask = useAction("orderService", { onDone: onClose });
  const reason = description.trim() === "" ? t("orders.service.describe") : undefined;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (reason === undefined) ask.mutate({ body: { kind: "model_optimization", description } });
  };
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={t("orders.service.optimization")}
      closeLabel={t("common.close")}
    >
      <form onSubmit={submit}>
        <Stack>
          <TextArea
            label={t("orders.service.what")}
            description={t("orders.service.whatHelp")}
            value={description}
            maxLength={charactersMax}
            error={fieldError(ask.error, "description")}
            onChange={setDescription}
          />
          {ask.error === null ? null : <ProblemBox error={ask.error} />}
          <Row justify="flex-end">
            <Button onClick={onClose}>{t("common.cancel")}</Button>
            <Button type="submit" kind="primary" isBusy={ask.isPending} disabledReason={reason}>
              {t("orders.service.ask")}
            </Button>
          </Row>
        </Stack>
      </form>
    </Dialog>
  );
}
