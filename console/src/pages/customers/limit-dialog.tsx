/** Limits of a customer over all his projects, a model of GPU at a time; what is left empty is none. */
import { useState, type ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { NumberField, Select, TextField } from "#console/ui/fields.tsx";
import { Text } from "#console/ui/text.tsx";

const all = "all";

interface Typed {
  readonly held?: number | undefined;
  readonly hours?: number | undefined;
  readonly money?: string;
}

export function LimitDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { t } = useText();
  const flavors = useApi("listFlavors");
  const limits = useApi("listLimits");
  const [model, setModel] = useState(all);
  const [typed, setTyped] = useState<Typed>();
  const save = useAction("setLimit", { onDone: onClose });
  const now = limits.data?.limits.find(
    (limit) => limit.projectId === null && (limit.gpuModel ?? all) === model,
  );
  const value = typed ?? {
    held: now?.gpusMax ?? undefined,
    hours: now?.gpuHoursPerMonth ?? undefined,
    money: now?.moneyPerMonth ?? "",
  };
  const money = model === all ? (value.money ?? "").trim() : "";
  const request = {
    body: {
      ...(model === all ? {} : { gpuModel: model }),
      ...(value.held === undefined ? {} : { gpusMax: value.held }),
      ...(value.hours === undefined ? {} : { gpuHoursPerMonth: value.hours }),
      ...(money === "" ? {} : { moneyPerMonth: money }),
    },
  };
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
      disabledReason={typed === undefined ? t("account.nothingChanged") : undefined}
      call={{ operation: "setLimit", request }}
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
          ...[...models].toSorted().map((each) => ({ value: each, label: `GPU ${each}` })),
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
