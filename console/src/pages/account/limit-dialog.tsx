/** What a project may hold and use, within what the customer may; work beyond it waits. */
import type { ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { LimitFields, useLimitForm } from "#console/components/limit-fields.tsx";
import { useText } from "#console/i18n/index.ts";

export function LimitDialog({
  project,
  onClose,
}: {
  readonly project: { readonly id: string; readonly name: string };
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const quota = useApi("getQuota");
  const form = useLimitForm(project.id);
  const save = useAction("setProjectLimit", { onDone: onClose });
  const request = { params: { projectId: project.id }, body: form.body };
  return (
    <FormDialog
      title={t("account.limits.setTitle", { name: project.name })}
      onClose={onClose}
      submitLabel={t("common.save")}
      isBusy={save.isPending}
      error={save.error}
      disabledReason={form.isChanged ? undefined : t("account.nothingChanged")}
      call={{ operation: "setProjectLimit", request }}
      onSubmit={() => save.mutate(request)}
    >
      <LimitFields
        form={form}
        models={Object.keys(quota.data?.limits.gpus ?? {})}
        error={save.error}
      />
    </FormDialog>
  );
}
