/** Flavors, offered and retired. A flavor is never changed: it is retired, and another is made. */
import { useState, type ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { useAction, usePages } from "#console/api/queries.ts";
import { ConfirmDialog } from "#console/components/confirm-dialog.tsx";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { gpuText, memoryText } from "#console/components/flavor.ts";
import { oneOf, useSearchParams } from "#console/components/search-params.ts";
import { useServerWords } from "#console/components/server-words.ts";
import { useText } from "#console/i18n/index.ts";
import { useMay } from "#console/api/session.ts";
import { Button } from "#console/ui/button.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { Segments } from "#console/ui/fields.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { Code, Muted } from "#console/ui/text.tsx";

type Flavor = ItemOf<"listFlavors">;

export function FlavorsTab(): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  const [{ show = "offered" }, setSearch] = useSearchParams({ show: oneOf(["offered", "all"]) });
  const pages = usePages("listFlavors", { query: { limit: 200 } });
  const items = pages.items.filter(({ state }) => show === "all" || state === "offered");
  const columns: readonly Column<Flavor>[] = [
    {
      key: "name",
      head: t("common.name"),
      cell: (flavor) => (
        <Stack gap={0}>
          <Row gap="xs">
            {flavor.name}
            {flavor.state === "retired" ? <Badge>{t("states.image.retired")}</Badge> : null}
          </Row>
          {flavor.description === "" ? null : <Muted size="xs">{told(flavor.description)}</Muted>}
        </Stack>
      ),
    },
    { key: "vcpus", head: "vCPU", align: "end", cell: (flavor) => flavor.vcpus },
    {
      key: "memory",
      head: t("infrastructure.memory"),
      align: "end",
      cell: (flavor) => memoryText(flavor.memoryMiB),
    },
    {
      key: "disk",
      head: t("infrastructure.disk"),
      align: "end",
      cell: (flavor) => `${flavor.diskGiB} GiB`,
    },
    {
      key: "gpu",
      head: "GPU",
      cell: (flavor) => (flavor.gpu === null ? "—" : gpuText(flavor.gpu)),
    },
    {
      key: "class",
      head: t("infrastructure.pools.class"),
      cell: (flavor) => t(`infrastructure.pools.classes.${flavor.serviceClass}`),
    },
    {
      key: "pool",
      head: t("infrastructure.pool"),
      cell: (flavor) => flavor.pool ?? <Muted>{t("infrastructure.flavors.anyPool")}</Muted>,
    },
    {
      key: "sku",
      head: "SKU",
      cell: (flavor) =>
        flavor.subscriptionSku === null ? "—" : <Code>{flavor.subscriptionSku}</Code>,
    },
    {
      key: "actions",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (flavor) => (flavor.state === "retired" ? null : <Retire flavor={flavor} />),
    },
  ];
  return (
    <DataTable
      label={t("infrastructure.flavors.title")}
      pages={{ ...pages, items }}
      columns={columns}
      keyOf={(flavor) => flavor.id}
      isFiltered={pages.items.length > 0}
      filters={
        <div>
          <Segments
            label={t("infrastructure.flavors.show")}
            value={show}
            onChange={(next) => setSearch({ show: next === "offered" ? undefined : next })}
            choices={[
              { value: "offered", label: t("infrastructure.flavors.offered") },
              { value: "all", label: t("common.all") },
            ]}
          />
        </div>
      }
      empty={<EmptyState icon="offer" title={t("infrastructure.flavors.empty")} />}
    />
  );
}

function Retire({ flavor }: { readonly flavor: Flavor }): ReactNode {
  const { t } = useText();
  const may = useMay();
  const [isAsked, setAsked] = useState(false);
  const retire = useAction("retireFlavor", { onDone: () => setAsked(false) });
  return (
    <>
      <Button
        size="xs"
        disabledReason={may("catalog.manage") ? undefined : t("infrastructure.readOnly")}
        onClick={() => setAsked(true)}
      >
        {t("infrastructure.flavors.retire")}
      </Button>
      <ConfirmDialog
        call={{ operation: "retireFlavor", request: { params: { name: flavor.name } } }}
        isOpen={isAsked}
        onClose={() => setAsked(false)}
        title={t("infrastructure.flavors.retireTitle", { name: flavor.name })}
        confirmLabel={t("infrastructure.flavors.retire")}
        isDangerous
        isBusy={retire.isPending}
        error={retire.error}
        onConfirm={() => retire.mutate({ params: { name: flavor.name } })}
      >
        {t("infrastructure.flavors.retireText")}
      </ConfirmDialog>
    </>
  );
}
