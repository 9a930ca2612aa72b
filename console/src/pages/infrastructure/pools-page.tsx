/** Pools: how parts of the fleet are sold, to whom, and how full they are. */
import { useState, type ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { useAction, usePages } from "#console/api/queries.ts";
import { ConfirmDialog } from "#console/components/confirm-dialog.tsx";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { Gauge } from "#console/components/gauge.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { useText } from "#console/i18n/index.ts";
import { useMay } from "#console/api/session.ts";
import { Button, IconButton } from "#console/ui/button.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { Stack } from "#console/ui/layout.tsx";
import { Menu } from "#console/ui/overlay.tsx";
import { Muted } from "#console/ui/text.tsx";

import { amountText } from "./fleet.ts";
import { PoolDialog } from "./pool-dialog.tsx";
import { PoolUse } from "./pool-use.tsx";

export type Pool = ItemOf<"listPools">;

export function PoolsPage(): ReactNode {
  const { t } = useText();
  const may = useMay();
  const [isAdding, setAdding] = useState(false);
  const pages = usePages("listPools", { query: { limit: 100 } }, { everyMs: 60_000 });
  const add = (
    <Button
      kind="primary"
      icon="plus"
      onClick={() => setAdding(true)}
      disabledReason={may("platform.manage") ? undefined : t("infrastructure.readOnly")}
    >
      {t("infrastructure.pools.add")}
    </Button>
  );
  return (
    <>
      <PageHead
        title={t("infrastructure.pools.title")}
        lead={t("infrastructure.pools.lead")}
        actions={add}
      />
      <DataTable
        label={t("infrastructure.pools.title")}
        pages={pages}
        columns={useColumns()}
        keyOf={(pool) => pool.id}
        empty={
          <EmptyState
            icon="pool"
            title={t("infrastructure.pools.empty")}
            text={t("infrastructure.pools.emptyText")}
            action={add}
            command="millrace pool create general --preset general"
          />
        }
      />
      {isAdding ? <PoolDialog pool={undefined} onClose={() => setAdding(false)} /> : null}
    </>
  );
}

function useColumns(): readonly Column<Pool>[] {
  const { t } = useText();
  const told = useServerWords();
  return [
    { key: "name", head: t("common.name"), cell: (pool) => pool.name },
    {
      key: "sold",
      head: t("infrastructure.pools.sold"),
      cell: (pool) => (
        <Stack gap={0}>
          {t(`infrastructure.pools.policies.${pool.policy}`)}
          <Muted size="xs">
            {t(`infrastructure.pools.classes.${pool.serviceClass}`)} ·{" "}
            {pool.slicesMax === 1
              ? t("infrastructure.pools.wholeOnly")
              : t("infrastructure.pools.slices", { slices: pool.slicesMax })}
          </Muted>
        </Stack>
      ),
    },
    {
      key: "wall",
      head: t("infrastructure.pools.wall"),
      cell: (pool) =>
        pool.tenants === null ? (
          t("infrastructure.pools.open")
        ) : (
          <Badge tone="info" icon="shield">
            {t("infrastructure.pools.dedicated", { count: pool.tenants.length })}
          </Badge>
        ),
    },
    {
      key: "gpus",
      head: "GPU",
      cell: (pool) =>
        pool.gpus.length === 0
          ? "—"
          : pool.gpus.map((gpu) => (
              <div key={gpu.model}>
                {`${amountText(gpu.allocated)} / ${gpu.devices} × ${gpu.model}`}
                {gpu.sick === 0 ? null : (
                  <Badge tone="bad" icon="alert">
                    {t("infrastructure.overview.sick", { count: gpu.sick })}
                  </Badge>
                )}
              </div>
            )),
    },
    {
      key: "use",
      head: t("infrastructure.used"),
      cell: (pool) => (
        <Stack gap={0}>
          <Gauge
            share={pool.capacity === 0 ? 0 : pool.allocated / pool.capacity}
            label={pool.name}
            text={t(`infrastructure.pools.of.${pool.unit}`, {
              used: amountText(pool.allocated),
              all: amountText(pool.capacity),
            })}
          />
          <PoolUse pool={pool} />
        </Stack>
      ),
    },
    {
      key: "reserve",
      head: t("infrastructure.pools.reserve"),
      cell: (pool) => (
        <Stack gap={0}>
          {`${pool.reservePercent} %`}
          <Muted size="xs">
            {t("infrastructure.pools.reserveText", {
              free: amountText(pool.reserve.free),
              size: amountText(pool.reserve.size),
            })}
          </Muted>
        </Stack>
      ),
    },
    {
      key: "hosts",
      head: t("infrastructure.hosts.list"),
      align: "end",
      cell: (pool) => (
        <Stack gap={0}>
          {pool.hosts}
          {pool.hostsAway === 0 ? null : (
            <Badge tone="bad" icon="alert">
              {t("infrastructure.hosts.siteAwayCount", { count: pool.hostsAway })}
            </Badge>
          )}
        </Stack>
      ),
    },
    {
      key: "findings",
      head: t("infrastructure.findings"),
      cell: (pool) =>
        pool.findings.length === 0 ? (
          <Muted>{t("common.none")}</Muted>
        ) : (
          <Stack gap={0}>
            {pool.findings.map((finding) => (
              <span key={finding.code} style={{ whiteSpace: "normal" }}>
                {told(finding.message)}
              </span>
            ))}
          </Stack>
        ),
    },
    {
      key: "actions",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (pool) => <PoolMenu pool={pool} />,
    },
  ];
}

function PoolMenu({ pool }: { readonly pool: Pool }): ReactNode {
  const { t } = useText();
  const may = useMay();
  const [asked, setAsked] = useState<"edit" | "delete">();
  const close = (): void => setAsked(undefined);
  const remove = useAction("deletePool", { onDone: close });
  const why = may("platform.manage") ? undefined : t("infrastructure.readOnly");
  return (
    <>
      <Menu
        trigger={
          <IconButton icon="more" label={t("infrastructure.actionsOf", { name: pool.name })} />
        }
        entries={[
          {
            kind: "action",
            icon: "edit",
            label: t("infrastructure.pools.edit"),
            disabledReason: why,
            run: () => setAsked("edit"),
          },
          {
            kind: "action",
            icon: "trash",
            label: t("common.delete"),
            isDangerous: true,
            disabledReason:
              why ?? (pool.hosts > 0 ? t("infrastructure.pools.hasHosts") : undefined),
            run: () => {
              remove.reset();
              setAsked("delete");
            },
          },
        ]}
      />
      {asked === "edit" ? <PoolDialog pool={pool} onClose={close} /> : null}
      <ConfirmDialog
        call={{ operation: "deletePool", request: { params: { name: pool.name } } }}
        isOpen={asked === "delete"}
        onClose={close}
        title={t("infrastructure.pools.deleteTitle", { name: pool.name })}
        confirmLabel={t("common.delete")}
        isDangerous
        isBusy={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate({ params: { name: pool.name } })}
      >
        {t("infrastructure.pools.deleteText")}
      </ConfirmDialog>
    </>
  );
}
