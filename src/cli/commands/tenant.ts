/** `tenant create|list|show|suspend|activate|class|rename` and `project create|list|delete`. */
import type { Command } from "commander";
import { z } from "zod";

import {
  define,
  flag,
  group,
  listOptions,
  noArguments,
  noOptions,
  oneArgument,
  type Shell,
} from "#cli/define.ts";
import { collect, listText } from "#cli/lists.ts";
import { kinds, resolve } from "#cli/resolve.ts";
import { fields, type Column } from "#cli/table.ts";
import { shortId, time } from "#cli/text.ts";
import type { AnswerOf, ItemOf } from "#client/types.ts";

type Tenant = AnswerOf<"getTenant">;

const columns: readonly Column<ItemOf<"listTenants">>[] = [
  { title: "NAME", cell: (tenant) => tenant.name },
  { title: "DISPLAY NAME", cell: (tenant) => tenant.displayName },
  { title: "STATE", cell: (tenant) => tenant.state },
  { title: "TIME ZONE", cell: (tenant) => tenant.timeZone },
  { title: "CREATED", cell: (tenant) => time(tenant.createdAt) },
  { title: "ID", cell: (tenant) => shortId(tenant.id) },
];

const projectColumns: readonly Column<ItemOf<"listProjects">>[] = [
  { title: "NAME", cell: (project) => project.name },
  { title: "CREATED", cell: (project) => time(project.createdAt) },
  { title: "ID", cell: (project) => shortId(project.id) },
];

export function addTenants(program: Command, shell: Shell): void {
  const tenant = group(program, "tenant", "For the operator: the paying accounts");

  define(tenant, shell, {
    usage: "create <name>",
    summary: "Open an account, with an administrator and its first API key",
    args: oneArgument,
    options: z.object({
      displayName: flag("--display-name <text>", "as it stands on bills", z.string().optional()),
      timeZone: flag(
        "--time-zone <zone>",
        "of days and months on bills (default Asia/Shanghai)",
        z.string().optional(),
      ),
    }),
    examples: ["millrace tenant create acme --display-name 'Acme 有限公司'"],
    more: "With --quiet it prints the administrator's key and nothing else.\n",
    act: async ({ client, out }, [name], { displayName, timeZone }) => {
      const value = await client.call("createTenant", {
        body: {
          name,
          ...(displayName === undefined ? {} : { displayName }),
          ...(timeZone === undefined ? {} : { timeZone }),
        },
      });
      const { secret } = value.administrator;
      await out.show({
        value,
        ids: [secret],
        text: () =>
          `${tenantText(value.tenant)}\nThe administrator's key, shown this once:\n${secret}\nIt is for: MILLRACE_KEY=... millrace login --name ${value.tenant.name}\n`,
      });
    },
  });

  define(tenant, shell, {
    usage: "list",
    alias: "ls",
    summary: "All tenants",
    args: noArguments,
    options: listOptions,
    act: async ({ client, out }, _args, { limit }) => {
      const found = await collect(client.items("listTenants"), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(columns, found, "No tenants."),
      });
    },
  });

  define(tenant, shell, {
    usage: "show [tenant]",
    summary: "One tenant (default: your own)",
    args: z.tuple([z.string().optional()]),
    options: noOptions,
    act: async (session, [text]) => {
      const { client, out } = session;
      const tenantId =
        text === undefined
          ? (await client.call("whoami")).tenant.id
          : await resolve(session, kinds.tenant, text);
      const value = await client.call("getTenant", { params: { tenantId } });
      await out.show({ value, ids: [value.id], text: () => tenantText(value) });
    },
  });

  for (const [word, state, summary, more] of [
    [
      "suspend",
      "suspended",
      "Stop what a tenant runs, and let it only read",
      "Leases are stopped at once and keep their disks, which are billed as of any stopped lease; jobs\nare canceled. Nothing is deleted.\n",
    ],
    [
      "activate",
      "active",
      "End a suspension",
      "Nothing starts by itself: the customer starts the leases that he needs.\n",
    ],
  ] as const) {
    define(tenant, shell, {
      usage: `${word} <tenant>`,
      summary,
      args: oneArgument,
      options: noOptions,
      more,
      act: async (session, [text]) => {
        const tenantId = await resolve(session, kinds.tenant, text);
        const value = await session.client.call("updateTenant", {
          params: { tenantId },
          body: { state },
        });
        await session.out.show({ value, ids: [value.id], text: () => tenantText(value) });
      },
    });
  }

  define(tenant, shell, {
    usage: "class <tenant> <class>",
    summary: "Let a tenant rent core flavors alone (core), or any (standard)",
    args: z.tuple([z.string(), z.enum(["core", "standard"])]),
    options: noOptions,
    more: "Of a core tenant every project is strict, on every cluster: the cluster itself refuses machines\nthat share their CPUs. It becomes core once it has no such lease any more. Jobs are not meant.\n",
    act: async (session, [text, serviceClass]) => {
      const tenantId = await resolve(session, kinds.tenant, text);
      const value = await session.client.call("updateTenant", {
        params: { tenantId },
        body: { serviceClass },
      });
      await session.out.show({ value, ids: [value.id], text: () => tenantText(value) });
    },
  });

  define(tenant, shell, {
    usage: "rename <tenant> <text>",
    summary: "Change the display name",
    args: z.tuple([z.string(), z.string()]),
    options: noOptions,
    act: async (session, [text, displayName]) => {
      const tenantId = await resolve(session, kinds.tenant, text);
      const value = await session.client.call("updateTenant", {
        params: { tenantId },
        body: { displayName },
      });
      await session.out.show({ value, ids: [value.id], text: () => tenantText(value) });
    },
  });

  addProjects(program, shell);
}

function addProjects(program: Command, shell: Shell): void {
  const project = group(program, "project", "Namespaces of your work");

  define(project, shell, {
    usage: "create <name>",
    summary: "Open a project",
    args: oneArgument,
    options: noOptions,
    act: async ({ client, out }, [name]) => {
      const value = await client.call("createProject", { body: { name } });
      await out.show({ value, ids: [value.id], text: () => `Project ${name} is there.\n` });
    },
  });

  define(project, shell, {
    usage: "list",
    alias: "ls",
    summary: "All projects",
    args: noArguments,
    options: listOptions,
    act: async ({ client, out }, _args, { limit }) => {
      const found = await collect(client.items("listProjects"), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(projectColumns, found, "No projects."),
      });
    },
  });

  define(project, shell, {
    usage: "delete <project>",
    alias: "rm",
    summary: "Remove a project that holds nothing",
    args: oneArgument,
    options: noOptions,
    act: async (session, [text]) => {
      const projectId = await resolve(session, kinds.project, text);
      await session.client.call("deleteProject", { params: { projectId } });
      await session.out.show({
        value: { deleted: projectId },
        ids: [projectId],
        text: () => `Removed project ${text}.\n`,
      });
    },
  });
}

function tenantText(tenant: Tenant): string {
  return fields([
    ["Name", tenant.name],
    ["Display name", tenant.displayName],
    ["State", tenant.state],
    ["Class", tenant.serviceClass],
    ["Time zone", tenant.timeZone],
    ["Created", time(tenant.createdAt)],
    ["Id", tenant.id],
  ]);
}
