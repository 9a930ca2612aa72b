/** Fields for how many members there may be and by which targets they grow and shrink. */
import type { ReactNode } from "react";

import { fieldError } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { NumberField } from "#console/ui/fields.tsx";
import { Grid, Stack } from "#console/ui/layout.tsx";
import { Muted, Text } from "#console/ui/text.tsx";

import { membersMax, scalingFault, signals, type Scaling } from "./scaling.ts";

export function ScalingFields({
  value,
  onChange,
  error,
}: {
  readonly value: Scaling;
  readonly onChange: (value: Scaling) => void;
  readonly error: unknown;
}): ReactNode {
  const { t } = useText();
  const fault = scalingFault(value);
  return (
    <Stack gap="sm">
      <Grid columns={3}>
        {(["min", "wanted", "max"] as const).map((key) => (
          <NumberField
            key={key}
            label={t(`groups.${key}`)}
            value={value[key]}
            min={key === "max" ? 1 : 0}
            max={membersMax}
            onChange={(next) => onChange({ ...value, [key]: next })}
            error={fieldError(error, key)}
          />
        ))}
      </Grid>
      <Grid columns={4}>
        {signals.map((signal) => (
          <NumberField
            key={signal}
            label={t(`groups.target.${signal}`)}
            value={value.targets[signal]}
            min={1}
            max={signal === "sessions" ? 1000 : 100}
            {...(signal === "sessions" ? {} : { suffix: " %" })}
            onChange={(next) => {
              const { [signal]: _before, ...rest } = value.targets;
              onChange({
                ...value,
                targets: next === undefined ? rest : { ...rest, [signal]: next },
              });
            }}
          />
        ))}
      </Grid>
      <Muted>{t("groups.targetsHelp")}</Muted>
      {fault === undefined ? null : <Text tone="bad">{t(`groups.fault.${fault}`)}</Text>}
    </Stack>
  );
}
