/** Changing machines: `lease stop|start|reboot|resize|delete`, each waiting until it is done. */
import type { Command } from "commander";
import { z } from "zod";

import { define, flag, oneArgument, type Shell } from "#cli/define.ts";
import { leaseSummary } from "#cli/lease-text.ts";
import { kinds, resolve } from "#cli/resolve.ts";
import type { Session } from "#cli/session.ts";
import { confirmed } from "#cli/terminal.ts";
import { seconds, sizeGib } from "#cli/values.ts";
import { settledLease, tookText, waitFor, waitOptions } from "#cli/waiting.ts";
import type { AnswerOf } from "#client/types.ts";
import type { Lease } from "#contract/schemas/compute.ts";
import { Failure } from "#kernel/failure.ts";

export function addLeaseChanges(lease: Command, shell: Shell): void {
  define(lease, shell, {
    usage: "stop <lease>",
    summary: "Stop a machine: its disk stays and is billed, the rest is given back",
    args: oneArgument,
    options: waitOptions.extend({
      grace: flag(
        "--grace <time>",
        "how long it may take to shut itself down (default 30s)",
        seconds.default(30),
      ),
    }),
    act: async (session, [text], options) => {
      const leaseId = await resolve(session, kinds.lease, text);
      const body = { graceSeconds: options.grace };
      const begun = await session.client.call("stopLease", { params: { leaseId }, body });
      await finish(session, begun, { ...options, doing: "is stopping" });
    },
  });

  define(lease, shell, {
    usage: "start <lease>",
    summary: "Start a stopped machine",
    args: oneArgument,
    options: waitOptions,
    act: async (session, [text], options) => {
      const leaseId = await resolve(session, kinds.lease, text);
      const begun = await session.client.call("startLease", { params: { leaseId } });
      await finish(session, begun, { ...options, doing: "is starting" });
    },
  });

  define(lease, shell, {
    usage: "reboot <lease>",
    summary: "Restart the guest",
    args: oneArgument,
    options: waitOptions,
    act: async (session, [text], options) => {
      const leaseId = await resolve(session, kinds.lease, text);
      const begun = await session.client.call("rebootLease", { params: { leaseId } });
      await finish(session, begun, { ...options, doing: "is rebooting" });
    },
  });

  define(lease, shell, {
    usage: "move <lease>",
    summary: "Take a machine to another host while it runs (operators)",
    args: oneArgument,
    options: waitOptions.extend({
      host: flag("--host <host>", "to which one; else the platform chooses", z.string().optional()),
    }),
    examples: ["millrace lease move web --tenant acme"],
    act: async (session, [text], options) => {
      const leaseId = await resolve(session, kinds.lease, text);
      const { host } = options;
      const hostId = host === undefined ? undefined : await resolve(session, kinds.host, host);
      const body = hostId === undefined ? {} : { hostId };
      const begun = await session.client.call("moveLease", { params: { leaseId }, body });
      const from = begun.lease.host;
      const to = begun.to ?? "a host that its platform chooses";
      const follow = `To follow it: millrace lease events ${begun.lease.name}`;
      await finish(session, begun, {
        ...options,
        doing: `is moving to ${to}`,
        follow,
        settles: (moved) => moved.host !== from,
        says: (moved) =>
          moved.host === from || moved.host === null
            ? `Where it runs now is not known yet. ${follow}\n`
            : `It runs on ${moved.host} now, and no longer on ${from ?? "its host"}.\n`,
      });
    },
  });

  define(lease, shell, {
    usage: "resize <lease>",
    summary:
      "Another flavor or a larger disk; at once where the guest takes it, else at the next start",
    args: oneArgument,
    options: waitOptions.extend({
      flavor: flag("--flavor <name>", "the new flavor", z.string().optional()),
      disk: flag("--disk <size>", "the new size of the disk, such as 100GiB", sizeGib.optional()),
    }),
    examples: [
      "millrace lease resize web --flavor large",
      "millrace lease resize web --disk 100GiB",
    ],
    act: async (session, [text], options) => {
      const { flavor, disk } = options;
      if (flavor === undefined && disk === undefined) {
        throw new Failure("invalid_request", "Name what changes: --flavor, --disk, or both.");
      }
      const leaseId = await resolve(session, kinds.lease, text);
      const body = {
        ...(flavor === undefined ? {} : { flavor }),
        ...(disk === undefined ? {} : { diskGiB: disk }),
      };
      const begun = await session.client.call("resizeLease", { params: { leaseId }, body });
      await finish(session, begun, { ...options, doing: "is being resized" });
    },
  });

  define(lease, shell, {
    usage: "delete <lease>",
    // Everywhere else it is called a release.
    alias: ["release", "rm"],
    summary: "End a lease: the machine and its disks are destroyed",
    args: oneArgument,
    options: waitOptions.extend({
      yes: flag("-y, --yes", "do not ask first", z.boolean().default(false)),
    }),
    more: "On a terminal it asks first; a script is not asked.\n",
    act: async (session, [text], options) => {
      const leaseId = await resolve(session, kinds.lease, text);
      const question = `Destroy ${text} and its disks?`;
      if (!options.yes && !(await confirmed(question, session.signal))) {
        throw new Failure("wrong_state", `${text} was left as it is.`);
      }
      const begun = await session.client.call("releaseLease", { params: { leaseId } });
      await finish(session, begun, { ...options, doing: "is being released" });
    },
  });
}

async function finish(
  session: Session,
  { lease, operation }: AnswerOf<"startLease">,
  {
    wait,
    timeout,
    doing,
    follow,
    settles,
    says,
  }: {
    readonly wait: boolean;
    readonly timeout: number;
    readonly doing: string;
    /** Where its course is told. */
    readonly follow?: string;
    /** What is to be seen of the lease besides that it stands still. */
    readonly settles?: (lease: Lease) => boolean;
    readonly says?: (lease: Lease) => string;
  },
): Promise<void> {
  const what = `${lease.name} ${doing}`;
  if (!wait) {
    await session.out.show({
      value: lease,
      ids: [lease.id],
      text: () =>
        `${what}. To wait for it: millrace operation wait ${operation.id}\n${follow === undefined ? "" : `${follow}\n`}`,
    });
    return;
  }
  const ended = await waitFor(session, operation, { timeoutSeconds: timeout, what });
  const settle = { leaseId: lease.id, timeoutSeconds: timeout, ...(settles && { settles }) };
  const value = await settledLease(session, settle);
  const note = ended.note === null ? "" : `${ended.note}\n`;
  await session.out.show({
    value,
    ids: [value.id],
    text: () => `${leaseSummary(value, tookText(ended, value))}${says?.(value) ?? ""}${note}`,
  });
}
