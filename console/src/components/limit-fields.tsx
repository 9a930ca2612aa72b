/**
 * What somebody may hold and use, a model of GPU at a time; what is left empty is no limit. Who is limited,
 * and by which operation, is for the dialog around it.
 */
import { useState, type ReactNode } from "react";

import type { RequestOf } from "#client/types.ts";
import { useApi } from "#console/api/queries.ts";
import { useText } from "#console/i18n/index.ts";
import { NumberField, Select, TextField } from "#console/ui/fields.tsx";
import { Text } from "#console/ui/text.tsx";

import { fieldError } from "./problem-box.tsx";

const all = "all";

interface Typed {
  readonly held?: number | undefined;
  readonly hours?: number | undefined;
  readonly money?: string;
}

interface LimitForm {
  readonly model: string;
  readonly setModel: (model: string) => void;
  readonly value: Typed;
  readonly type: (typed: Typed) => void;
  readonly isChanged: boolean;
  readonly body: NonNullable<RequestOf<"setLimit">["body"]>;
}

/** `null`: of the customer as a whole. */
export function useLimitForm(projectId: string | null): LimitForm {
  const limits = useApi("listLimits");
  const [model, setModel] = useState(all);
  const [typed, setTyped] = useState<Typed>();
  const now = limits.data?.limits.find(
    (limit) => limit.projectId === projectId && (limit.gpuModel ?? all) === model,
  );
  const value = typed ?? {
    held: now?.gpusMax ?? undefined,
    hours: now?.gpuHoursPerMonth ?? undefined,
    money: now?.moneyPerMonth ?? "",
  };
  const money = model === all ? (value.money ?? "").trim() : "";
  return {
    model,
    setModel: (next) => {
      setModel(next);
      setTyped(undefined);
    },
    value,
    type: setTyped,
    isChanged: typed !== undefined,
    body: {
      ...(model === all ? {} : { gpuModel: model }),
      ...(value.held === undefined ? {} : { gpusMax: value.held }),
      ...(value.hours === undefined ? {} : { gpuHoursPerMonth: value.hours }),
      ...(money === "" ? {} : { moneyPerMonth: money }),
    },
  };
}

export function LimitFields({
  form: { model, setModel, value, type },
  models,
  error,
}: {
  readonly form: LimitForm;
  readonly models: readonly string[];
  readonly error: unknown;
}): ReactNode {
  const { t } = useText();
  return (
    <>
      <Text isMuted>{t("account.limits.setText")}</Text>
      <Select
        label={t("account.limits.of")}
        value={model}
        onChange={(next) => setModel(next ?? all)}
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
        onChange={(held) => type({ ...value, held })}
        error={fieldError(error, "gpusMax")}
      />
      <NumberField
        label={t("account.limits.hoursLabel")}
        value={value.hours}
        min={0}
        onChange={(hours) => type({ ...value, hours })}
        error={fieldError(error, "gpuHoursPerMonth")}
      />
      {model === all ? (
        <TextField
          label={t("account.limits.moneyLabel")}
          value={value.money ?? ""}
          maxLength={14}
          onChange={(money) => type({ ...value, money })}
          error={fieldError(error, "moneyPerMonth")}
        />
      ) : null}
    </>
  );
}
