/** Machines at a platform that nobody here asked for: made a lease again, or removed. */
import { useState, type ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { useAction, useApi, usePages } from "#console/api/queries.ts";
import { ConfirmDialog } from "#console/components/confirm-dialog.tsx";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { memoryText } from "#console/components/flavor.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { useMay } from "#console/api/session.ts";
import { Button } from "#console/ui/button.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { Select, TextField } from "#console/ui/fields.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { Code, Muted, Text } from "#console/ui/text.tsx";

type Orphan = ItemOf<"listOrphans">;

export function OrphansPage(): ReactNode {
  const { t } = useText();
  const pages = usePages("listOrphans", { query: { limit: 100 } }, { everyMs: 30_000 });
  const columns: readonly Column<Orphan>[] = [
    {
      key: "id",
      head: t("infrastructure.orphans.machine"),
      cell: (orphan) => (
        <Stack gap={0}>
          <Code>{orphan.id.slice(0, 13)}</Code>
          <Muted size="xs">{`${orphan.site} / ${orphan.host}`}</Muted>
        </Stack>
      ),
    },
    {
      key: "state",
      head: t("common.state"),
      cell: (orphan) =>
        orphan.state === "kept" ? (
          <Badge tone="attention" icon="pause">
            {t("infrastructure.orphans.kept")}
          </Badge>
        ) : (
          <Badge tone="info" icon="refresh">
            {t("infrastructure.orphans.going")}
          </Badge>
        ),
    },
    {
      key: "kind",
      head: t("infrastructure.work.kind"),
      cell: (orphan) => t(`infrastructure.work.${orphan.kind}`),
    },
    {
      key: "power",
      head: t("infrastructure.orphans.power"),
      cell: (orphan) => t(`infrastructure.orphans.powers.${orphan.power}`),
    },
    {
      key: "size",
      head: t("infrastructure.orphans.size"),
      cell: (orphan) =>
        `${orphan.vcpus} vCPU, ${memoryText(orphan.memoryMiB)}, ${orphan.diskGiB} GiB`,
    },
    {
      key: "owner",
      head: t("infrastructure.orphans.owner"),
      cell: (orphan) =>
        orphan.owner === null ? (
          <Muted>{t("common.unknown")}</Muted>
        ) : (
          <Code>{orphan.owner.tenantId.slice(0, 13)}</Code>
        ),
    },
    {
      key: "first",
      head: t("infrastructure.orphans.first"),
      cell: (orphan) => <When at={orphan.firstSeenAt} />,
    },
    {
      key: "actions",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (orphan) => <Decide orphan={orphan} />,
    },
  ];
  return (
    <>
      <PageHead title={t("infrastructure.orphans.title")} lead={t("infrastructure.orphans.lead")} />
      <DataTable
        label={t("infrastructure.orphans.title")}
        pages={pages}
        columns={columns}
        keyOf={(orphan) => orphan.id}
        empty={
          <EmptyState
            icon="check"
            title={t("infrastructure.orphans.empty")}
            text={t("infrastructure.orphans.emptyText")}
          />
        }
      />
    </>
  );
}

function Decide({ orphan }: { readonly orphan: Orphan }): ReactNode {
  const { t } = useText();
  const may = useMay();
  const [asked, setAsked] = useState<"adopt" | "remove">();
  const remove = useAction("removeOrphan", { onDone: () => setAsked(undefined) });
  const why = !may("platform.manage")
    ? t("infrastructure.readOnly")
    : orphan.state === "going"
      ? t("infrastructure.orphans.isGoing")
      : undefined;
  return (
    <Row gap="xs" wrap="nowrap">
      <Button
        size="xs"
        disabledReason={
          why ?? (orphan.kind === "job" ? t("infrastructure.orphans.onlyLeases") : undefined)
        }
        onClick={() => setAsked("adopt")}
      >
        {t("infrastructure.orphans.adopt")}
      </Button>
      <Button size="xs" icon="trash" disabledReason={why} onClick={() => setAsked("remove")}>
        {t("infrastructure.orphans.remove")}
      </Button>
      {asked === "adopt" ? (
        <AdoptDialog orphan={orphan} onClose={() => setAsked(undefined)} />
      ) : null}
      <ConfirmDialog
        call={{ operation: "removeOrphan", request: { params: { machineId: orphan.id } } }}
        isOpen={asked === "remove"}
        onClose={() => setAsked(undefined)}
        title={t("infrastructure.orphans.removeTitle")}
        confirmLabel={t("infrastructure.orphans.remove")}
        isDangerous
        isBusy={remove.isPending}
        error={remove.error}
        typed={orphan.id.slice(0, 8)}
        onConfirm={() => remove.mutate({ params: { machineId: orphan.id } })}
      >
        {t("infrastructure.orphans.removeText")}
      </ConfirmDialog>
    </Row>
  );
}

/** The owner that the platform names. */
const asNamed = "named";

function AdoptDialog({
  orphan,
  onClose,
}: {
  readonly orphan: Orphan;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const tenants = useApi("listTenants", { query: { limit: 200 } });
  const images = useApi("listImages");
  const [name, setName] = useState("");
  const [tenantId, setTenantId] = useState(asNamed);
  const [image, setImage] = useState("unknown");
  const adopt = useAction("adoptOrphan", { onDone: onClose });
  const request = {
    params: { machineId: orphan.id },
    body: { name, image, ...(tenantId === asNamed ? {} : { tenantId }) },
  };
  return (
    <FormDialog
      title={t("infrastructure.orphans.adopt")}
      onClose={onClose}
      submitLabel={t("infrastructure.orphans.adopt")}
      isBusy={adopt.isPending}
      error={adopt.error}
      disabledReason={name === "" ? t("account.nameNeeded") : undefined}
      call={{ operation: "adoptOrphan", request }}
      onSubmit={() => adopt.mutate(request)}
    >
      <Text>{t("infrastructure.orphans.adoptText")}</Text>
      <TextField
        label={t("common.name")}
        description={t("account.dnsName")}
        value={name}
        onChange={(next) => setName(next.toLowerCase())}
        maxLength={63}
        autoFocus
        isCode
        required
        error={fieldError(adopt.error, "name")}
      />
      <Select
        label={t("infrastructure.orphans.owner")}
        isSearchable
        value={tenantId}
        onChange={(next) => setTenantId(next ?? asNamed)}
        choices={[
          { value: asNamed, label: t("infrastructure.orphans.asNamed") },
          ...(tenants.data?.items ?? []).map(({ id, displayName }) => ({
            value: id,
            label: displayName,
          })),
        ]}
      />
      <Select
        label={t("infrastructure.image")}
        value={image}
        onChange={(next) => setImage(next ?? "unknown")}
        choices={[
          { value: "unknown", label: t("common.unknown") },
          ...(images.data?.items ?? []).map((each) => ({ value: each.name, label: each.name })),
        ]}
      />
    </FormDialog>
  );
}
