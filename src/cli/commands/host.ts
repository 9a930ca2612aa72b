/** For the operator: `host list|show|cordon|uncordon|pool|gpu` and `places`. */
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
import { collect, listText } from "#cli/lists.ts";
import { kinds, resolve } from "#cli/resolve.ts";
import type { Session } from "#cli/session.ts";
import { table, type Column } from "#cli/table.ts";
import { mebibytes, none, percent, shortId, time } from "#cli/text.ts";
import type { AnswerOf, ItemOf } from "#client/types.ts";
import { Failure } from "#kernel/failure.ts";

type Host = ItemOf<"listHosts">;

const columns: readonly Column<Host>[] = [
  { title: "HOST", cell: (host) => host.name },
  {
    title: "STATE",
    cell: stateCell,
  },
  { title: "CPUS", cell: (host) => `${host.cpusUsed}/${host.cpus}`, right: true },
  {
    title: "MEMORY",
    cell: (host) => `${mebibytes(host.memoryMiBUsed)}/${mebibytes(host.memoryMiB)}`,
    right: true,
  },
  { title: "DISK", cell: (host) => `${host.diskGiBUsed}/${host.diskGiB} GiB`, right: true },
  { title: "GPUS", cell: gpuCell },
  { title: "POOL", cell: (host) => host.pool ?? none },
  { title: "RUNS", cell: (host) => host.execution },
  { title: "WHERE", cell: (host) => `${host.zone}/${host.pod}/${host.cluster}` },
  { title: "SEEN", cell: (host) => time(host.seenAt) },
  { title: "ID", cell: (host) => shortId(host.id) },
];

const startsNone = {
  core: "Starts no machines of class core",
  standard: "Starts no machines of class standard",
  job: "Starts no hosted jobs",
} as const;

/** Of a site that is away nobody knows how it is. */
function stateCell({ state, siteAwaySince, schedulable, maintenance }: Host): string {
  const seen = siteAwaySince === null ? state : `site away since ${time(siteAwaySince)}`;
  return schedulable ? seen : `${seen}, ${maintenance ? "in maintenance" : "cordoned"}`;
}

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

  define(host, shell, {
    usage: "show <host>",
    summary: "What runs on a host, and what a stopped lease keeps there",
    args: oneArgument,
    options: noOptions,
    act: async (session, [text]) => {
      const hostId = await resolve(session, kinds.host, text);
      const value = await session.client.call("getHost", { params: { hostId } });
      await session.out.show({
        value,
        ids: [value.id],
        text: () =>
          table(columns, [value]) +
          value.refuses.map(({ work, reason }) => `${startsNone[work]}: ${reason}.\n`).join("") +
          (value.work.length === 0 ? "Nothing runs there.\n" : table(workColumns, value.work)),
      });
    },
  });

  for (const [word, body, summary] of [
    ["cordon", { schedulable: false }, "Place nothing new on a host; what runs there stays"],
    ["uncordon", { schedulable: true }, "Place new work on a host again"],
    [
      "maintain",
      { maintenance: true },
      "Take a host out of service: nothing new, its jobs go on elsewhere, owners of leases are told",
    ],
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
          body,
        });
        await session.out.show({
          value,
          ids: [value.id],
          text: () => `${value.name} ${value.schedulable ? "takes" : "takes no"} new work.\n`,
        });
      },
    });
  }

  define(host, shell, {
    usage: "pool <host> [pool]",
    summary: "Put a host into a pool, or take it out of any with --none",
    args: z.tuple([z.string(), z.string().optional()]),
    options: z.object({
      none: flag("--none", "out of any pool", z.boolean().default(false)),
    }),
    examples: ["millrace host pool gpu-7 high-end", "millrace host pool gpu-7 --none"],
    act: async (session, [text, pool], options) => {
      if ((pool === undefined) === !options.none) {
        throw new Failure("invalid_request", "Name a pool, or say --none, and not both.");
      }
      const hostId = await resolve(session, kinds.host, text);
      const value = await session.client.call("updateHost", {
        params: { hostId },
        body: { pool: pool ?? null },
      });
      await session.out.show({
        value,
        ids: [value.id],
        text: () =>
          `${value.name} ${value.pool === null ? "is in no pool" : `is in the pool ${value.pool}`}.\n`,
      });
    },
  });

  define(host, shell, {
    usage: "gpu <host> [device]",
    summary: "The GPUs of a host; call one sick, so that it takes nothing new, or healthy again",
    args: z.tuple([z.string(), z.string().optional()]),
    options: z.object({
      sick: flag("--sick", "what it has it keeps, nothing new comes", z.boolean().default(false)),
      healthy: flag("--healthy", "take the word back", z.boolean().default(false)),
      note: flag("--note <text>", "why", z.string().optional()),
    }),
    examples: ["millrace host gpu gpu-7", "millrace host gpu gpu-7 0000:3b:00.0 --sick --note ECC"],
    act: async (session, [text, deviceId], { sick, healthy, note }) => {
      if (sick && healthy) {
        throw new Failure("invalid_request", "--sick and --healthy exclude each other.");
      }
      if ((deviceId !== undefined) !== (sick || healthy)) {
        throw new Failure("invalid_request", "A device and --sick or --healthy go together.");
      }
      const hostId = await resolve(session, kinds.host, text);
      const value =
        deviceId === undefined
          ? await hostOf(session, hostId)
          : await session.client.call("updateHostGpu", {
              params: { hostId, deviceId },
              body: { healthy, ...(note === undefined ? {} : { note }) },
            });
      await session.out.show({
        value,
        ids: value.gpus.map((gpu) => gpu.id),
        text: () => (value.gpus.length === 0 ? "No GPUs.\n" : table(gpuColumns, value.gpus)),
      });
    },
  });

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

