/** What the customer agreed to, when and by whom, and what he applied for. */
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useApi, usePages, wholeList } from "#console/api/queries.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Badge } from "#console/ui/feedback.tsx";
import { Stack } from "#console/ui/layout.tsx";
import { Heading, Muted } from "#console/ui/text.tsx";

import { useApplicationColumns } from "./application-columns.tsx";

type Agreement = AnswerOf<"listAgreements">["items"][number];

export function AgreementsTab(): ReactNode {
  const { t } = useText();
  const agreements = useApi("listAgreements");
  const applications = usePages("listApplications", { query: { limit: 50 } });
  const columns: readonly Column<Agreement>[] = [
    {
      key: "document",
      head: t("customers.document"),
      isTitle: true,
      cell: ({ document, version }) => `${t(`selling.documentOf.${document}`)} ${version}`,
    },
    { key: "state", head: t("common.state"), cell: (of) => <Accepted of={of} /> },
    {
      key: "published",
      head: t("selling.published"),
      cell: ({ publishedAt }) => <When at={publishedAt} how="day" />,
    },
    {
      key: "accepted",
      head: t("customers.acceptedAt"),
      cell: ({ acceptedAt }) => <When at={acceptedAt} how="absolute" />,
    },
    {
      key: "by",
      head: t("customers.acceptedBy"),
      cell: ({ acceptedBy }) => <bdi>{acceptedBy ?? "—"}</bdi>,
    },
  ];
  return (
    <Stack>
      <Heading level={2}>{t("customers.tab.agreements")}</Heading>
      <DataTable
        label={t("customers.tab.agreements")}
        pages={wholeList(agreements, agreements.data?.items)}
        columns={columns}
        keyOf={({ id }) => id}
        empty={
          <EmptyState
            icon="book"
            title={t("selling.noAgreementsTitle")}
            text={t("selling.noAgreementsText")}
            action={{ to: "/operate/agreements", label: t("selling.agreements") }}
          />
        }
      />
      <Heading level={2}>{t("selling.applications")}</Heading>
      <DataTable
        label={t("selling.applications")}
        pages={applications}
        columns={useApplicationColumns()}
        keyOf={({ id }) => id}
        empty={<Muted>{t("customers.noApplications")}</Muted>}
      />
    </Stack>
  );
}

function Accepted({ of }: { readonly of: Agreement }): ReactNode {
  const { t } = useText();
  if (of.acceptedAt !== null) {
    return (
      <Badge tone="good" icon="check">
        {t("customers.accepted")}
      </Badge>
    );
  }
  return of.required ? (
    <Badge tone="attention" icon="alert">
      {t("customers.acceptMissing")}
    </Badge>
  ) : (
    <Badge icon="minus">{t("customers.notAccepted")}</Badge>
  );
}
