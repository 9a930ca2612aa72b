/** The share of all GPUs of a model that one customer may hold, unless a limit of his own says otherwise. */
import { useState, type FormEvent, type ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { Gauge } from "#console/components/gauge.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Skeleton } from "#console/ui/feedback.tsx";
import { NumberField, TextField } from "#console/ui/fields.tsx";
import { Card, Facts, Grid, Row, Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";
import { toast } from "#console/ui/toast.tsx";

export function Shares(): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("platform.manage");
  const limits = useApi("listLimits");
  const [model, setModel] = useState("");
  const [percent, setPercent] = useState<number>();
  const set = useAction("setShareCap", {
    onDone: () => toast({ tone: "good", title: t("queue.shareSet") }),
  });
  const wrong =
    percent === undefined || percent < 1 || percent > 100 ? t("queue.percentRange") : undefined;
  const body = { gpuModel: model === "" ? "*" : model, percent: percent ?? 100 };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (mayManage && wrong === undefined) set.mutate({ body });
  };
  return (
    <Card title={t("queue.shares")}>
      <Stack>
        <Muted>{t("queue.sharesHelp")}</Muted>
        {limits.data === undefined ? (
          limits.error === null ? (
            <Skeleton label={t("common.loading")} />
          ) : (
            <ProblemBox error={limits.error} onRetry={() => void limits.refetch()} />
          )
        ) : (
          <Facts
            rows={limits.data.shares.map((cap) => [
              cap.gpuModel === "*" ? t("queue.otherModels") : cap.gpuModel,
              <Gauge
                key={cap.gpuModel}
                of="share"
                share={cap.percent / 100}
                label={cap.gpuModel}
                text={`${cap.percent} %`}
              />,
            ])}
          />
        )}
        <form onSubmit={submit} noValidate aria-label={t("queue.setShare")}>
          <Stack gap="sm">
            <Grid columns={2}>
              <TextField
                label={t("queue.model")}
                placeholder={t("queue.otherModels")}
                value={model}
                maxLength={32}
                onChange={setModel}
              />
              <NumberField
                label={t("queue.percent")}
                suffix=" %"
                min={1}
                max={100}
                value={percent}
                onChange={setPercent}
              />
            </Grid>
            {set.error === null ? null : <ProblemBox error={set.error} />}
            <Row>
              <Button
                type="submit"
                isBusy={set.isPending}
                disabledReason={mayManage ? wrong : t("jobs.whyNot.permission")}
              >
                {t("queue.setShare")}
              </Button>
              <ShowAsCli
                operation="setShareCap"
                request={{ body }}
                command={`millrace limit share ${body.percent}${model === "" ? "" : ` --gpu ${model}`}`}
              />
            </Row>
          </Stack>
        </form>
      </Stack>
    </Card>
  );
}
