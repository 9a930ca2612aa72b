/** The job's environment, a row a variable. */
import type { ReactNode } from "react";

import { useText } from "#console/i18n/index.ts";
import { Button, IconButton } from "#console/ui/button.tsx";
import { TextField } from "#console/ui/fields.tsx";
import { Card, Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

import type { FormPart } from "./form-part.ts";

const variablesMax = 256;

export function EnvironmentFields({ form, set, errorAt }: FormPart): ReactNode {
  const { t } = useText();
  const { environment } = form;
  const change = (at: number, part: { readonly name?: string; readonly value?: string }): void =>
    set({
      environment: environment.map((each, index) => (index === at ? { ...each, ...part } : each)),
    });
  return (
    <Card title={t("jobs.environment")}>
      <Stack gap="sm">
        {environment.length === 0 ? <Muted>{t("jobs.environmentNone")}</Muted> : null}
        {environment.map((variable, at) => (
          // oxlint-disable-next-line react/no-array-index-key -- rows have no identity of their own
          <div key={at} className="variable">
            <TextField
              label={t("jobs.variable", { number: at + 1 })}
              value={variable.name}
              maxLength={128}
              isCode
              autoComplete="off"
              error={errorAt(`environment.${at}`) ?? errorAt(`environment.${variable.name}`)}
              onChange={(name) => change(at, { name })}
            />
            <TextField
              label={t("jobs.value", { number: at + 1 })}
              value={variable.value}
              maxLength={32_768}
              isCode
              autoComplete="off"
              onChange={(value) => change(at, { value })}
            />
            <div style={{ paddingTop: "1.5rem" }}>
              <IconButton
                icon="trash"
                label={t("jobs.removeVariable", { number: at + 1 })}
                onClick={() =>
                  set({ environment: environment.filter((_unused, index) => index !== at) })
                }
              />
            </div>
          </div>
        ))}
        <div>
          <Button
            size="xs"
            icon="plus"
            disabledReason={
              environment.length >= variablesMax
                ? t("jobs.variablesMax", { count: variablesMax })
                : undefined
            }
            onClick={() => set({ environment: [...environment, { name: "", value: "" }] })}
          >
            {t("jobs.addVariable")}
          </Button>
        </div>
      </Stack>
    </Card>
  );
}
