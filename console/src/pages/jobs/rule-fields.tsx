/** How long it may run, what the queue should know, and what happens when it is interrupted. */
import type { ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { useText } from "#console/i18n/index.ts";
import {
  DateField,
  NumberField,
  Select,
  Switch,
  TextArea,
  TextField,
} from "#console/ui/fields.tsx";
import { Card, Grid, Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

import type { FormPart } from "./form-part.ts";

export function RuleFields({ form, set, errorAt }: FormPart): ReactNode {
  const { t } = useText();
  return (
    <Card title={t("jobs.time")}>
      <Stack>
        <Grid columns={3}>
          <NumberField
            label={t("jobs.timeLimit")}
            description={t("jobs.timeLimitHelp")}
            suffix={t("jobs.minutes")}
            min={1}
            value={form.limitMinutes}
            error={errorAt("timeLimitSeconds")}
            onChange={(limitMinutes) => set({ limitMinutes })}
          />
          <NumberField
            label={t("jobs.expected")}
            description={t("jobs.expectedHelp")}
            suffix={t("jobs.minutes")}
            min={1}
            value={form.expectedMinutes}
            error={errorAt("expectedSeconds")}
            onChange={(expectedMinutes) => set({ expectedMinutes })}
          />
          <DateField
            kind="datetime-local"
            label={t("jobs.deadline")}
            description={t("jobs.deadlineHelp")}
            value={form.deadline}
            error={errorAt("deadline")}
            onChange={(deadline) => set({ deadline })}
          />
        </Grid>
        <NumberField
          label={t("jobs.retries")}
          description={t("jobs.retriesHelp")}
          min={0}
          max={10}
          value={form.retries}
          error={errorAt("platformRetriesMax")}
          onChange={(retries) => set({ retries })}
        />
        <Switch
          label={t("jobs.preemptible")}
          description={t("jobs.preemptibleHelp")}
          isOn={form.preemptible}
          onChange={(preemptible) => set({ preemptible })}
        />
        <TextArea
          label={t("jobs.checkpoint")}
          description={t("jobs.checkpointHelp")}
          isCode
          rows={1}
          value={form.checkpoint}
          maxLength={8192}
          placeholder="cp model.pt $MILLRACE_CHECKPOINT"
          error={errorAt("checkpoint")}
          onChange={(checkpoint) => set({ checkpoint })}
        />
      </Stack>
    </Card>
  );
}

/** What few need: the project, and what it should lie near to or apart from. */
export function PlaceFields({ form, set, errorAt }: FormPart): ReactNode {
  const { t } = useText();
  const projects = useApi("listProjects", { query: { limit: 200 } });
  return (
    <Card title={t("jobs.where")}>
      <Stack>
        <Select
          label={t("jobs.project")}
          placeholder="default"
          isClearable
          choices={(projects.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name }))}
          value={form.projectId}
          error={errorAt("projectId")}
          onChange={(projectId) => set({ projectId })}
        />
        <details>
          <summary>{t("jobs.beside")}</summary>
          <Stack gap="sm">
            <Muted>{t("jobs.besideHelp")}</Muted>
            <Grid columns={3}>
              <TextField
                label={t("jobs.group")}
                value={form.group}
                maxLength={63}
                error={errorAt("group")}
                onChange={(group) => set({ group })}
              />
              <TextField
                label={t("jobs.near")}
                value={form.near}
                error={errorAt("near")}
                onChange={(near) => set({ near })}
              />
              <TextField
                label={t("jobs.apart")}
                value={form.apart}
                error={errorAt("apart")}
                onChange={(apart) => set({ apart })}
              />
            </Grid>
          </Stack>
        </details>
      </Stack>
    </Card>
  );
}
