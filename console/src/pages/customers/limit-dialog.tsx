/** Limits of a customer over all his projects. */
import type { ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { LimitFields, useLimitForm } from "#console/components/limit-fields.tsx";
import { useText } from "#console/i18n/index.ts";

export function LimitDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { t } = useText();
  const flavors = useApi("listFlavors");
  const form = useLimitForm(null);
  const save = useAction("setLimit", { onDone: onClose });
  const request = { body: form.body };
  const models = new Set(
    (flavors.data?.items ?? []).flatMap(({ gpu }) => (gpu === null ? [] : gpu.model)),
  );
  return (
    <FormDialog
      title={t("customers.limits.change")}
      onClose={onClose}
      submitLabel={t("common.save")}
      isBusy={save.isPending}
      error={save.error}
      disabledReason={form.isChanged ? undefined : t("account.nothingChanged")}
      call={{ operation: "setLimit", request }}
      onSubmit={() => save.mutate(request)}
    >
      <LimitFields form={form} models={[...models].toSorted()} error={save.error} />
    </FormDialog>
  );
}
