/** The operator's rules by flavor; `default` is for all that have none of their own. */
import { useState, type ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useAction, useApi, wholeList } from "#console/api/queries.ts";
import { ConfirmDialog } from "#console/components/confirm-dialog.tsx";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { useMay } from "#console/api/session.ts";
import { Button, IconButton } from "#console/ui/button.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

import { IdleDialog } from "./idle-dialog.tsx";

export type IdlePolicy = AnswerOf<"listIdlePolicies">["items"][number];

type Asked = { readonly do: "set" | "delete"; readonly policy?: IdlePolicy };

export function IdleRulesTab(): ReactNode {
  const { t } = useText();
  const may = useMay();
  const [asked, setAsked] = useState<Asked>();
  const close = (): void => setAsked(undefined);
  const policies = useApi("listIdlePolicies");
  const remove = useAction("deleteIdlePolicy", { onDone: close });
  const why = may("platform.manage") ? undefined : t("infrastructure.readOnly");
  const add = (
    <Button kind="primary" icon="plus" disabledReason={why} onClick={() => setAsked({ do: "set" })}>
      {t("infrastructure.idle.add")}
    </Button>
  );
  const columns: readonly Column<IdlePolicy>[] = [
    {
      key: "scope",
      head: t("infrastructure.idle.scope"),
      cell: ({ scope }) => (scope === "default" ? t("infrastructure.idle.default") : scope),
    },
    {
      key: "when",
      head: t("infrastructure.idle.when"),
      cell: ({ rules }) =>
        t("infrastructure.idle.whenText", {
          window: rules.windowHours,
          warning: rules.warningHours,
        }),
    },
    {
      key: "keep",
      head: t("infrastructure.idle.keep"),
      cell: ({ rules }) => t("infrastructure.idle.keepText", { count: rules.keepDays }),
    },
    {
      key: "idle",
      head: t("infrastructure.idle.counts"),
      cell: ({ rules }) =>
        t("infrastructure.idle.countsText", {
          cpu: rules.cpuPercent,
          gpu: rules.gpuPercent,
          network: rules.networkBytesPerSecond,
        }),
    },
    {
      key: "exempt",
      head: t("infrastructure.idle.exemptions"),
      cell: ({ rules }) => t(`infrastructure.idle.${rules.exemptions}`),
    },
    {
      key: "changed",
      head: t("infrastructure.idle.changed"),
      cell: ({ changedAt }) => <When at={changedAt} />,
    },
    {
      key: "actions",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (policy) => (
        <Row gap="xs" wrap="nowrap">
          <IconButton
            icon="edit"
            label={t("infrastructure.idle.editOf", { name: policy.scope })}
            disabledReason={why}
            onClick={() => setAsked({ do: "set", policy })}
          />
          <IconButton
            icon="trash"
            label={t("infrastructure.idle.removeOf", { name: policy.scope })}
            disabledReason={why}
            onClick={() => {
              remove.reset();
              setAsked({ do: "delete", policy });
            }}
          />
        </Row>
      ),
    },
  ];
  const isEmpty = policies.data?.items.length === 0;
  return (
    <Stack gap="sm">
      {isEmpty ? null : <Row justify="flex-end">{add}</Row>}
      <DataTable
        label={t("infrastructure.idle.rules")}
        pages={wholeList(policies, policies.data?.items)}
        columns={columns}
        keyOf={({ scope }) => scope}
        empty={
          <EmptyState
            icon="clock"
            title={t("infrastructure.idle.empty")}
            text={t("infrastructure.idle.emptyText")}
            action={add}
            command="millrace idle set --window-hours 72"
          />
        }
      />
      <Muted>{t("infrastructure.idle.note")}</Muted>
      {asked?.do === "set" ? <IdleDialog policy={asked.policy} onClose={close} /> : null}
      <ConfirmDialog
        call={
          asked?.policy && {
            operation: "deleteIdlePolicy",
            request: { params: { scope: asked.policy.scope } },
          }
        }
        isOpen={asked?.do === "delete"}
        onClose={close}
        title={t("infrastructure.idle.removeOf", { name: asked?.policy?.scope ?? "" })}
        confirmLabel={t("common.delete")}
        isDangerous
        isBusy={remove.isPending}
        error={remove.error}
        onConfirm={() => {
          const scope = asked?.policy?.scope;
          if (scope !== undefined) remove.mutate({ params: { scope } });
        }}
      >
        {t("infrastructure.idle.removeText")}
      </ConfirmDialog>
    </Stack>
  );
}
