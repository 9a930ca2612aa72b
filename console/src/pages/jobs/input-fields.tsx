/** Files that are laid into the work directory: uploaded now, or stored before. */
import type { ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { sizeText } from "#console/components/size-text.ts";
import { useText } from "#console/i18n/index.ts";
import { StorageRoom } from "#console/pages/files/room.tsx";
import { Uploader } from "#console/pages/files/uploader.tsx";
import { MultiSelect } from "#console/ui/fields.tsx";
import { Card, Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

import type { FormPart } from "./form-part.ts";

const filesMax = 200;

export function InputFields({ form, set, errorAt }: FormPart): ReactNode {
  const { t } = useText();
  const files = useApi("listFiles", { query: { limit: filesMax } });
  const stored = (files.data?.items ?? []).filter(({ kind }) => kind === "input");
  const known = new Set(stored.map(({ id }) => id));
  const gone = files.data === undefined ? [] : form.inputs.filter((id) => !known.has(id));
  return (
    <Card title={t("jobs.inputs")}>
      <Stack gap="sm">
        <Muted>{t("jobs.inputsHelp")}</Muted>
        <StorageRoom />
        <Uploader onStored={(file) => set({ inputs: [...new Set([...form.inputs, file.id])] })} />
        <MultiSelect
          label={t("jobs.stored")}
          placeholder={stored.length === 0 ? t("jobs.storedNone") : t("jobs.storedChoose")}
          choices={[
            ...stored.map(({ id, name, sizeBytes }) => ({
              value: id,
              label: `${name} (${sizeText(sizeBytes)})`,
            })),
            // Beyond the page that is shown, or deleted since: the server says which.
            ...gone.map((id) => ({ value: id, label: id.slice(0, 8) })),
          ]}
          value={form.inputs}
          error={errorAt("inputs")}
          onChange={(inputs) => set({ inputs })}
        />
      </Stack>
    </Card>
  );
}
