/** For the operator: `queue list`. */
import type { Command } from "commander";
import { z } from "zod";

import { define, flag, group, listOptions, noArguments, type Shell } from "#cli/define.ts";
import { collect, listText } from "#cli/lists.ts";
import type { Column } from "#cli/table.ts";
import { none, safe, shortId, time } from "#cli/text.ts";
import type { ItemOf } from "#client/types.ts";

const columns: readonly Column<ItemOf<"listQueue">>[] = [
  { title: "POOL", cell: (entry) => entry.pool },
  { title: "PLACE", cell: (entry) => entry.position ?? none, right: true },
  { title: "TENANT", cell: (entry) => entry.tenant },
  { title: "KIND", cell: (entry) => entry.kind },
  { title: "NAME", cell: (entry) => entry.name },
  { title: "FLAVOR", cell: (entry) => entry.flavor },
  { title: "MEMBERS", cell: (entry) => entry.members, right: true },
  { title: "CLASS", cell: (entry) => entry.workClass },
  { title: "ASKED", cell: (entry) => time(entry.askedAt) },
  {
    title: "STARTS ABOUT",
    cell: (entry) => (entry.start?.likely ? time(entry.start.likely) : none),
  },
  { title: "WHY", cell: (entry) => (entry.reason === null ? none : safe(entry.reason.code)) },
  { title: "ID", cell: (entry) => shortId(entry.requestId) },
];

export function addQueue(program: Command, shell: Shell): void {
  const queue = group(program, "queue", "Who waits for capacity, over all customers");

  define(queue, shell, {
    usage: "list",
    alias: "ls",
    summary: "For the operator: who waits in which place, why, and when it may start",
    args: noArguments,
    options: listOptions.extend({
      pool: flag(
        "--pool <pool>",
        "only who waits for this GPU model, or cpu",
        z.string().optional(),
      ),
    }),
    examples: ["millrace queue list", "millrace queue list --pool A100"],
    act: async ({ client, out }, _args, { limit, pool }) => {
      const query = pool === undefined ? {} : { pool };
      const found = await collect(client.items("listQueue", { query }), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.requestId),
        text: () => listText(columns, found, "Nobody waits."),
      });
    },
  });
}
