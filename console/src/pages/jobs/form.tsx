/** The form of a job, and its sending. What is wrong is said at its field, first by us, then by the server. */
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState, type FormEvent, type ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { useTimeZone } from "#console/api/session.ts";
import { fieldError, ProblemBox } from "#console/components/problem-box.tsx";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { useText } from "#console/i18n/index.ts";
import { useProject } from "#console/shell/project.tsx";
import { Button } from "#console/ui/button.tsx";
import { Stack, WithAside } from "#console/ui/layout.tsx";
import { Text } from "#console/ui/text.tsx";
import { toast } from "#console/ui/toast.tsx";

import { EnvironmentFields } from "./environment-fields.tsx";
import type { FormPart } from "./form-part.ts";
import { InputFields } from "./input-fields.tsx";
import { submitCommand } from "./job-cli.ts";
import { bodyOf, faultsOf, type JobForm } from "./job-form.ts";
import { MachineFields } from "./machine-fields.tsx";
import { PlaceFields, RuleFields } from "./rule-fields.tsx";
import { Summary } from "./summary.tsx";
import { WorkFields } from "./work-fields.tsx";

export function JobFormCard({ start }: { readonly start: JobForm }): ReactNode {
  const { t } = useText();
  const navigate = useNavigate();
  const timeZone = useTimeZone();
  const project = useProject();
  const projects = useApi("listProjects", { query: { limit: 200 } });
  const [form, setForm] = useState({ ...start, projectId: start.projectId ?? project });
  const [isTried, setTried] = useState(false);
  const element = useRef<HTMLFormElement>(null);
  const create = useAction("createJob", {
    onDone: (job) => {
      toast({ tone: "good", title: t("jobs.wasSubmitted", { name: job.name }) });
      void navigate({ to: "/jobs/$jobId", params: { jobId: job.id } });
    },
  });
  const faults = faultsOf(form);
  const body = bodyOf(form, timeZone);
  const errorAt: FormPart["errorAt"] = (path) => {
    const fault = isTried ? faults.find((each) => each.path === path) : undefined;
    return fault === undefined ? fieldError(create.error, path) : t(fault.text, fault.values);
  };
  const part: FormPart = {
    form,
    set: (changes) => setForm((before) => ({ ...before, ...changes })),
    errorAt,
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (faults.length === 0) create.mutate({ body });
    // Once the errors are drawn.
    else requestAnimationFrame(() => focusFirstFault(element.current));
  };
  return (
    <form ref={element} onSubmit={submit} noValidate aria-label={t("jobs.newTitle")}>
      <WithAside
        aside={
          <Summary form={form}>
            {create.error === null ? null : <ProblemBox error={create.error} />}
            {isTried && faults.length > 0 ? (
              <Text tone="bad" size="sm">
                {t("jobs.faults", { count: faults.length })}
              </Text>
            ) : null}
            <Stack gap="xs">
              <Button type="submit" kind="primary" icon="play" fullWidth isBusy={create.isPending}>
                {t("jobs.submit")}
              </Button>
              <ShowAsCli
                operation="createJob"
                request={{ body }}
                command={submitCommand(
                  form,
                  body,
                  projects.data?.items.find(({ id }) => id === body.projectId)?.name,
                )}
              />
            </Stack>
          </Summary>
        }
      >
        <Stack>
          <WorkFields {...part} />
          <MachineFields {...part} />
          <InputFields {...part} />
          <EnvironmentFields {...part} />
          <RuleFields {...part} />
          <PlaceFields {...part} />
        </Stack>
      </WithAside>
    </form>
  );
}

function focusFirstFault(form: HTMLFormElement | null): void {
  const first = form?.querySelector("[aria-invalid=true]");
  if (first instanceof HTMLElement) first.focus();
}
