/** For the operator: `orphan list|adopt|remove`. */
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
import type { Column } from "#cli/table.ts";
import { mebibytes, none, shortId, time } from "#cli/text.ts";
import type { ItemOf } from "#client/types.ts";

const columns: readonly Column<ItemOf<"listOrphans">>[] = [
  { title: "MACHINE", cell: (orphan) => orphan.id },
  { title: "SITE", cell: (orphan) => orphan.site },
  { title: "STATE", cell: (orphan) => orphan.state },
  { title: "ASKED FOR", cell: (orphan) => time(orphan.askedAt) },
  { title: "KIND", cell: (orphan) => orphan.kind },
  { title: "POWER", cell: (orphan) => orphan.power },
  { title: "VCPUS", cell: (orphan) => `${orphan.vcpus}`, right: true },
  { title: "MEMORY", cell: (orphan) => mebibytes(orphan.memoryMiB), right: true },
  { title: "TENANT", cell: (orphan) => (orphan.owner ? shortId(orphan.owner.tenantId) : none) },
];

export function addOrphans(program: Command, shell: Shell): void {
  const orphan = group(program, "orphan", "Machines at a platform that no row wants");

  define(orphan, shell, {
    usage: "list",
    alias: "ls",
    summary: "Those that are there, the oldest first",
    more: "A machine that is kept was made in a history that this database does not have: it was\nrestored from an older backup, or the machine is another installation's.\n",
    args: noArguments,
    options: listOptions,
    act: async ({ client, out }, _args, { limit }) => {
      const found = await collect(client.items("listOrphans"), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(columns, found, "No orphans."),
      });
    },
  });

  define(orphan, shell, {
    usage: "adopt <orphan>",
    summary: "Make a kept machine a lease again, metered from now on",
    args: oneArgument,
    options: z.object({
      name: flag("--name <name>", "of the lease", z.string()),
      image: flag("--image <image>", "it was rented with, if known", z.string().optional()),
      owner: flag(
        "--owner <tenant>",
        "whose it is (default: as the platform has it)",
        z.string().optional(),
      ),
      project: flag("--project <id>", "of the owner (default: default)", z.string().optional()),
    }),
    examples: ["millrace orphan adopt 0190c2b4 --name web --owner acme"],
    act: async (session, [text], { name, image, owner, project }) => {
      const machineId = await resolve(session, kinds.orphan, text);
      const tenantId =
        owner === undefined ? undefined : await resolve(session, kinds.tenant, owner);
      const value = await session.client.call("adoptOrphan", {
        params: { machineId },
        body: {
          name,
          ...(image === undefined ? {} : { image }),
          ...(tenantId === undefined ? {} : { tenantId }),
          ...(project === undefined ? {} : { projectId: project }),
        },
      });
      await session.out.show({
        value,
        ids: [value.leaseId],
        text: () => `The machine is the lease ${name} (${value.leaseId}) now.\n`,
      });
    },
  });

  define(orphan, shell, {
    usage: "remove <orphan>",
    summary: "Let a kept machine be removed, with its disks, for ever",
    args: oneArgument,
    options: noOptions,
    act: async (session, [text]) => {
      const machineId = await resolve(session, kinds.orphan, text);
      const value = await session.client.call("removeOrphan", { params: { machineId } });
      await session.out.show({
        value,
        ids: [value.id],
        text: () => `The machine ${value.id} goes with the next look at ${value.site}.\n`,
      });
    },
  });
}
