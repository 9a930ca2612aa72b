/** Ports of machines that are open to others: `opening list|add|remove`. */
import type { Command } from "commander";
import { z } from "zod";

import {
  define,
  flag,
  group,
  listOptions,
  manyFlag,
  noOptions,
  noArguments,
  oneArgument,
  type Shell,
} from "#cli/define.ts";
import { collect, listText } from "#cli/lists.ts";
import { kinds, resolve } from "#cli/resolve.ts";
import type { Session } from "#cli/session.ts";
import type { Column } from "#cli/table.ts";
import { shortId, time } from "#cli/text.ts";
import type { ItemOf } from "#client/types.ts";
import { Failure } from "#kernel/failure.ts";

type Opening = ItemOf<"listOpenings">;

const columns: readonly Column<Opening>[] = [
  { title: "PORT", cell: portText },
  { title: "FROM", cell: ({ sources }) => sources.join(", ") },
  { title: "OF", cell: ({ leaseId }) => (leaseId === null ? "all" : `lease ${shortId(leaseId)}`) },
  { title: "NOTE", cell: ({ note }) => note ?? "" },
  { title: "CREATED", cell: ({ createdAt }) => time(createdAt) },
  // Whole, as it is typed: it has no name.
  { title: "ID", cell: ({ id }) => id },
];

const project = flag("--project <project>", "name or id (default: default)", z.string().optional());

export function addOpenings(program: Command, shell: Shell): void {
  const opening = group(program, "opening", "Ports of your machines that are open to others");

  define(opening, shell, {
    usage: "list",
    alias: "ls",
    summary: "The open ports of a project's machines, besides SSH",
    args: noArguments,
    options: listOptions.extend({ project }),
    act: async (session, _args, { limit, ...of }) => {
      const projectId = await projectOf(session, of.project);
      const all = session.client.items("listOpenings", { params: { projectId } });
      const found = await collect(all, { limit });
      await session.out.show({
        value: { items: found.items },
        ids: found.items.map(({ id }) => id),
        text: () => listText(columns, found, "No ports are open but that of SSH."),
      });
    },
  });

  define(opening, shell, {
    usage: "add <protocol/port>",
    summary: "Open a port to the addresses that you say",
    args: oneArgument,
    options: z.object({
      from: manyFlag(
        "--from <cidr>",
        "a network that may come in, such as 203.0.113.0/24; may be repeated",
        z.array(z.string()),
      ),
      lease: flag("--lease <lease>", "of this lease's machine alone", z.string().optional()),
      project,
      note: flag("--note <text>", "what it is for", z.string().optional()),
    }),
    examples: [
      "millrace opening add tcp/443 --from 0.0.0.0/0 --from ::/0",
      "millrace opening add udp/51820 --from 203.0.113.7/32 --lease web --note vpn",
    ],
    act: async (session, [text], { from, lease, note, ...of }) => {
      if (lease !== undefined && of.project !== undefined) {
        throw new Failure("invalid_request", "Either --lease or --project: a lease has a project.");
      }
      const leaseId = lease === undefined ? undefined : await resolve(session, kinds.lease, lease);
      const projectId =
        leaseId === undefined
          ? await projectOf(session, of.project)
          : (await session.client.call("getLease", { params: { leaseId } })).projectId;
      const value = await session.client.call("createOpening", {
        params: { projectId },
        body: {
          ...portOf(text),
          sources: from,
          ...(leaseId === undefined ? {} : { leaseId }),
          ...(note === undefined ? {} : { note }),
        },
      });
      const whose = leaseId === undefined ? "all machines of the project" : (lease ?? "");
      await session.out.show({
        value,
        ids: [value.id],
        text: () => `${portText(value)} of ${whose} is open to ${value.sources.join(", ")}.\n`,
      });
    },
  });

  define(opening, shell, {
    usage: "remove <id>",
    alias: "rm",
    summary: "Close a port again",
    args: oneArgument,
    options: noOptions,
    act: async ({ client, out }, [openingId]) => {
      await client.call("deleteOpening", { params: { openingId } });
      await out.show({ value: { deleted: openingId }, ids: [openingId], text: () => "Closed.\n" });
    },
  });
}

function projectOf(session: Session, text: string | undefined): Promise<string> {
  return resolve(session, kinds.project, text ?? "default");
}

function portText({ protocol, port }: Pick<Opening, "protocol" | "port">): string {
  return `${protocol}/${port}`;
}

function portOf(text: string): Pick<Opening, "protocol" | "port"> {
  const [, protocol = "tcp", digits = ""] = /^(?:(tcp|udp)\/)?([0-9]{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits !== "" && port >= 1 && port <= 65_535) {
    return { protocol: protocol === "udp" ? "udp" : "tcp", port };
  }
  throw new Failure(
    "invalid_request",
    `${JSON.stringify(text)} is no port: write tcp/443 or udp/53.`,
  );
}
