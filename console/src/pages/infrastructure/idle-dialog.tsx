/** Rules for one flavor, or for all that have none of their own. */
import { useState, type ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { NumberField, Select, Switch } from "#console/ui/fields.tsx";
import { Grid } from "#console/ui/layout.tsx";

import type { IdlePolicy } from "./idle-rules-tab.tsx";

export function IdleDialog({
  policy,
  onClose,
}: {
  readonly policy: IdlePolicy | undefined;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const flavors = useApi("listFlavors", { query: { limit: 200 } });
  const [scope, setScope] = useState<string>(policy?.scope ?? "default");
  const [windowHours, setWindow] = useState<number | undefined>(policy?.rules.windowHours ?? 72);
  const [warningHours, setWarning] = useState<number | undefined>(policy?.rules.warningHours ?? 48);
  const [keepDays, setKeep] = useState<number | undefined>(policy?.rules.keepDays ?? 14);
  const [mayExempt, setExempt] = useState(policy?.rules.exemptions === "allowed");
  const set = useAction("setIdlePolicy", { onDone: onClose });
  const { cpuPercent, gpuPercent, networkBytesPerSecond } = policy?.rules ?? {};
  const request = {
    params: { scope },
    body: {
      windowHours: windowHours ?? 0,
      ...(warningHours === undefined ? {} : { warningHours }),
      ...(keepDays === undefined ? {} : { keepDays }),
      // What the form does not show stays as it is.
      ...(cpuPercent === undefined ? {} : { cpuPercent }),
      ...(gpuPercent === undefined ? {} : { gpuPercent }),
      ...(networkBytesPerSecond === undefined ? {} : { networkBytesPerSecond }),
      exemptions: mayExempt ? ("allowed" as const) : ("refused" as const),
    },
  };
  const offered = (flavors.data?.items ?? []).filter(({ state }) => state === "offered");
  return (
    <FormDialog
      title={policy === undefined ? t("infrastructure.idle.add") : t("infrastructure.idle.edit")}
      onClose={onClose}
      submitLabel={t("common.save")}
      isBusy={set.isPending}
      error={set.error}
      disabledReason={windowHours === undefined ? t("infrastructure.idle.windowNeeded") : undefined}
      call={{ operation: "setIdlePolicy", request }}
      onSubmit={() => set.mutate(request)}
    >
      <Select
        label={t("infrastructure.idle.scope")}
        value={scope}
        onChange={(next) => setScope(next ?? "default")}
        disabled={policy !== undefined}
        choices={[
          { value: "default", label: t("infrastructure.idle.default") },
          ...[...new Set([...offered.map(({ name }) => name), scope])]
            .filter((name) => name !== "default")
            .map((name) => ({ value: name, label: name })),
        ]}
      />
      <Grid columns={3}>
        <NumberField
          label={t("infrastructure.idle.windowLabel")}
          value={windowHours}
          onChange={setWindow}
          min={1}
          max={8760}
          error={fieldError(set.error, "windowHours")}
        />
        <NumberField
          label={t("infrastructure.idle.warningLabel")}
          value={warningHours}
          onChange={setWarning}
          min={1}
          max={720}
          error={fieldError(set.error, "warningHours")}
        />
        <NumberField
          label={t("infrastructure.idle.keepLabel")}
          value={keepDays}
          onChange={setKeep}
          min={1}
          max={365}
          error={fieldError(set.error, "keepDays")}
        />
      </Grid>
      <Switch
        label={t("infrastructure.idle.exemptLabel")}
        description={t("infrastructure.idle.exemptHelp")}
        isOn={mayExempt}
        onChange={setExempt}
      />
    </FormDialog>
  );
}