const workColumns: readonly Column<AnswerOf<"getHost">["work"][number]>[] = [
  { title: "NAME", cell: (work) => work.name },
  { title: "KIND", cell: (work) => (work.holds === "disk" ? `${work.kind}, stopped` : work.kind) },
  { title: "TENANT", cell: (work) => work.tenant },
  { title: "CPUS", cell: (work) => work.cpus, right: true },
  { title: "MEMORY", cell: (work) => mebibytes(work.memoryMiB), right: true },
  { title: "DISK", cell: (work) => `${work.diskGiB} GiB`, right: true },
  {
    title: "GPUS",
    cell: ({ gpus }) =>
      gpus.length === 0
        ? none
        : gpus
            .map(({ deviceId, slice }) => (slice === 1 ? deviceId : `${deviceId} 1/${slice}`))
            .join(", "),
  },
  { title: "SINCE", cell: (work) => time(work.since) },
  { title: "ID", cell: (work) => shortId(work.requestId) },
];

type Gpu = Host["gpus"][number];

const gpuColumns: readonly Column<Gpu>[] = [
  { title: "GPU", cell: (gpu) => gpu.id },
  { title: "MODEL", cell: (gpu) => gpu.model },
  { title: "MEMORY", cell: (gpu) => mebibytes(gpu.memoryMiB), right: true },
  {
    title: "MODE",
    cell: (gpu) => (gpu.mode === "whole" ? "whole" : `${gpu.mode} 1/${gpu.slicesMax}`),
  },
  { title: "APART", cell: (gpu) => gpu.isolation },
  { title: "NUMA", cell: (gpu) => gpu.numaNode ?? none },
  { title: "NVLINK", cell: (gpu) => gpu.nvlinkGroup ?? none },
  { title: "USED", cell: (gpu) => percent(gpu.used), right: true },
  { title: "HEALTH", cell: healthCell },
  { title: "NOTE", cell: (gpu) => gpu.note ?? none },
];

function healthCell({ sickBy }: Gpu): string {
  return sickBy.length === 0 ? "healthy" : `sick, says the ${sickBy.join(" and the ")}`;
}

async function hostOf({ client }: Session, hostId: string): Promise<Host> {
  for await (const host of client.items("listHosts")) if (host.id === hostId) return host;
  throw new Failure("not_found", "There is no such host.");
}

function gpuCell(host: Host): string {
  const byModel = new Map<string, { count: number; used: number; sick: number }>();
  for (const { model, used, healthy } of host.gpus) {
    const sum = byModel.get(model) ?? { count: 0, used: 0, sick: 0 };
    const sick = sum.sick + (healthy ? 0 : 1);
    byModel.set(model, { count: sum.count + 1, used: sum.used + used, sick });
  }
  if (byModel.size === 0) return none;
  return [...byModel]
    .map(([model, { count, used, sick }]) => {
      const alsoSick = sick === 0 ? "" : `, ${sick} sick`;
      return `${count} x ${model} (${percent(used / count)} used${alsoSick})`;
    })
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
