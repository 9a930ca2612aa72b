/** What is to be run: a script or a command, in which image, with which framework. */
import type { ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { useText } from "#console/i18n/index.ts";
import { Segments, Select, TextArea, TextField } from "#console/ui/fields.tsx";
import { Card, Grid, Stack } from "#console/ui/layout.tsx";

import type { FormPart } from "./form-part.ts";
import { ScriptEditor } from "./script-editor.tsx";

const frameworks = ["none", "pytorch", "tensorflow"] as const;

export function WorkFields({ form, set, errorAt }: FormPart): ReactNode {
  const { t } = useText();
  const images = useApi("listImages");
  return (
    <Card title={t("jobs.work")}>
      <Stack>
        <TextField
          label={t("common.name")}
          description={t("jobs.nameHelp")}
          required
          value={form.name}
          maxLength={63}
          autoComplete="off"
          error={errorAt("name")}
          onChange={(name) => set({ name })}
        />
        <Segments
          label={t("jobs.work")}
          choices={[
            { value: "script", label: t("jobs.script") },
            { value: "command", label: t("jobs.command") },
          ]}
          value={form.kind}
          onChange={(kind) => set({ kind })}
        />
        {form.kind === "script" ? (
          <ScriptEditor
            label={t("jobs.script")}
            description={t("jobs.scriptHelp")}
            error={errorAt("script")}
            value={form.script}
            onChange={(script) => set({ script })}
          />
        ) : (
          <TextArea
            label={t("jobs.command")}
            description={t("jobs.commandHelp")}
            required
            isCode
            rows={2}
            value={form.command}
            placeholder="python3 train.py --epochs 3"
            error={errorAt("command")}
            onChange={(command) => set({ command })}
          />
        )}
        <Grid columns={2}>
          <Select
            label={t("jobs.image")}
            description={t("jobs.imageHelp")}
            placeholder={t("jobs.imageUsual")}
            isClearable
            isSearchable
            choices={(images.data?.items ?? []).map((image) => ({
              value: image.name,
              label: image.name,
              disabled: image.state !== "ready",
            }))}
            value={form.image}
            error={errorAt("image")}
            onChange={(image) => set({ image })}
          />
          <Select
            label={t("jobs.framework")}
            description={t("jobs.frameworkHelp")}
            choices={frameworks.map((value) => ({ value, label: t(`jobs.frameworks.${value}`) }))}
            value={form.framework}
            error={errorAt("framework")}
            onChange={(framework) => set({ framework: framework ?? "none" })}
          />
        </Grid>
      </Stack>
    </Card>
  );
}
