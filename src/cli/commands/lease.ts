/** Renting machines and looking at them: `lease create|list|show|events`. */
import type { Command } from "commander";
import { z } from "zod";

import { besideOf, besideOptions } from "#cli/beside.ts";
import {
  define,
  flag,
  listOptions,
  manyFlag,
  noArguments,
  noOptions,
  oneArgument,
  type Shell,
} from "#cli/define.ts";
import { readTextFile } from "#cli/files.ts";
import { collect, listText } from "#cli/lists.ts";
import { kinds, resolve } from "#cli/resolve.ts";
import { idleText } from "#cli/idle-text.ts";
import { leaseText, leaseSummary } from "#cli/lease-text.ts";
import type { Session } from "#cli/session.ts";
import type { Column } from "#cli/table.ts";
import { mebibytes, money, shortId, time } from "#cli/text.ts";
import { sizeGib } from "#cli/values.ts";
import { settledLease, tookText, waitFor, waitOptions } from "#cli/waiting.ts";
import type { ItemOf } from "#client/types.ts";
import { leaseState, type Lease } from "#contract/schemas/compute.ts";

const createOptions = waitOptions.extend({
  flavor: flag("--flavor <name>", "what to rent; see 'millrace offers'", z.string()),
  image: flag("--image <name>", "what it starts from (default tiny)", z.string().optional()),
  disk: flag("--disk <size>", "a larger disk, such as 100GiB", sizeGib.optional()),
  project: flag("--project <project>", "name or id (default: default)", z.string().optional()),
  sshKey: manyFlag(
    "--ssh-key <key>",
    "an SSH key that it accepts, by name or id; may be repeated (default: all of yours)",
    z.array(z.string()).optional(),
  ),
  userData: flag(
    "--user-data <file>",
    "cloud-init user data ('-' is stdin)",
    z.string().optional(),
  ),
  restart: flag(
    "--restart <policy>",
    "whether a machine that died is started again: on-failure (default) or never",
    z.enum(["on-failure", "never"]).optional(),
  ),
  ...besideOptions,
});

const columns: readonly Column<Lease>[] = [
  { title: "NAME", cell: (lease) => lease.name },
  { title: "STATE", cell: (lease) => lease.state },
  { title: "FLAVOR", cell: (lease) => lease.flavor.name },
  { title: "VCPU", cell: (lease) => lease.flavor.vcpus, right: true },
  { title: "MEMORY", cell: (lease) => mebibytes(lease.flavor.memoryMiB), right: true },
  { title: "IMAGE", cell: (lease) => lease.image },
  { title: "PER HOUR", cell: (lease) => money(lease.price.hourly), right: true },
  { title: "CREATED", cell: (lease) => time(lease.createdAt) },
  { title: "ID", cell: (lease) => shortId(lease.id) },
];

const eventColumns: readonly Column<ItemOf<"listLeaseEvents">>[] = [
  { title: "TIME", cell: (event) => time(event.at) },
  { title: "EVENT", cell: (event) => event.kind },
  { title: "WHAT HAPPENED", cell: (event) => event.message },
];

/** Keys are put into a machine when it is made: one that is added later does not get in. */
async function warnWithoutKey({ client, out }: Session, name: string): Promise<void> {
  if (out.quiet) return;
  // A credential that may rent but not read keys gets no warning, and its machine.
  const keys = await client.call("listSshKeys", { query: { limit: 1 } }).catch(() => undefined);
  if (keys === undefined || keys.items.length > 0) return;
  out.note(
    `You have no SSH key here, so ${name} lets nobody log in. Add yours with: millrace ssh-key add\n` +
      `Then release ${name} and rent it again: keys are put in when a machine is made.\n`,
  );
}

