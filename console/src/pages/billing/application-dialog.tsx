/** An application for compute: who one is, what one needs, what one can spend. */
import { useState, type FormEvent, type ReactNode } from "react";

import { useAction } from "#console/api/queries.ts";
import { fieldError, ProblemBox } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Select, TextArea, TextField } from "#console/ui/fields.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { Dialog } from "#console/ui/dialog.tsx";

const scales = ["individual", "1-10", "11-50", "51-500", "500+"] as const;
const scaleKeys = {
  individual: "individual",
  "1-10": "small",
  "11-50": "medium",
  "51-500": "large",
  "500+": "huge",
} as const;

export function ApplicationDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { t } = useText();
  const [company, setCompany] = useState("");
  const [scale, setScale] = useState<(typeof scales)[number]>("individual");
  const [monthlyBudget, setBudget] = useState("");
  const [demand, setDemand] = useState("");
  const [contact, setContact] = useState("");
  const submit = useAction("submitApplication", { onDone: onClose });
  const isWhole = [company, monthlyBudget, demand, contact].every((text) => text.trim() !== "");
  const reason = isWhole ? undefined : t("orders.application.incomplete");
  const error = (path: string): string | undefined => fieldError(submit.error, path);
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={t("orders.application.submit")}
      closeLabel={t("common.close")}
      size="lg"
    >
      <form
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          if (isWhole) submit.mutate({ body: { company, scale, monthlyBudget, demand, contact } });
        }}
      >
        <Stack>
          <TextField
            label={t("orders.application.company")}
            value={company}
            maxLength={200}
            required
            error={error("company")}
            onChange={setCompany}
          />
          <Select
            label={t("orders.application.scale")}
            choices={scales.map((value) => ({
              value,
              label: t(`orders.application.scaleOf.${scaleKeys[value]}`),
            }))}
            value={scale}
            onChange={(next) => next !== undefined && setScale(next)}
          />
          <TextField
            label={t("orders.application.budget")}
            description={t("orders.application.budgetHelp")}
            value={monthlyBudget}
            maxLength={12}
            required
            error={error("monthlyBudget")}
            onChange={(text) => setBudget(text.trim())}
          />
          <TextArea
            label={t("orders.application.demand")}
            value={demand}
            maxLength={4000}
            required
            error={error("demand")}
            onChange={setDemand}
          />
          <TextField
            label={t("orders.application.contact")}
            value={contact}
            maxLength={200}
            required
            error={error("contact")}
            onChange={setContact}
          />
          {submit.error === null ? null : <ProblemBox error={submit.error} />}
          <Row justify="flex-end">
            <Button onClick={onClose}>{t("common.cancel")}</Button>
            <Button type="submit" kind="primary" isBusy={submit.isPending} disabledReason={reason}>
              {t("orders.application.submit")}
            </Button>
          </Row>
        </Stack>
      </form>
    </Dialog>
  );
}
