/** The quota of a customer: each limit a field, with a field for each model of GPU in the catalog. */
import { useState, type ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { NumberField } from "#console/ui/fields.tsx";
import { Grid } from "#console/ui/layout.tsx";
import { Text } from "#console/ui/text.tsx";

import { quotaChange, quotaFields, type Quantities, type QuotaForm } from "./quota-rows.ts";

export function QuotaDialog({
  limits,
  onClose,
}: {
  readonly limits: Quantities;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const flavors = useApi("listFlavors");
  const offered = (flavors.data?.items ?? []).flatMap(({ gpu }) => (gpu === null ? [] : gpu.model));
  const models = [...new Set([...Object.keys(limits.gpus), ...offered])].toSorted();
  const [fields, setFields] = useState<QuotaForm["fields"]>(
    Object.fromEntries(quotaFields.map((field) => [field, limits[field]])),
  );
  const [gpus, setGpus] = useState<QuotaForm["gpus"]>({});
  const save = useAction("updateQuota", { onDone: onClose });
  const form = {
    fields,
    gpus: Object.fromEntries(models.map((model) => [model, gpuOf(model)])),
  };
  const body = quotaChange(limits, form);
  function gpuOf(model: string): number | undefined {
    return model in gpus ? gpus[model] : (limits.gpus[model] ?? 0);
  }
  return (
    <FormDialog
      title={t("customers.quota.change")}
      onClose={onClose}
      submitLabel={t("common.save")}
      isBusy={save.isPending}
      error={save.error}
      disabledReason={body === undefined ? t("account.nothingChanged") : undefined}
      call={{ operation: "updateQuota", request: { body: body ?? {} } }}
      onSubmit={() => {
        if (body !== undefined) save.mutate({ body });
      }}
    >
      <Text isMuted>{t("customers.quota.changeText")}</Text>
      <Grid columns={2} gap="sm">
        {quotaFields.map((field) => (
          <NumberField
            key={field}
            label={t(`customers.quota.of.${field}`)}
            value={fields[field]}
            min={0}
            onChange={(value) => {
              const { [field]: _before, ...others } = fields;
              setFields(value === undefined ? others : { ...others, [field]: value });
            }}
            error={fieldError(save.error, field)}
          />
        ))}
        {models.map((model) => (
          <NumberField
            key={model}
            label={`GPU ${model}`}
            value={gpuOf(model)}
            min={0}
            onChange={(value) => setGpus({ ...gpus, [model]: value })}
            error={fieldError(save.error, `gpus.${model}`)}
          />
        ))}
      </Grid>
    </FormDialog>
  );
}
