/** `snapshot create|list|revert|delete` */
import type { Command } from "commander";
import { z } from "zod";

import { define, flag, group, listOptions, oneArgument, type Shell } from "#cli/define.ts";
import { leaseSummary } from "#cli/lease-text.ts";
import { collect, listText } from "#cli/lists.ts";
import { kinds, resolve, snapshotsOf } from "#cli/resolve.ts";
import type { Session } from "#cli/session.ts";
import type { Column } from "#cli/table.ts";
import { because, bytes, shortId, time, yesNo } from "#cli/text.ts";
import { settledLease, tookText, waitFor, waitOptions } from "#cli/waiting.ts";
import type { ItemOf } from "#client/types.ts";
import { Failure } from "#kernel/failure.ts";

const leaseAndSnapshot = z.tuple([z.string(), z.string()]);

const columns: readonly Column<ItemOf<"listSnapshots">>[] = [
  { title: "NAME", cell: (item) => item.name },
  { title: "STATE", cell: (item) => item.state },
  { title: "MEMORY", cell: (item) => yesNo(item.withMemory) },
  { title: "SIZE", cell: (item) => bytes(item.sizeBytes), right: true },
  { title: "CREATED", cell: (item) => time(item.createdAt) },
  { title: "KEPT UNTIL", cell: (item) => time(item.keptUntil) },
  // Whole where it is typed by itself: millrace lease restore.
  { title: "ID", cell: (item) => (item.keptUntil === null ? shortId(item.id) : item.id) },
  { title: "WHY", cell: (item) => (item.reason === null ? "" : because(item.reason)) },
];

/** The server says what it cannot; here is how to ask for the rest. */
function namingTheDisk(error: unknown): unknown {
  if (!(error instanceof Failure) || error.code !== "unsupported") return error;
  return new Failure("unsupported", `${error.message} That is: --no-memory.`, { cause: error });
}

export function addSnapshots(program: Command, shell: Shell): void {
  const snapshot = group(program, "snapshot", "States of a machine that were kept");

  define(snapshot, shell, {
    usage: "create <lease> <name>",
    summary: "Keep the state of a machine: its disk, and its memory where its platform keeps that",
    args: leaseAndSnapshot,
    options: waitOptions.extend({
      memory: flag("--no-memory", "the disk only", z.boolean().default(true)),
      withMemory: flag(
        "--with-memory",
        "its memory too, or nothing at all",
        z.boolean().default(false),
      ),
    }),
    examples: ["millrace snapshot create web before-upgrade"],
    act: async (session, [text, name], options) => {
      const leaseId = await resolve(session, kinds.lease, text);
      const { client, out } = session;
      if (options.withMemory && !options.memory) {
        throw new Failure("invalid_request", "--with-memory and --no-memory exclude each other.");
      }
      const withMemory = options.memory ? options.withMemory || undefined : false;
      const body = { name, ...(withMemory === undefined ? {} : { withMemory }) };
      const made = await client
        .call("createSnapshot", { params: { leaseId }, body })
        .catch((error: unknown) => {
          throw options.withMemory ? namingTheDisk(error) : error;
        });
      const { id } = made.snapshot;
      if (!options.wait) {
        await out.show({
          value: made.snapshot,
          ids: [id],
          text: () =>
            `${name} is being made. To wait: millrace operation wait ${made.operation.id}\n`,
        });
        return;
      }
      const what = `snapshot ${name} is being made`;
      const ended = await waitFor(session, made.operation, {
        timeoutSeconds: options.timeout,
        what,
      });
      const value = await snapshotById(session, leaseId, id);
      await out.show({
        value: value ?? made.snapshot,
        ids: [id],
        text: () => `Snapshot ${name} of ${text} is ready ${tookText(ended)}.\n`,
      });
    },
  });

  define(snapshot, shell, {
    usage: "list <lease>",
    alias: "ls",
    summary: "The snapshots of a machine",
    args: oneArgument,
    options: listOptions,
    act: async (session, [text], { limit }) => {
      const leaseId = await resolve(session, kinds.lease, text);
      const all = session.client.items("listSnapshots", { params: { leaseId } });
      const found = await collect(all, { limit });
      await session.out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(columns, found, "No snapshots."),
      });
    },
  });

  define(snapshot, shell, {
    usage: "revert <lease> <snapshot>",
    summary: "Put a machine back to a snapshot; what it did since then is lost",
    args: leaseAndSnapshot,
    options: waitOptions,
    act: async (session, [text, name], options) => {
      const leaseId = await resolve(session, kinds.lease, text);
      const snapshotId = await resolve(session, snapshotsOf(leaseId), name);
      const { client, out } = session;
      const begun = await client.call("revertSnapshot", { params: { leaseId, snapshotId } });
      const what = `${begun.lease.name} is being put back to ${name}`;
      if (!options.wait) {
        await out.show({
          value: begun.lease,
          ids: [begun.lease.id],
          text: () => `${what}. To wait: millrace operation wait ${begun.operation.id}\n`,
        });
        return;
      }
      const ended = await waitFor(session, begun.operation, {
        timeoutSeconds: options.timeout,
        what,
      });
      const settle = { leaseId, timeoutSeconds: options.timeout };
      const value = await settledLease(session, settle);
      await out.show({
        value,
        ids: [value.id],
        text: () => leaseSummary(value, `as it was in ${name}, ${tookText(ended)}`),
      });
    },
  });

  define(snapshot, shell, {
    usage: "delete <lease> <snapshot>",
    alias: "rm",
    summary: "Remove a snapshot",
    args: leaseAndSnapshot,
    options: waitOptions,
    act: async (session, [text, name], options) => {
      const leaseId = await resolve(session, kinds.lease, text);
      const snapshotId = await resolve(session, snapshotsOf(leaseId), name);
      const params = { leaseId, snapshotId };
      const { operation } = await session.client.call("deleteSnapshot", { params });
      const what = `snapshot ${name} is being removed`;
      const ended = options.wait
        ? await waitFor(session, operation, { timeoutSeconds: options.timeout, what })
        : operation;
      await session.out.show({
        value: ended,
        ids: [snapshotId],
        text: () => (options.wait ? `Removed snapshot ${name}.\n` : `${what}.\n`),
      });
    },
  });
}

async function snapshotById(
  session: Session,
  leaseId: string,
  id: string,
): Promise<ItemOf<"listSnapshots"> | undefined> {
  for await (const item of session.client.items("listSnapshots", { params: { leaseId } })) {
    if (item.id === id) return item;
  }
  return undefined;
}
