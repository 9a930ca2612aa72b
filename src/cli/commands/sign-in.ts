/** `session list|end` and `password set`: signing in to the console with a browser. */
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
import { readTextFile } from "#cli/files.ts";
import { collect, listText } from "#cli/lists.ts";
import type { Session } from "#cli/session.ts";
import type { Column } from "#cli/table.ts";
import { askSecret } from "#cli/terminal.ts";
import { shortId, time } from "#cli/text.ts";
import type { ItemOf } from "#client/types.ts";
import { Failure } from "#kernel/failure.ts";

const columns: readonly Column<ItemOf<"listSessions">>[] = [
  { title: "USER", cell: (session) => shortId(session.userId) },
  { title: "BY", cell: (session) => session.madeBy },
  { title: "FROM", cell: (session) => session.address },
  { title: "LAST SEEN", cell: (session) => time(session.lastSeenAt) },
  { title: "ENDS", cell: (session) => time(session.idleExpiresAt) },
  { title: "BROWSER", cell: (session) => session.userAgent.slice(0, 40) },
  { title: "ID", cell: (session) => session.id },
];

export function addSignIn(program: Command, shell: Shell): void {
  const sessions = group(program, "session", "Browsers that are signed in to the console");

  define(sessions, shell, {
    usage: "list",
    alias: "ls",
    summary: "Who is signed in: you, or the whole tenant for an administrator",
    args: noArguments,
    options: listOptions,
    act: async ({ client, out }, _args, { limit }) => {
      const found = await collect(client.items("listSessions"), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(columns, found, "Nobody is signed in. See: millrace console"),
      });
    },
  });

  define(sessions, shell, {
    usage: "end <id>",
    summary: "End a session at once",
    args: oneArgument,
    options: noOptions,
    act: async ({ client, out }, [sessionId]) => {
      await client.call("revokeSession", { params: { sessionId } });
      await out.show({
        value: { ended: sessionId },
        ids: [sessionId],
        text: () => "Ended. It counts no longer from now on.\n",
      });
    },
  });

  const password = group(program, "password", "Your password for the console");

  define(password, shell, {
    usage: "set",
    summary: "Set your password; your sessions elsewhere end",
    args: noArguments,
    options: z.object({
      email: flag("--email <address>", "with which you sign in", z.string().optional()),
      file: flag(
        "--file <path>",
        "a file with it (default: typed when asked for)",
        z.string().optional(),
      ),
      currentFile: flag(
        "--current-file <path>",
        "a file with the one you have (default: typed when asked for)",
        z.string().optional(),
      ),
    }),
    examples: ["millrace password set --email li@example.org"],
    act: async (session, _args, { email, file, currentFile }) => {
      const { user } = await session.client.call("whoami");
      const currentPassword = user.hasPassword
        ? await typed(session, "Current password: ", currentFile)
        : undefined;
      const next = await typed(session, "New password: ", file);
      await session.client.call("setPassword", {
        body: {
          password: next,
          ...(currentPassword === undefined ? {} : { currentPassword }),
          ...(email === undefined ? {} : { email }),
        },
      });
      const address = email ?? user.email ?? "";
      await session.out.show({
        value: { email: address },
        ids: [user.id],
        text: () => `Set. Sign in as ${address}.\n`,
      });
    },
  });
}

async function typed(
  session: Session,
  question: string,
  file: string | undefined,
): Promise<string> {
  const text =
    file === undefined
      ? await askSecret(question, session.signal)
      : (await readTextFile(file)).replace(/\r?\n$/, "");
  if (text !== undefined && text !== "") return text;
  throw new Failure("invalid_request", "No password was given. Type it, or name a file with it.");
}
