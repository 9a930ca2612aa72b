/** Agreements to accept, each with its text, and applications for compute. */
import { useState, type ReactNode } from "react";
import type { AnswerOf, ItemOf } from "#client/types.ts";

import { useAction, useApi, usePages } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { Money } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Badge, Skeleton } from "#console/ui/feedback.tsx";
import { Card, Row, Stack } from "#console/ui/layout.tsx";
import { Dialog } from "#console/ui/dialog.tsx";
import { Code, Heading, Muted } from "#console/ui/text.tsx";

import { ApplicationDialog } from "./application-dialog.tsx";
import { Clipped } from "./clipped.tsx";
import { wholeList } from "./whole-list.ts";

type Agreement = AnswerOf<"listAgreements">["items"][number];
type Application = ItemOf<"listApplications">;

export function AgreementsTab(): ReactNode {
  const { t } = useText();
  return (
    <Stack>
      <Heading level={2}>{t("orders.agreement.title")}</Heading>
      <Agreements />
      <Applications />
    </Stack>
  );
}

function Agreements(): ReactNode {
  const { t } = useText();
  const agreements = useApi("listAgreements");
  const [read, setRead] = useState<string>();
  if (agreements.error !== null) {
    return <ProblemBox error={agreements.error} onRetry={() => void agreements.refetch()} />;
  }
  if (agreements.data === undefined) return <Skeleton lines={3} label={t("common.loading")} />;
  const { items } = agreements.data;
  const shown = items.find(({ id }) => id === read);
  const columns: readonly Column<Agreement>[] = [
    {
      key: "document",
      head: t("common.name"),
      isTitle: true,
      cell: ({ document, version }) => `${t(`orders.agreement.document.${document}`)} ${version}`,
    },
    {
      key: "state",
      head: t("common.state"),
      cell: ({ acceptedAt, required }) =>
        acceptedAt !== null ? (
          <Badge tone="good" icon="check">
            {t("orders.agreement.accepted")}
          </Badge>
        ) : required ? (
          <Badge tone="attention" icon="alert">
            {t("orders.agreement.required")}
          </Badge>
        ) : (
          <Badge icon="minus">{t("orders.agreement.open")}</Badge>
        ),
    },
    {
      key: "published",
      head: t("orders.agreement.published"),
      cell: ({ publishedAt }) => <When at={publishedAt} how="day" />,
    },
    {
      key: "accepted",
      head: t("orders.agreement.acceptedAt"),
      cell: ({ acceptedAt }) => <When at={acceptedAt} how="both" />,
    },
    {
      key: "do",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: ({ id, acceptedAt }) => (
        <Button
          size="xs"
          kind={acceptedAt === null ? "primary" : "plain"}
          onClick={() => setRead(id)}
        >
          {t(acceptedAt === null ? "orders.agreement.readAndAccept" : "orders.agreement.read")}
        </Button>
      ),
    },
  ];
  return (
    <>
      <DataTable
        label={t("orders.agreement.title")}
        pages={wholeList(items)}
        columns={columns}
        keyOf={({ id }) => id}
        empty={<Muted>{t("orders.agreement.none")}</Muted>}
      />
      {shown === undefined ? null : (
        <AgreementDialog agreement={shown} onClose={() => setRead(undefined)} />
      )}
    </>
  );
}

function AgreementDialog({
  agreement,
  onClose,
}: {
  readonly agreement: Agreement;
  readonly onClose: () => void;
}): ReactNode {
  const { t, language } = useText();
  const mayManage = useMay()("billing.manage");
  const accept = useAction("acceptAgreement", { onDone: onClose });
  const { id, sha256, document, version, acceptedAt } = agreement;
  const text = language === "en" ? agreement.textEn : agreement.textZh;
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={`${t(`orders.agreement.document.${document}`)} ${version}`}
      closeLabel={t("common.close")}
      size="xl"
    >
      <Stack>
        <section
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, also by keyboard
          tabIndex={0}
          aria-label={t(`orders.agreement.document.${document}`)}
          style={{ maxHeight: "50vh", overflowY: "auto", whiteSpace: "pre-wrap" }}
        >
          {text}
        </section>
        <Muted size="xs">
          SHA-256 <Code>{sha256}</Code>
        </Muted>
        {accept.error === null ? null : <ProblemBox error={accept.error} />}
        {acceptedAt === null ? (
          <Row justify="flex-end">
            <Button onClick={onClose}>{t("common.close")}</Button>
            <Button
              kind="primary"
              isBusy={accept.isPending}
              disabledReason={mayManage ? undefined : t("billing.mayNot")}
              onClick={() => accept.mutate({ params: { agreementId: id }, body: { sha256 } })}
            >
              {t("orders.agreement.accept")}
            </Button>
          </Row>
        ) : null}
      </Stack>
    </Dialog>
  );
}

const looks = {
  submitted: ["info", "wait"],
  rated: ["good", "check"],
  withdrawn: ["quiet", "minus"],
} as const;

function Applications(): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("billing.manage");
  const pages = usePages("listApplications", { query: { limit: 20 } });
  const [isAsking, setAsking] = useState(false);
  const withdraw = useAction("withdrawApplication");
  const mayNot = mayManage ? undefined : t("billing.mayNot");
  const columns: readonly Column<Application>[] = [
    {
      key: "company",
      head: t("orders.application.company"),
      isTitle: true,
      cell: ({ company }) => <Clipped text={company} />,
    },
    {
      key: "state",
      head: t("common.state"),
      cell: ({ state }) => (
        <Badge tone={looks[state][0]} icon={looks[state][1]}>
          {t(`orders.application.state.${state}`)}
        </Badge>
      ),
    },
    {
      key: "budget",
      head: t("orders.application.budget"),
      align: "end",
      cell: ({ monthlyBudget }) => <Money amount={monthlyBudget} />,
    },
    {
      key: "demand",
      head: t("orders.application.demand"),
      cell: ({ demand }) => <Clipped text={demand} />,
    },
    { key: "at", head: t("common.created"), cell: ({ createdAt }) => <When at={createdAt} /> },
    {
      key: "do",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: ({ id, state }) =>
        state === "submitted" ? (
          <Button
            size="xs"
            kind="quiet"
            disabledReason={mayNot}
            isBusy={withdraw.isPending}
            onClick={() => withdraw.mutate({ params: { applicationId: id } })}
          >
            {t("orders.application.withdraw")}
          </Button>
        ) : null,
    },
  ];
  return (
    <Card
      title={t("orders.application.title")}
      action={
        <Button size="xs" icon="plus" onClick={() => setAsking(true)} disabledReason={mayNot}>
          {t("orders.application.submit")}
        </Button>
      }
    >
      <Stack gap="sm">
        <Muted>{t("orders.application.lead")}</Muted>
        {withdraw.error === null ? null : <ProblemBox error={withdraw.error} />}
        <DataTable
          label={t("orders.application.title")}
          pages={pages}
          columns={columns}
          keyOf={({ id }) => id}
          empty={
            <EmptyState
              icon="edit"
              title={t("orders.application.none")}
              command="millrace application list"
            />
          }
        />
      </Stack>
      {isAsking ? <ApplicationDialog onClose={() => setAsking(false)} /> : null}
    </Card>
  );
}
