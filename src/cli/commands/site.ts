/** For the operator: `site list|retire`. */
import type { Command } from "commander";

import { define, group, noArguments, noOptions, oneArgument, type Shell } from "#cli/define.ts";
import { table } from "#cli/table.ts";

import { siteColumns } from "./platform.ts";

export function addSites(program: Command, shell: Shell): void {
  const site = group(program, "site", "The platforms that everything runs on");

  define(site, shell, {
    usage: "list",
    alias: "ls",
    summary: "All sites, and since when one of them is away",
    args: noArguments,
    options: noOptions,
    act: async ({ client, out }) => {
      const { sites } = await client.call("getSystem");
      await out.show({
        value: { items: sites },
        ids: sites.map((each) => each.site),
        text: () => (sites.length === 0 ? "No sites.\n" : table(siteColumns, sites)),
      });
    },
  });

  define(site, shell, {
    usage: "retire <site>",
    summary: "Say that a site is gone for good",
    more: "Its hosts are in no list any more, and nothing warns that it is away. Refused while it answers, or\nholds leases, jobs or kept snapshots. A site that answers again is back by itself.\n",
    args: oneArgument,
    options: noOptions,
    examples: ["millrace site retire cluster-1"],
    act: async ({ client, out }, [name]) => {
      const value = await client.call("retireSite", { params: { name } });
      await out.show({
        value,
        ids: [value.site],
        text: () =>
          `The site ${value.site} is retired, with its ${value.hosts === 1 ? "host" : `${value.hosts} hosts`}.\n`,
      });
    },
  });
}
