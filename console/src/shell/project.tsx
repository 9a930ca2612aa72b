/** The project whose things are shown: kept in the address (`?project=`), so that a link shows the same. */
import { useCallback, type ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { useSearchParams, anyText } from "#console/components/search-params.ts";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Menu, type MenuEntry } from "#console/ui/overlay.tsx";

const projectsMax = 200;

/** Its id; `undefined` for all projects. For the query of a list: `{ projectId: useProject() }`. */
export function useProject(): string | undefined {
  const [{ project }] = useSearchParams({ project: anyText(36) });
  return project;
}

/** The chosen project as a part of a request's query. */
export function useProjectQuery(): { readonly projectId?: string } {
  const project = useProject();
  return project === undefined ? {} : { projectId: project };
}

/** Names of projects by their ids. */
export function useProjectNames(): (id: string) => string {
  const projects = useApi("listProjects", { query: { limit: projectsMax } });
  const items = projects.data?.items;
  return useCallback(
    (id) => items?.find((each) => each.id === id)?.name ?? id.slice(0, 8),
    [items],
  );
}

export function ProjectMenu(): ReactNode {
  const { t } = useText();
  const [{ project }, setSearch] = useSearchParams({ project: anyText(36) });
  const projects = useApi("listProjects", { query: { limit: projectsMax } });
  const items = projects.data?.items ?? [];
  const current = items.find((each) => each.id === project);
  const entries: MenuEntry[] = [
    { kind: "label", label: t("shell.project") },
    {
      kind: "action",
      label: t("shell.allProjects"),
      isCurrent: current === undefined,
      run: () => setSearch({ project: undefined }),
    },
    ...items.map((each): MenuEntry => ({
      kind: "action",
      label: each.name,
      isCurrent: each.id === project,
      run: () => setSearch({ project: each.id }),
    })),
  ];
  return (
    <Menu
      trigger={
        <Button kind="quiet" icon="folder">
          {current?.name ?? t("shell.allProjects")}
        </Button>
      }
      entries={entries}
    />
  );
}
