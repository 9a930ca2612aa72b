/** `file upload|list|download|delete`: the tenant's storage. */
import { basename } from "node:path";

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
import { openFile, pour, saveTo } from "#cli/files.ts";
import { collect, listText } from "#cli/lists.ts";
import { kinds, resolve } from "#cli/resolve.ts";
import type { Column } from "#cli/table.ts";
import { bytes, shortId, time } from "#cli/text.ts";
import type { ItemOf } from "#client/types.ts";
import { Failure } from "#kernel/failure.ts";

const columns: readonly Column<ItemOf<"listFiles">>[] = [
  { title: "NAME", cell: (file) => file.name },
  { title: "KIND", cell: (file) => file.kind },
  { title: "SIZE", cell: (file) => bytes(file.sizeBytes), right: true },
  { title: "CREATED", cell: (file) => time(file.createdAt) },
  { title: "JOB", cell: (file) => (file.jobId === null ? "" : shortId(file.jobId)) },
  { title: "ID", cell: (file) => shortId(file.id) },
];

export function addFiles(program: Command, shell: Shell): void {
  const file = group(program, "file", "Files in your storage: inputs, logs and results of jobs");

  define(file, shell, {
    usage: "upload <path>",
    summary: "Keep a file for use as a job's input ('-' is stdin)",
    args: oneArgument,
    options: z.object({
      name: flag(
        "--name <name>",
        "its name in the storage (default: the file's own)",
        z.string().optional(),
      ),
    }),
    examples: [
      "millrace file upload data.csv",
      "tar -c src | millrace file upload - --name src.tar",
    ],
    act: async ({ client, out }, [path], { name }) => {
      if (path === "-" && name === undefined) {
        throw new Failure("invalid_request", "Give the name that stdin is kept under: --name.");
      }
      const query = { name: name ?? basename(path) };
      const value = await client.upload("uploadFile", { query, content: await openFile(path) });
      await out.show({
        value,
        ids: [value.id],
        text: () => `Kept ${value.name} (${bytes(value.sizeBytes)}) as ${value.id}.\n`,
      });
    },
  });

  define(file, shell, {
    usage: "list",
    alias: "ls",
    summary: "All files",
    args: noArguments,
    options: listOptions,
    act: async ({ client, out }, _args, { limit }) => {
      const found = await collect(client.items("listFiles"), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(columns, found, "No files."),
      });
    },
  });

  define(file, shell, {
    usage: "download <file>",
    summary: "Get a file back, by name or id",
    args: oneArgument,
    options: z.object({
      to: flag(
        "--to <path>",
        "where to write it ('-' is stdout; default: its name)",
        z.string().optional(),
      ),
      force: flag("--force", "replace an existing file", z.boolean().default(false)),
    }),
    act: async (session, [text], { to, force }) => {
      const { client, out, signal } = session;
      const fileId = await resolve(session, kinds.file, text);
      const answer = await client.bytes("downloadFile", { params: { fileId } }, { signal });
      if (to === "-") {
        await pour(out, answer.chunks);
        return;
      }
      const path = to ?? (text === fileId || fileId.startsWith(text) ? fileId : basename(text));
      const size = await saveTo(path, answer.chunks, { force });
      await out.show({
        value: { file: path, bytes: size },
        ids: [path],
        text: () => `Wrote ${bytes(size)} to ${path}.\n`,
      });
    },
  });

  define(file, shell, {
    usage: "delete <file>",
    alias: "rm",
    summary: "Remove a file, by name or id",
    args: oneArgument,
    options: noOptions,
    act: async (session, [text]) => {
      const fileId = await resolve(session, kinds.file, text);
      await session.client.call("deleteFile", { params: { fileId } });
      await session.out.show({
        value: { deleted: fileId },
        ids: [fileId],
        text: () => `Removed ${text}.\n`,
      });
    },
  });
}
