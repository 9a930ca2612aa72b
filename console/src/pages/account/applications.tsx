/** Applications for compute: who one is, what one needs, what became of it. */
import { useState, type ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { useAction, useApi } from "#console/api/queries.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { Money } from "#console/components/money.tsx";
import { fieldError, ProblemBox } from "#console/components/problem-box.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { useMay, useSession } from "#console/api/session.ts";
import { Button } from "#console/ui/button.tsx";
import { Badge, Skeleton } from "#console/ui/feedback.tsx";
import { Select, TextArea, TextField } from "#console/ui/fields.tsx";
import { Card, Row, Stack } from "#console/ui/layout.tsx";
import { Muted, Text } from "#console/ui/text.tsx";

type Application = ItemOf<"listApplications">;

const scales = ["individual", "1-10", "11-50", "51-500", "500+"] as const;

export function ApplyDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { t } = useText();
  const { tenant, user } = useSession();
  const [company, setCompany] = useState(tenant.displayName);
  const [scale, setScale] = useState<(typeof scales)[number]>("1-10");
  const [monthlyBudget, setBudget] = useState("");
  const [demand, setDemand] = useState("");
  const [contact, setContact] = useState(user.email ?? "");
  const submit = useAction("submitApplication", { onDone: onClose });
  const request = {
    body: { company, scale, monthlyBudget: monthlyBudget.trim(), demand, contact },
  };
  const isWhole = [company, monthlyBudget, demand, contact].every((text) => text.trim() !== "");
  return (
    <FormDialog
      title={t("account.quota.more")}
      onClose={onClose}
      submitLabel={t("account.apply.submit")}
      isBusy={submit.isPending}
      error={submit.error}
      disabledReason={isWhole ? undefined : t("account.apply.notWhole")}
      call={{ operation: "submitApplication", request }}
      onSubmit={() => submit.mutate(request)}
      size="lg"
    >
      <Text isMuted>{t("account.apply.lead")}</Text>
      <TextArea
        label={t("account.apply.demand")}
        description={t("account.apply.demandHelp")}
        value={demand}
        onChange={setDemand}
        maxLength={4000}
        error={fieldError(submit.error, "demand")}
      />
      <TextField
        label={t("account.apply.budget")}
        description={t("account.apply.budgetHelp")}
        value={monthlyBudget}
        onChange={setBudget}
        maxLength={12}
        error={fieldError(submit.error, "monthlyBudget")}
      />
      <TextField
        label={t("account.apply.company")}
        value={company}
        onChange={setCompany}
        maxLength={200}
        error={fieldError(submit.error, "company")}
      />
      <Select
        label={t("account.apply.scale")}
        value={scale}
        onChange={(next) => setScale(next ?? "1-10")}
        choices={scales.map((value) => ({
          value,
          label: value === "individual" ? t("account.apply.individual") : value,
        }))}
      />
      <TextField
        label={t("account.apply.contact")}
        description={t("account.apply.contactHelp")}
        value={contact}
        onChange={setContact}
        maxLength={200}
        error={fieldError(submit.error, "contact")}
      />
    </FormDialog>
  );
}

export function ApplicationsCard(): ReactNode {
  const { t } = useText();
  const list = useApi("listApplications", { query: { limit: 50 } });
  return (
    <Card title={t("account.apply.title")}>
      {list.error === null ? null : (
        <ProblemBox error={list.error} onRetry={() => void list.refetch()} />
      )}
      {list.isPending ? (
        <Skeleton label={t("common.loading")} />
      ) : (list.data?.items ?? []).length === 0 ? (
        <Muted>{t("account.apply.none")}</Muted>
      ) : (
        <Stack>
          {list.data?.items.map((each) => (
            <OneApplication key={each.id} application={each} />
          ))}
        </Stack>
      )}
    </Card>
  );
}

const tones = { submitted: "info", rated: "good", withdrawn: "quiet" } as const;

function OneApplication({ application }: { readonly application: Application }): ReactNode {
  const { t } = useText();
  const may = useMay();
  const withdraw = useAction("withdrawApplication");
  const { state, demand, monthlyBudget, createdAt } = application;
  return (
    <Stack gap="xs">
      <Row justify="space-between">
        <Row gap="sm">
          <Badge tone={tones[state]} icon={state === "rated" ? "check" : "info"}>
            {t(`account.apply.${state}`)}
          </Badge>
          <When at={createdAt} how="day" />
          <span>
            {t("account.apply.budget")}: <Money amount={monthlyBudget} />
          </span>
        </Row>
        {state === "submitted" ? (
          <Button
            size="xs"
            isBusy={withdraw.isPending}
            disabledReason={may("billing.manage") ? undefined : t("account.quota.notYou")}
            onClick={() => withdraw.mutate({ params: { applicationId: application.id } })}
          >
            {t("account.apply.withdraw")}
          </Button>
        ) : null}
      </Row>
      <Text>
        <span dir="auto" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
          {demand}
        </span>
      </Text>
      {withdraw.error === null ? null : <ProblemBox error={withdraw.error} />}
    </Stack>
  );
}
