/** Service agreement and NDA: the versions that were published, and publishing the next. */
import { useState, type ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useApi, wholeList } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { When } from "#console/components/when.tsx";
import { languageNames, useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Dialog } from "#console/ui/dialog.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { Stack } from "#console/ui/layout.tsx";
import { Code, Heading, Muted } from "#console/ui/text.tsx";

import { PublishDialog } from "./publish-dialog.tsx";

type Agreement = AnswerOf<"listAgreements">["items"][number];

export function AgreementsPage(): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("platform.manage");
  const agreements = useApi("listAgreements");
  const [asked, setAsked] = useState<"publish" | Agreement>();
  const close = (): void => setAsked(undefined);
  const columns: readonly Column<Agreement>[] = [
    {
      key: "document",
      head: t("customers.document"),
      isTitle: true,
      cell: ({ document, version }) => `${t(`selling.documentOf.${document}`)} ${version}`,
    },
    {
      key: "required",
      head: t("selling.required"),
      cell: ({ required }) =>
        required ? (
          <Badge tone="attention" icon="alert">
            {t("selling.isRequired")}
          </Badge>
        ) : (
          <Badge>{t("selling.isOptional")}</Badge>
        ),
    },
    {
      key: "published",
      head: t("selling.published"),
      cell: ({ publishedAt }) => <When at={publishedAt} how="both" />,
    },
    {
      key: "sha",
      head: "SHA-256",
      cell: ({ sha256 }) => (
        <Code>
          <span title={sha256}>{sha256.slice(0, 12)}…</span>
        </Code>
      ),
    },
    {
      key: "do",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (agreement) => (
        <Button size="xs" onClick={() => setAsked(agreement)}>
          {t("selling.read")}
        </Button>
      ),
    },
  ];
  const publish = (
    <Button
      kind="primary"
      icon="plus"
      onClick={() => setAsked("publish")}
      disabledReason={mayManage ? undefined : t("customers.operatorOnly")}
    >
      {t("selling.publish")}
    </Button>
  );
  return (
    <>
      <PageHead
        title={t("selling.agreements")}
        lead={t("selling.agreementsLead")}
        actions={publish}
      />
      <DataTable
        label={t("selling.agreements")}
        pages={wholeList(agreements, agreements.data?.items)}
        columns={columns}
        keyOf={({ id }) => id}
        empty={
          <EmptyState
            icon="book"
            title={t("selling.noAgreementsTitle")}
            text={t("selling.noAgreementsText")}
            action={publish}
            command="millrace agreement publish nda 1 --english nda.txt --chinese nda-zh.txt"
          />
        }
      />
      {asked === "publish" ? <PublishDialog onClose={close} /> : null}
      {asked === undefined || asked === "publish" ? null : (
        <ReadDialog agreement={asked} onClose={close} />
      )}
    </>
  );
}

function ReadDialog({
  agreement,
  onClose,
}: {
  readonly agreement: Agreement;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const { document, version, sha256, textEn, textZh } = agreement;
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={`${t(`selling.documentOf.${document}`)} ${version}`}
      closeLabel={t("common.close")}
      size="xl"
    >
      <Stack>
        {(
          [
            [languageNames.en, textEn],
            [languageNames["zh-CN"], textZh],
          ] as const
        ).map(([name, text]) => (
          <section key={name}>
            <Heading level={3}>{name}</Heading>
            <div
              // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, also by keyboard
              tabIndex={0}
              role="group"
              aria-label={name}
              style={{ maxHeight: "35vh", overflowY: "auto", whiteSpace: "pre-wrap" }}
            >
              {text}
            </div>
          </section>
        ))}
        <Muted size="xs">
          SHA-256 <Code>{sha256}</Code>
        </Muted>
      </Stack>
    </Dialog>
  );
}
