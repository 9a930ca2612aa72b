/** What a project may hold and use, within what the customer may; work beyond it waits. */
import { useState, type ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { NumberField, Select, TextField } from "#console/ui/fields.tsx";
import { Text } from "#console/ui/text.tsx";

const all = "all";

export function LimitDialog({
  project,
  onClose,
}: {
  readonly project: { readonly id: string; readonly name: string };
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const quota = useApi("getQuota");
  const limits = useApi("listLimits");
  const [model, setModel] = useState(all);
  const [typed, setTyped] = useState<{
    readonly held?: number | undefined;
    readonly hours?: number | undefined;
    readonly money?: string;
  }>();
  const save = useAction("setProjectLimit", { onDone: onClose });
  const now = limits.data?.limits.find(
    (limit) => limit.projectId === project.id && (limit.gpuModel ?? all) === model,
  );
  const value = typed ?? {
    held: now?.gpusMax ?? undefined,
    hours: now?.gpuHoursPerMonth ?? undefined,
    money: now?.moneyPerMonth ?? "",
  };
  const money = model === all ? (value.money ?? "").trim() : "";
  const request = {
    params: { projectId: project.id },
    body: {
      ...(model === all ? {} : { gpuModel: model }),
      ...(value.held === undefined ? {} : { gpusMax: value.held }),
      ...(value.hours === undefined ? {} : { gpuHoursPerMonth: value.hours }),
      ...(money === "" ? {} : { moneyPerMonth: money }),
    },
  };
  const models = Object.keys(quota.data?.limits.gpus ?? {});
  return (
    <FormDialog
      title={t("account.limits.setTitle", { name: project.name })}
      onClose={onClose}
      submitLabel={t("common.save")}
      isBusy={save.isPending}
      error={save.error}
      disabledReason={typed === undefined ? t("account.nothingChanged") : undefined}
      call={{ operation: "setProjectLimit", request }}
      onSubmit={() => save.mutate(request)}
    >
      <Text isMuted>{t("account.limits.setText")}</Text>
      <Select
        label={t("account.limits.of")}
        value={model}
        onChange={(next) => {
          setModel(next ?? all);
          setTyped(undefined);
        }}
        choices={[
          { value: all, label: t("account.limits.allGpus") },
          { value: "cpu", label: t("account.limits.cpu") },
          ...models.map((each) => ({ value: each, label: `GPU ${each}` })),
        ]}
      />
      <NumberField
        label={t("account.limits.heldLabel")}
        value={value.held}
        min={0}
        onChange={(held) => setTyped({ ...value, held })}
        error={fieldError(save.error, "gpusMax")}
      />
      <NumberField
        label={t("account.limits.hoursLabel")}
        value={value.hours}
        min={0}
        onChange={(hours) => setTyped({ ...value, hours })}
        error={fieldError(save.error, "gpuHoursPerMonth")}
      />
      {model === all ? (
        <TextField
          label={t("account.limits.moneyLabel")}
          value={value.money ?? ""}
          maxLength={14}
          onChange={(next) => setTyped({ ...value, money: next })}
          error={fieldError(save.error, "moneyPerMonth")}
        />
      ) : null}
    </FormDialog>
  );
}
