/** Projects: names under which work and its bill are sorted, with limits of their own. */
import { useState, type ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { useAction, useApi, usePages } from "#console/api/queries.ts";
import { ConfirmDialog } from "#console/components/confirm-dialog.tsx";
import { CopyLine } from "#console/components/copy.tsx";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { useMay } from "#console/api/session.ts";
import { IconButton } from "#console/ui/button.tsx";
import { TextField } from "#console/ui/fields.tsx";
import { Stack } from "#console/ui/layout.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Menu } from "#console/ui/overlay.tsx";
import { Muted } from "#console/ui/text.tsx";

import { LimitDialog } from "./limit-dialog.tsx";
import { limitText } from "./limit-text.ts";

type Project = ItemOf<"listProjects">;

export function ProjectsTab(): ReactNode {
  const { t } = useText();
  const pages = usePages("listProjects", { query: { limit: 100 } });
  const limits = useApi("listLimits");
  const columns: readonly Column<Project>[] = [
    {
      key: "name",
      head: t("common.name"),
      cell: (project) => (
        <TextLink to="/instances" search={{ project: project.id }}>
          {project.name}
        </TextLink>
      ),
    },
    {
      key: "limits",
      head: t("account.limits.title"),
      cell: ({ id }) => {
        const own = limits.data?.limits.filter((limit) => limit.projectId === id) ?? [];
        return own.length === 0 ? (
          <Muted>{t("account.limits.none")}</Muted>
        ) : (
          <Stack gap={0}>
            {own.map((limit) => (
              <span key={limit.gpuModel ?? ""}>{limitText(limit, t)}</span>
            ))}
          </Stack>
        );
      },
    },
    { key: "id", head: t("account.projects.id"), cell: ({ id }) => <CopyLine text={id} /> },
    { key: "created", head: t("common.created"), cell: (each) => <When at={each.createdAt} /> },
    {
      key: "actions",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (project) => <ProjectMenu project={project} />,
    },
  ];
  return (
    <DataTable
      label={t("account.projects.title")}
      pages={pages}
      columns={columns}
      keyOf={(project) => project.id}
      empty={<EmptyState icon="folder" title={t("account.projects.empty")} />}
    />
  );
}

function ProjectMenu({ project }: { readonly project: Project }): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("member.manage");
  const [asked, setAsked] = useState<"delete" | "limit">();
  const close = (): void => setAsked(undefined);
  const remove = useAction("deleteProject", { onDone: close });
  const why = mayManage ? undefined : t("account.team.adminOnly");
  return (
    <>
      <Menu
        trigger={
          <IconButton icon="more" label={t("account.team.actionsOf", { name: project.name })} />
        }
        entries={[
          {
            kind: "action",
            icon: "gauge",
            label: t("account.limits.set"),
            disabledReason: why,
            run: () => setAsked("limit"),
          },
          {
            kind: "action",
            icon: "trash",
            label: t("common.delete"),
            isDangerous: true,
            disabledReason: why,
            run: () => {
              remove.reset();
              setAsked("delete");
            },
          },
        ]}
      />
      {asked === "limit" ? <LimitDialog project={project} onClose={close} /> : null}
      <ConfirmDialog
        call={{ operation: "deleteProject", request: { params: { projectId: project.id } } }}
        isOpen={asked === "delete"}
        onClose={close}
        title={t("account.projects.deleteTitle", { name: project.name })}
        confirmLabel={t("common.delete")}
        isDangerous
        isBusy={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate({ params: { projectId: project.id } })}
      >
        {t("account.projects.deleteText")}
      </ConfirmDialog>
    </>
  );
}

export function CreateProjectDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { t } = useText();
  const [name, setName] = useState("");
  const create = useAction("createProject", { onDone: onClose });
  const request = { body: { name } };
  return (
    <FormDialog
      title={t("account.projects.add")}
      onClose={onClose}
      submitLabel={t("common.create")}
      isBusy={create.isPending}
      error={create.error}
      disabledReason={name === "" ? t("account.nameNeeded") : undefined}
      call={{ operation: "createProject", request }}
      onSubmit={() => create.mutate(request)}
    >
      <TextField
        label={t("common.name")}
        description={t("account.dnsName")}
        value={name}
        onChange={(next) => setName(next.toLowerCase())}
        maxLength={63}
        autoFocus
        isCode
        required
        error={fieldError(create.error, "name")}
      />
    </FormDialog>
  );
}