export function addLeases(lease: Command, shell: Shell): void {
  define(lease, shell, {
    usage: "create <name>",
    summary: "Rent a machine",
    args: oneArgument,
    options: createOptions,
    examples: [
      "millrace lease create web --flavor small",
      "millrace lease create db --flavor large --image debian-12 --disk 200GiB",
      "ID=$(millrace lease create web --flavor small --quiet)",
    ],
    act: async (session, [name], options) => {
      const { client, out } = session;
      const { project, disk, userData, sshKey, image, restart } = options;
      const projectId =
        project === undefined ? undefined : await resolve(session, kinds.project, project);
      const made = await client.call("createLease", {
        body: {
          name,
          flavor: options.flavor,
          ...(projectId === undefined ? {} : { projectId }),
          ...(image === undefined ? {} : { image }),
          ...(disk === undefined ? {} : { diskGiB: disk }),
          ...(sshKey === undefined ? {} : { sshKeys: sshKey }),
          ...(restart === undefined ? {} : { restart }),
          ...besideOf(options),
          ...(userData === undefined ? {} : { userData: await readTextFile(userData) }),
        },
      });
      const { id } = made.lease;
      if (sshKey === undefined && userData === undefined) await warnWithoutKey(session, name);
      if (!options.wait) {
        const text = (): string =>
          `${name} is ${made.lease.state}. See: millrace lease show ${name}\n`;
        await out.show({ value: made.lease, ids: [id], text });
        return;
      }
      const operation = await waitFor(session, made.operation, {
        timeoutSeconds: options.timeout,
        what: `${name} is being created`,
        detail: async () => {
          const current = await client.call("getLease", { params: { leaseId: id } });
          const why = current.reason === null ? "" : ` (${current.reason.message})`;
          return `${name} is ${current.state}${why}`;
        },
      });
      const settle = { leaseId: id, timeoutSeconds: options.timeout };
      const value = await settledLease(session, settle);
      const text = (): string => leaseSummary(value, tookText(operation, value));
      await out.show({ value, ids: [id], text });
    },
  });

  define(lease, shell, {
    usage: "list",
    alias: "ls",
    summary: "Leases, newest first; those that ended only with --all",
    args: noArguments,
    options: listOptions.extend({
      all: flag("--all", "also those that ended", z.boolean().default(false)),
      state: flag(
        "--state <state>",
        `only those: ${leaseState.options.join(", ")}`,
        leaseState.optional(),
      ),
      project: flag("--project <project>", "only of this project", z.string().optional()),
    }),
    examples: ["millrace lease list", "millrace lease list --state running --quiet"],
    act: async (session, _args, { all, state, project, limit }) => {
      const query = {
        ...(state === undefined ? {} : { state }),
        ...(project === undefined
          ? {}
          : { projectId: await resolve(session, kinds.project, project) }),
      };
      const keep = (item: Lease): boolean =>
        all || state !== undefined || item.state !== "released";
      const found = await collect(session.client.items("listLeases", { query }), { limit, keep });
      await session.out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(columns, found, "No leases. Rent one with: millrace lease create"),
      });
    },
  });

  define(lease, shell, {
    usage: "show <lease>",
    summary: "One lease, by name or id",
    args: oneArgument,
    options: noOptions,
    act: async (session, [text]) => {
      const leaseId = await resolve(session, kinds.lease, text);
      const params = { leaseId };
      const value = await session.client.call("getLease", { params });
      const idleness = await session.client.call("getLeaseIdleness", { params });
      const shown = (): string => leaseText(value, idleText(idleness));
      await session.out.show({ value, ids: [value.id], text: shown });
    },
  });

  define(lease, shell, {
    usage: "events <lease>",
    summary: "What happened to a lease, oldest first",
    args: oneArgument,
    options: listOptions,
    act: async (session, [text], { limit }) => {
      const leaseId = await resolve(session, kinds.lease, text);
      const events = session.client.items("listLeaseEvents", { params: { leaseId } });
      const found = await collect(events, { limit });
      await session.out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.kind),
        text: () => listText(eventColumns, found, "Nothing happened yet."),
      });
    },
  });
}
