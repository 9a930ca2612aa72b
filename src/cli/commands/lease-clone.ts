/** Another machine that begins as a copy of one: `lease clone`. */
import type { Command } from "commander";
import { z } from "zod";

import { define, flag, manyFlag, type Shell } from "#cli/define.ts";
import { leaseSummary } from "#cli/lease-text.ts";
import { kinds, resolve } from "#cli/resolve.ts";
import { sizeGib } from "#cli/values.ts";
import { settledLease, tookText, waitFor, waitOptions } from "#cli/waiting.ts";

const more = `It is rented as any other, at the price of today (millrace price FLAVOR), and billed once it runs.
What is copied is the disk, as it is at that moment: of a machine that runs, what was not
written yet is missing, as after a power cut; stop it first for a copy without that. What
programs keep on the disk as their own identity, such as /etc/machine-id, is copied too.
`;

export function addLeaseClone(lease: Command, shell: Shell): void {
  define(lease, shell, {
    usage: "clone <lease> <name>",
    summary: "Rent another machine that begins as a copy of this one's disk",
    more,
    args: z.tuple([z.string(), z.string()]),
    options: waitOptions.extend({
      flavor: flag("--flavor <name>", "another flavor (default: the same)", z.string().optional()),
      disk: flag("--disk <size>", "a larger disk, such as 100GiB", sizeGib.optional()),
      sshKey: manyFlag(
        "--ssh-key <key>",
        "an SSH key that it accepts, by name or id; may be repeated (default: those of the lease)",
        z.array(z.string()).optional(),
      ),
    }),
    examples: ["millrace lease clone web web-2", "millrace lease clone web web-big --flavor large"],
    act: async (session, [text, name], { flavor, disk, sshKey, ...options }) => {
      const { client, out } = session;
      const leaseId = await resolve(session, kinds.lease, text);
      const body = {
        name,
        ...(flavor === undefined ? {} : { flavor }),
        ...(disk === undefined ? {} : { diskGiB: disk }),
        ...(sshKey === undefined ? {} : { sshKeys: sshKey }),
      };
      const begun = await client.call("cloneLease", { params: { leaseId }, body });
      const { id } = begun.lease;
      if (!options.wait) {
        const told = (): string =>
          `${name} is ${begun.lease.state}. See: millrace lease show ${name}\n`;
        await out.show({ value: begun.lease, ids: [id], text: told });
        return;
      }
      const operation = await waitFor(session, begun.operation, {
        timeoutSeconds: options.timeout,
        what: `${name} is being made as a copy of ${text}`,
        detail: async () => {
          const current = await client.call("getLease", { params: { leaseId: id } });
          const why = current.reason === null ? "" : ` (${current.reason.message})`;
          return `${name} is ${current.state}${why}`;
        },
      });
      const settle = { leaseId: id, timeoutSeconds: options.timeout };
      const value = await settledLease(session, settle);
      const summary = (): string => leaseSummary(value, tookText(operation, value));
      await out.show({ value, ids: [id], text: summary });
    },
  });
}
