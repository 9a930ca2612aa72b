import type { z } from "zod";

import type * as wire from "#contract/schemas/identity.ts";
import { createProject, deleteProject, listProjects, type Project } from "#identity/projects.ts";

import type { Handlers } from "#api/handler.ts";
import { pageByAge } from "#api/page.ts";
import { time } from "#api/routes/wire.ts";

export const projectHandlers = {
  listProjects: async ({ query }, { tx, tenantId }) =>
    pageByAge(query, (ask) => listProjects(tx, tenantId, ask), shownProject),

  createProject: async ({ body }, { tx, tenantId, now, note }) => {
    note({ details: { name: body.name } });
    return shownProject(await createProject(tx, { tenantId, name: body.name, now: now() }));
  },

  deleteProject: async ({ params }, { tx, tenantId, now, note, services }) => {
    const project = { tenantId, projectId: params.projectId };
    const { name } = await deleteProject(tx, { ...project, now: now() }, () =>
      services.projects.holdings(tx, project),
    );
    note({ details: { name } });
    return undefined;
  },
} satisfies Partial<Handlers>;

function shownProject({ id, name, createdAt }: Project): z.output<typeof wire.project> {
  return { id, name, createdAt: time(createdAt) };
}
