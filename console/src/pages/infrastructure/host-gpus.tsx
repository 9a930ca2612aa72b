/** The GPUs of a host: how each is cut, how it is, who holds it; the operator's word that it is sick. */
import { useState, type ReactNode } from "react";

import { useAction, type Pages } from "#console/api/queries.ts";
import { ConfirmDialog } from "#console/components/confirm-dialog.tsx";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { memoryText } from "#console/components/flavor.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { useText } from "#console/i18n/index.ts";
import { useMay } from "#console/api/session.ts";
import { Button } from "#console/ui/button.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { TextField } from "#console/ui/fields.tsx";
import { Stack } from "#console/ui/layout.tsx";
import { Code, Heading, Muted, Text } from "#console/ui/text.tsx";

import type { Gpu, Host } from "./fleet.ts";
import type { Work } from "./host-work.tsx";

export function HostGpus({
  host,
  work,
}: {
  readonly host: Host;
  readonly work: readonly Work[];
}): ReactNode {
  const { t } = useText();
  const may = useMay();
  const [asked, setAsked] = useState<Gpu>();
  const why = may("platform.manage") ? undefined : t("infrastructure.readOnly");
  const pages: Pages<Gpu> = {
    items: host.gpus,
    isPending: false,
    isFetching: false,
    error: null,
    hasMore: false,
    isLoadingMore: false,
    loadMore: () => undefined,
    retry: () => undefined,
  };
  const columns: readonly Column<Gpu>[] = [
    { key: "id", head: "GPU", cell: (gpu) => <Code>{gpu.id}</Code> },
    {
      key: "model",
      head: t("infrastructure.gpu.model"),
      cell: (gpu) => `${gpu.model} · ${memoryText(gpu.memoryMiB)}`,
    },
    {
      key: "mode",
      head: t("infrastructure.gpu.mode"),
      cell: (gpu) => (
        <Stack gap={0}>
          {t(`infrastructure.gpu.modes.${gpu.mode}`)}
          {gpu.slicesMax === 1 ? null : (
            <Muted size="xs">{t("infrastructure.gpu.upTo", { slices: gpu.slicesMax })}</Muted>
          )}
        </Stack>
      ),
    },
    {
      key: "topology",
      head: t("infrastructure.gpu.topology"),
      cell: (gpu) =>
        [
          gpu.numaNode === null ? undefined : `NUMA ${gpu.numaNode}`,
          gpu.nvlinkGroup === null ? undefined : `NVLink ${gpu.nvlinkGroup}`,
        ]
          .filter((part) => part !== undefined)
          .join(", ") || "—",
    },
    {
      key: "health",
      head: t("infrastructure.gpu.health"),
      cell: (gpu) => <Health gpu={gpu} />,
    },
    {
      key: "used",
      head: t("infrastructure.used"),
      cell: (gpu) => `${Math.round(gpu.used * 100)} %`,
    },
    {
      key: "held",
      head: t("infrastructure.gpu.heldBy"),
      cell: (gpu) => <Holders gpu={gpu} work={work} />,
    },
    {
      key: "actions",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (gpu) => (
        <Button size="xs" disabledReason={why} onClick={() => setAsked(gpu)}>
          {gpu.sickBy.includes("operator")
            ? t("infrastructure.gpu.callWell")
            : t("infrastructure.gpu.callSick")}
        </Button>
      ),
    },
  ];
  return (
    <Stack gap="sm">
      <Heading level={2}>{t("infrastructure.gpu.title")}</Heading>
      <DataTable
        label={t("infrastructure.gpu.title")}
        pages={pages}
        columns={columns}
        keyOf={(gpu) => gpu.id}
        empty={<Muted size="md">{t("infrastructure.gpu.none")}</Muted>}
      />
      {asked === undefined ? null : asked.sickBy.includes("operator") ? (
        <WellDialog host={host} gpu={asked} onClose={() => setAsked(undefined)} />
      ) : (
        <SickDialog host={host} gpu={asked} onClose={() => setAsked(undefined)} />
      )}
    </Stack>
  );
}

function Health({ gpu }: { readonly gpu: Gpu }): ReactNode {
  const { t } = useText();
  return gpu.healthy ? (
    <Badge tone="good" icon="check">
      {t("infrastructure.gpu.well")}
    </Badge>
  ) : (
    <Stack gap={0}>
      <Badge tone="bad" icon="alert">
        {t("infrastructure.gpu.sick")}
      </Badge>
      <Muted size="xs">
        {gpu.sickBy.map((who) => t(`infrastructure.gpu.says.${who}`)).join(", ")}
        {gpu.note === null ? null : <bdi>: {gpu.note}</bdi>}
      </Muted>
    </Stack>
  );
}

function Holders({ gpu, work }: { readonly gpu: Gpu; readonly work: readonly Work[] }): ReactNode {
  const holders = work.flatMap((each) =>
    each.gpus
      .filter(({ deviceId }) => deviceId === gpu.id)
      .map(({ slice }) => ({ ...each, slice })),
  );
  if (holders.length === 0) return "—";
  return (
    <Stack gap={0}>
      {holders.map((each) => (
        <span key={`${each.requestId} ${each.since}`}>
          {each.name} <Muted size="xs">{each.tenant}</Muted>
          {each.slice === 1 ? null : ` 1/${each.slice}`}
        </span>
      ))}
    </Stack>
  );
}

interface Asked {
  readonly host: Host;
  readonly gpu: Gpu;
  readonly onClose: () => void;
}

function SickDialog({ host, gpu, onClose }: Asked): ReactNode {
  const { t } = useText();
  const [note, setNote] = useState("");
  const update = useAction("updateHostGpu", { onDone: onClose });
  const request = {
    params: { hostId: host.id, deviceId: gpu.id },
    body: { healthy: false, ...(note.trim() === "" ? {} : { note: note.trim() }) },
  };
  return (
    <FormDialog
      title={t("infrastructure.gpu.sickTitle", { id: gpu.id })}
      onClose={onClose}
      submitLabel={t("infrastructure.gpu.callSick")}
      isBusy={update.isPending}
      error={update.error}
      call={{ operation: "updateHostGpu", request }}
      onSubmit={() => update.mutate(request)}
    >
      <Text>{t("infrastructure.gpu.sickText")}</Text>
      <TextField
        label={t("infrastructure.note")}
        value={note}
        onChange={setNote}
        maxLength={500}
        autoFocus
      />
    </FormDialog>
  );
}

function WellDialog({ host, gpu, onClose }: Asked): ReactNode {
  const { t } = useText();
  const update = useAction("updateHostGpu", { onDone: onClose });
  return (
    <ConfirmDialog
      call={{
        operation: "updateHostGpu",
        request: {
          params: { hostId: host.id, deviceId: gpu.id },
          body: { healthy: true },
        },
      }}
      isOpen
      onClose={onClose}
      title={t("infrastructure.gpu.wellTitle", { id: gpu.id })}
      confirmLabel={t("infrastructure.gpu.callWell")}
      isBusy={update.isPending}
      error={update.error}
      onConfirm={() =>
        update.mutate({
          params: { hostId: host.id, deviceId: gpu.id },
          body: { healthy: true },
        })
      }
    >
      {gpu.sickBy.includes("platform")
        ? t("infrastructure.gpu.stillPlatform")
        : t("infrastructure.gpu.wellText")}
    </ConfirmDialog>
  );
}
