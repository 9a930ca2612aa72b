/** All that was said to the tenant, newest first. */
import type { ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { useAction, usePages } from "#console/api/queries.ts";
import { useMay, useTimeZone } from "#console/api/session.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { StateBadge } from "#console/components/state-badge.tsx";
import { When, withLocalTimes } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

type Said = ItemOf<"listNotices">;

export function NoticesPage(): ReactNode {
  const { t, language } = useText();
  const timeZone = useTimeZone();
  const mayManage = useMay()("billing.manage");
  const pages = usePages("listNotices", { query: { limit: 100, language } }, { everyMs: 60_000 });
  const read = useAction("readNotice");
  const columns: readonly Column<Said>[] = [
    {
      key: "severity",
      head: t("notices.severity"),
      cell: ({ severity }) => <StateBadge of="severity" state={severity} />,
    },
    {
      key: "text",
      head: t("notices.text"),
      isTitle: true,
      cell: ({ text, readAt }) => {
        const shown = withLocalTimes(text, { language, timeZone });
        return readAt === null ? <strong>{shown}</strong> : shown;
      },
    },
    { key: "at", head: t("notices.at"), cell: ({ at }) => <When at={at} /> },
    {
      key: "read",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: ({ id, readAt }) =>
        readAt === null ? (
          <Button
            size="xs"
            onClick={() => read.mutate({ params: { noticeId: id }, query: { language } })}
            isBusy={read.isPending && read.variables.params.noticeId === id}
            disabledReason={mayManage ? undefined : t("billing.mayNot")}
          >
            {t("shell.markRead")}
          </Button>
        ) : (
          <Muted>{t("notices.read")}</Muted>
        ),
    },
  ];
  return (
    <>
      <PageHead title={t("notices.title")} lead={t("notices.lead")} />
      <Stack gap="sm">
        {read.error === null ? null : <ProblemBox error={read.error} />}
        <DataTable
          label={t("notices.title")}
          pages={pages}
          columns={columns}
          keyOf={({ id }) => id}
          empty={
            <EmptyState icon="bell" title={t("shell.noNotices")} command="millrace notice list" />
          }
        />
      </Stack>
    </>
  );
}
