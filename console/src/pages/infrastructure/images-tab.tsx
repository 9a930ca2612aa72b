/** Images that machines start from, and the operator's word about what is in them. */
import { useState, type ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useAction, useApi, wholeList } from "#console/api/queries.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { memoryText } from "#console/components/flavor.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { StateBadge } from "#console/components/state-badge.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { useText } from "#console/i18n/index.ts";
import { useMay } from "#console/api/session.ts";
import { Button } from "#console/ui/button.tsx";
import { MultiSelect, TextField } from "#console/ui/fields.tsx";
import { Stack } from "#console/ui/layout.tsx";
import { Code, Muted, Text } from "#console/ui/text.tsx";

type Image = AnswerOf<"listImages">["items"][number];

export function ImagesTab(): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  const may = useMay();
  const [asked, setAsked] = useState<Image>();
  const images = useApi("listImages", {}, { everyMs: 30_000 });
  const columns: readonly Column<Image>[] = [
    {
      key: "name",
      head: t("common.name"),
      cell: (image) => (
        <Stack gap={0}>
          {image.name}
          {image.description === "" ? null : <Muted size="xs">{told(image.description)}</Muted>}
        </Stack>
      ),
    },
    {
      key: "state",
      head: t("common.state"),
      cell: (image) => <StateBadge of="image" state={image.state} />,
    },
    {
      key: "user",
      head: t("infrastructure.images.user"),
      cell: (image) => <Code>{image.defaultUser}</Code>,
    },
    {
      key: "needs",
      head: t("infrastructure.images.needs"),
      cell: (image) => `${memoryText(image.minMemoryMiB)}, ${image.minDiskGiB} GiB`,
    },
    {
      key: "userData",
      head: t("infrastructure.images.userData"),
      cell: (image) => (image.takesUserData ? t("common.yes") : t("common.no")),
    },
    {
      key: "driver",
      head: t("infrastructure.gpuDriver"),
      cell: (image) => image.gpuDriver ?? <Muted>{t("infrastructure.images.unsaid")}</Muted>,
    },
    {
      key: "frameworks",
      head: t("infrastructure.images.frameworks"),
      cell: (image) =>
        image.frameworks === null ? (
          <Muted>{t("infrastructure.images.unsaid")}</Muted>
        ) : image.frameworks.length === 0 ? (
          t("common.none")
        ) : (
          image.frameworks.join(", ")
        ),
    },
    {
      key: "actions",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (image) => (
        <Button
          size="xs"
          icon="edit"
          disabledReason={may("catalog.manage") ? undefined : t("infrastructure.readOnly")}
          onClick={() => setAsked(image)}
        >
          {t("infrastructure.images.edit")}
        </Button>
      ),
    },
  ];
  return (
    <>
      <DataTable
        label={t("infrastructure.images.title")}
        pages={wholeList(images, images.data?.items)}
        columns={columns}
        keyOf={(image) => image.id}
        empty={
          <EmptyState
            icon="disk"
            title={t("infrastructure.images.empty")}
            text={t("infrastructure.images.emptyText")}
          />
        }
      />
      {asked === undefined ? null : (
        <ImageDialog image={asked} onClose={() => setAsked(undefined)} />
      )}
    </>
  );
}

const frameworks = ["pytorch", "tensorflow"] as const;

function ImageDialog({
  image,
  onClose,
}: {
  readonly image: Image;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const [driver, setDriver] = useState(image.gpuDriver ?? "");
  const [packed, setPacked] = useState<readonly string[]>(image.frameworks ?? []);
  const update = useAction("updateImage", { onDone: onClose });
  const request = {
    params: { name: image.name },
    body: {
      gpuDriver: driver.trim() === "" ? null : driver.trim(),
      frameworks: frameworks.filter((each) => packed.includes(each)),
    },
  };
  return (
    <FormDialog
      title={t("infrastructure.images.editTitle", { name: image.name })}
      onClose={onClose}
      submitLabel={t("common.save")}
      isBusy={update.isPending}
      error={update.error}
      call={{ operation: "updateImage", request }}
      onSubmit={() => update.mutate(request)}
    >
      <Text>{t("infrastructure.images.editText")}</Text>
      <TextField
        label={t("infrastructure.gpuDriver")}
        placeholder="550.54.15"
        value={driver}
        onChange={setDriver}
        maxLength={20}
        isCode
        error={fieldError(update.error, "gpuDriver")}
      />
      <MultiSelect
        label={t("infrastructure.images.frameworks")}
        value={packed}
        onChange={setPacked}
        choices={frameworks.map((value) => ({ value, label: value }))}
      />
    </FormDialog>
  );
}
