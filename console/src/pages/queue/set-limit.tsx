/** The operator sets a limit of a customer, or of one of his projects; what is left out is not limited. */
import { useState, type FormEvent, type ReactNode } from "react";
import type { RequestOf } from "#client/types.ts";

import { useAction } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { fieldError, ProblemBox } from "#console/components/problem-box.tsx";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { NumberField, Select, TextField } from "#console/ui/fields.tsx";
import { Grid, Row, Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";
import { toast } from "#console/ui/toast.tsx";

type Body = RequestOf<"setLimit">["body"];

const amount = /^(?:0|[1-9][0-9]{0,9})(?:\.[0-9]{1,2})?$/;

export function SetLimit({
  tenantId,
  projects,
}: {
  readonly tenantId: string;
  readonly projects: readonly { readonly id: string; readonly name: string }[];
}): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("platform.manage");
  const [projectId, setProjectId] = useState<string>();
  const [model, setModel] = useState("");
  const [gpus, setGpus] = useState<number>();
  const [hours, setHours] = useState<number>();
  const [money, setMoney] = useState("");
  const done = {
    tenantId,
    onDone: () => toast({ tone: "good", title: t("queue.limitSet") }),
  };
  const ofAll = useAction("setLimit", done);
  const ofProject = useAction("setProjectLimit", done);
  const set = projectId === undefined ? ofAll : ofProject;
  const body: Body = {
    ...(model === "" ? {} : { gpuModel: model }),
    ...(gpus === undefined ? {} : { gpusMax: gpus }),
    ...(hours === undefined ? {} : { gpuHoursPerMonth: hours }),
    ...(money === "" ? {} : { moneyPerMonth: money }),
  };
  const wrongMoney =
    money !== "" && !amount.test(money)
      ? t("queue.notAnAmount")
      : money !== "" && model !== ""
        ? t("queue.moneyOfAll")
        : undefined;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!mayManage || wrongMoney !== undefined) return;
    if (projectId === undefined) ofAll.mutate({ body });
    else ofProject.mutate({ params: { projectId }, body });
  };
  return (
    <form onSubmit={submit} noValidate aria-label={t("queue.setLimit")}>
      <Stack gap="sm">
        <Grid columns={3}>
          <Select
            label={t("jobs.project")}
            placeholder={t("queue.allProjects")}
            isClearable
            choices={projects.map(({ id, name }) => ({ value: id, label: name }))}
            value={projectId}
            onChange={setProjectId}
          />
          <TextField
            label={t("queue.model")}
            placeholder={t("queue.allGpus")}
            value={model}
            maxLength={32}
            error={fieldError(set.error, "gpuModel")}
            onChange={setModel}
          />
          <NumberField label={t("queue.gpusMax")} min={0} value={gpus} onChange={setGpus} />
          <NumberField label={t("queue.hoursMax")} min={0} value={hours} onChange={setHours} />
          <TextField
            label={t("queue.moneyMax")}
            value={money}
            maxLength={13}
            error={wrongMoney ?? fieldError(set.error, "moneyPerMonth")}
            onChange={setMoney}
          />
        </Grid>
        <Muted>{t("queue.setLimitHelp")}</Muted>
        {set.error === null ? null : <ProblemBox error={set.error} />}
        <Row>
          <Button
            type="submit"
            kind="primary"
            isBusy={set.isPending}
            disabledReason={mayManage ? wrongMoney : t("jobs.whyNot.permission")}
          >
            {t("queue.setLimit")}
          </Button>
          {projectId === undefined ? (
            <ShowAsCli operation="setLimit" request={{ body }} tenantId={tenantId} />
          ) : (
            <ShowAsCli
              operation="setProjectLimit"
              request={{ params: { projectId }, body }}
              tenantId={tenantId}
            />
          )}
        </Row>
      </Stack>
    </form>
  );
}
