/** All that holds something of a host. */
import { useState, type ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import type { Pages } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { memoryText } from "#console/components/flavor.ts";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { MoveDialog } from "#console/pages/instances/move-dialog.tsx";
import { Button } from "#console/ui/button.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { Heading, Muted } from "#console/ui/text.tsx";

export type Work = AnswerOf<"getHost">["work"][number];

export function HostWork({ work }: { readonly work: readonly Work[] }): ReactNode {
  const { t } = useText();
  const mayMove = useMay()("platform.manage");
  const [moved, setMoved] = useState<Work>();
  const pages: Pages<Work> = {
    items: work,
    isPending: false,
    isFetching: false,
    error: null,
    hasMore: false,
    isLoadingMore: false,
    loadMore: () => undefined,
    retry: () => undefined,
  };
  const columns: readonly Column<Work>[] = [
    {
      key: "name",
      head: t("common.name"),
      cell: (each) => (
        <Row gap="xs">
          {each.name}
          {each.holds === "disk" ? (
            <Badge icon="disk">{t("infrastructure.work.diskOnly")}</Badge>
          ) : null}
        </Row>
      ),
    },
    {
      key: "kind",
      head: t("infrastructure.work.kind"),
      cell: (each) => t(`infrastructure.work.${each.kind}`),
    },
    {
      key: "tenant",
      head: t("infrastructure.work.tenant"),
      cell: (each) => <bdi>{each.tenant}</bdi>,
    },
    { key: "cpus", head: "CPU", align: "end", cell: (each) => each.cpus },
    {
      key: "memory",
      head: t("infrastructure.memory"),
      align: "end",
      cell: (each) => memoryText(each.memoryMiB),
    },
    {
      key: "disk",
      head: t("infrastructure.disk"),
      align: "end",
      cell: (each) => `${each.diskGiB} GiB`,
    },
    {
      key: "gpus",
      head: "GPU",
      cell: ({ gpus }) =>
        gpus
          .map(({ deviceId, slice }) => (slice === 1 ? deviceId : `1/${slice} ${deviceId}`))
          .join(", ") || "—",
    },
    {
      key: "since",
      head: t("infrastructure.work.since"),
      cell: (each) => <When at={each.since} />,
    },
    {
      key: "actions",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (each) =>
        each.kind === "lease" && each.holds === "full" ? (
          <Button
            size="xs"
            icon="host"
            disabledReason={mayMove ? undefined : t("infrastructure.readOnly")}
            onClick={() => setMoved(each)}
          >
            {t("lease.move.ask")}
          </Button>
        ) : null,
    },
  ];
  return (
    <Stack gap="sm">
      <Heading level={2}>{t("infrastructure.work.title")}</Heading>
      <DataTable
        label={t("infrastructure.work.title")}
        pages={pages}
        columns={columns}
        keyOf={(each) => `${each.tenantId} ${each.requestId} ${each.since}`}
        empty={<Muted size="md">{t("infrastructure.work.none")}</Muted>}
      />
      {moved === undefined ? null : (
        <MoveDialog
          leaseId={moved.requestId}
          name={moved.name}
          tenantId={moved.tenantId}
          onClose={() => setMoved(undefined)}
        />
      )}
    </Stack>
  );
}
