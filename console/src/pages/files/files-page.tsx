/** What lies in the tenant's storage: inputs that were uploaded, logs and results of jobs. */
import { useMemo, type ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { call } from "#console/api/client.ts";
import { usePages } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import type { BulkAction } from "#console/components/bulk.tsx";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { DownloadButton } from "#console/components/download.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { oneOf, useSearchParams } from "#console/components/search-params.ts";
import { sizeText } from "#console/components/size-text.ts";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Select } from "#console/ui/fields.tsx";
import { Card, Stack } from "#console/ui/layout.tsx";
import { TextLink } from "#console/ui/link.tsx";

import { StorageRoom } from "./room.tsx";
import { Uploader } from "./uploader.tsx";

type StoredFile = ItemOf<"listFiles">;
const kinds = ["input", "log", "results"] as const;
const pageSize = 200;

export function FilesPage(): ReactNode {
  const { t } = useText();
  const [{ kind }, setFilters] = useSearchParams({ kind: oneOf(kinds) });
  const all = usePages("listFiles", { query: { limit: pageSize } });
  // The API has no filter by kind: what is loaded is looked through, and more is loaded as one scrolls.
  const items = useMemo(
    () => all.items.filter((file) => kind === undefined || file.kind === kind),
    [all.items, kind],
  );
  return (
    <>
      <PageHead title={t("files.title")} lead={t("files.lead")} />
      <Stack>
        <Card title={t("files.room")}>
          <Stack gap="sm">
            <StorageRoom />
            <Uploader />
          </Stack>
        </Card>
        <DataTable
          label={t("files.title")}
          pages={{ ...all, items }}
          columns={useColumns()}
          keyOf={idOf}
          nameOf={(file) => file.name}
          bulk={[useDelete()]}
          isFiltered={kind !== undefined}
          onClearFilters={() => setFilters({ kind: undefined })}
          filters={
            <div className="filters">
              <Select
                label={t("files.kind")}
                placeholder={t("common.all")}
                isClearable
                choices={kinds.map((value) => ({ value, label: t(`files.kinds.${value}`) }))}
                value={kind}
                onChange={(next) => setFilters({ kind: next })}
              />
            </div>
          }
          empty={
            <EmptyState
              icon="folder"
              title={t("files.emptyTitle")}
              text={t("files.emptyText")}
              command="millrace file upload data.csv"
            />
          }
        />
      </Stack>
    </>
  );
}

function useColumns(): readonly Column<StoredFile>[] {
  const { t } = useText();
  return [
    { key: "name", head: t("common.name"), isTitle: true, cell: (file) => file.name },
    { key: "kind", head: t("files.kind"), cell: (file) => t(`files.kinds.${file.kind}`) },
    {
      key: "size",
      head: t("files.size"),
      align: "end",
      cell: (file) => <span className="tabular nowrap">{sizeText(file.sizeBytes)}</span>,
    },
    {
      key: "job",
      head: t("files.job"),
      cell: (file) =>
        file.jobId === null ? (
          "—"
        ) : (
          <TextLink to="/jobs/$jobId" params={{ jobId: file.jobId }}>
            {file.jobId.slice(0, 8)}
          </TextLink>
        ),
    },
    { key: "created", head: t("common.created"), cell: (file) => <When at={file.createdAt} /> },
    {
      key: "download",
      head: t("common.download"),
      isHeadHidden: true,
      cell: (file) => (
        <DownloadButton
          isLarge
          operation="downloadFile"
          request={{ params: { fileId: file.id } }}
          fileName={file.name}
          size="xs"
        />
      ),
    },
  ];
}

function useDelete(): BulkAction<StoredFile> {
  const { t } = useText();
  const mayUse = useMay()("compute.use");
  return {
    key: "delete",
    label: t("common.delete"),
    icon: "trash",
    isDangerous: true,
    title: (count) => t("files.deleteTitle", { count }),
    text: t("files.deleteText"),
    refuse: () => (mayUse ? undefined : t("files.noPermission")),
    run: (file) => call("deleteFile", { params: { fileId: file.id } }),
  };
}

function idOf(file: StoredFile): string {
  return file.id;
}
