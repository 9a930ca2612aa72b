/** For the operator: `host list|cordon|uncordon` and `places`. */
import type { Command } from "commander";

import {
  define,
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
import { mebibytes, none, percent, shortId, time } from "#cli/text.ts";
import type { AnswerOf, ItemOf } from "#client/types.ts";

type Host = ItemOf<"listHosts">;

const columns: readonly Column<Host>[] = [
  { title: "HOST", cell: (host) => host.name },
  { title: "STATE", cell: (host) => (host.schedulable ? host.state : `${host.state}, cordoned`) },
  { title: "CPUS", cell: (host) => `${host.cpusUsed}/${host.cpus}`, right: true },
  {
    title: "MEMORY",
    cell: (host) => `${mebibytes(host.memoryMiBUsed)}/${mebibytes(host.memoryMiB)}`,
    right: true,
  },
  { title: "DISK", cell: (host) => `${host.diskGiBUsed}/${host.diskGiB} GiB`, right: true },
  { title: "GPUS", cell: gpuCell },
  { title: "RUNS", cell: (host) => host.execution },
  { title: "WHERE", cell: (host) => `${host.zone}/${host.pod}/${host.cluster}` },
  { title: "SEEN", cell: (host) => time(host.seenAt) },
  { title: "ID", cell: (host) => shortId(host.id) },
];

export function addHosts(program: Command, shell: Shell): void {
  const host = group(program, "host", "The machines that everything runs on");

  define(host, shell, {
    usage: "list",
    alias: "ls",
    summary: "All hosts, with what is used of them",
    args: noArguments,
    options: listOptions,
    act: async ({ client, out }, _args, { limit }) => {
      const found = await collect(client.items("listHosts"), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(columns, found, "No hosts."),
      });
    },
  });

  for (const [word, schedulable, summary] of [
    ["cordon", false, "Place nothing new on a host; what runs there stays"],
    ["uncordon", true, "Place new work on a host again"],
  ] as const) {
    define(host, shell, {
      usage: `${word} <host>`,
      summary,
      args: oneArgument,
      options: noOptions,
      act: async (session, [text]) => {
        const hostId = await resolve(session, kinds.host, text);
        const value = await session.client.call("updateHost", {
          params: { hostId },
          body: { schedulable },
        });
        await session.out.show({
          value,
          ids: [value.id],
          text: () => `${value.name} ${value.schedulable ? "takes" : "takes no"} new work.\n`,
        });
      },
    });
  }

  define(program, shell, {
    usage: "places",
    summary: "Zones, pods, clusters, hosts and their storage",
    args: noArguments,
    options: noOptions,
    act: async ({ client, out }) => {
      const value = await client.call("getPlaces");
      await out.show({
        value,
        ids: value.zones.map((zone) => zone.name),
        text: () => placesText(value),
      });
    },
  });
}

function gpuCell(host: Host): string {
  const byModel = new Map<string, { count: number; used: number }>();
  for (const { model, used } of host.gpus) {
    const sum = byModel.get(model) ?? { count: 0, used: 0 };
    byModel.set(model, { count: sum.count + 1, used: sum.used + used });
  }
  if (byModel.size === 0) return none;
  return [...byModel]
    .map(([model, { count, used }]) => `${count} x ${model} (${percent(used / count)} used)`)
    .join(", ");
}

function placesText({ zones }: AnswerOf<"getPlaces">): string {
  const lines: string[] = [];
  for (const zone of zones) {
    const stores = zone.secondaryStorage.map((store) => `${store.name} (${store.kind})`);
    lines.push(
      `zone ${zone.name}${stores.length === 0 ? "" : `, secondary storage ${stores.join(", ")}`}`,
    );
    for (const pod of zone.pods) {
      lines.push(`  pod ${pod.name}${pod.subnet === null ? "" : `, subnet ${pod.subnet}`}`);
      for (const cluster of pod.clusters) {
        lines.push(`    cluster ${cluster.name}, site ${cluster.site}`);
        for (const store of cluster.primaryStorage) {
          lines.push(`      primary storage ${store.name} (${store.kind}, ${store.sizeGiB} GiB)`);
        }
        for (const name of cluster.hosts) lines.push(`      host ${name}`);
      }
    }
  }
  return lines.length === 0 ? "No places.\n" : `${lines.join("\n")}\n`;
}
