/** For the operator: `pool list|show|create|set|delete`. */
import type { Command } from "commander";
import { z } from "zod";

import {
  define,
  flag,
  group,
  listOptions,
  manyFlag,
  noArguments,
  noOptions,
  oneArgument,
  type Shell,
} from "#cli/define.ts";
import { collect, listText } from "#cli/lists.ts";
import { kinds, resolve } from "#cli/resolve.ts";
import type { Session } from "#cli/session.ts";
import { fields, type Column } from "#cli/table.ts";
import { none, percent, yesNo } from "#cli/text.ts";
import { poolPreset, poolSettings, type Pool } from "#contract/schemas/pools.ts";
import { Failure } from "#kernel/failure.ts";

const { policy, serviceClass } = poolSettings.shape;
const whole = z.coerce.number().int();

const settingOptions = {
  policy: flag(
    "--policy <policy>",
    "exclusive (whole devices), shared (slices too) or edge (only flavors that name it)",
    policy.optional(),
  ),
  class: flag(
    "--class <class>",
    "the work it takes: core, standard or any",
    serviceClass.optional(),
  ),
  slices: flag("--slices <n>", "most slices of a device, 1 to 16", whole.optional()),
  reserve: flag("--reserve <percent>", "kept for work after a fault", whole.optional()),
  spread: flag("--spread", "spread work over its hosts", z.literal(true).optional()),
  pack: flag("--pack", "fill one host after the other", z.literal(true).optional()),
  for: manyFlag(
    "--for <tenant>",
    "dedicate it to this tenant and nobody else; may be repeated",
    z.array(z.string()).default([]),
  ),
};
const createOptions = z.object({
  preset: flag(
    "--preset <preset>",
    "high-end (H100, A100 whole), general (A10, T4 up to 1:8) or edge (Jetson); options win",
    poolPreset.optional(),
  ),
  ...settingOptions,
});
const setOptions = z.object({
  ...settingOptions,
  open: flag("--open", "open it to all tenants again", z.literal(true).optional()),
});

const columns: readonly Column<Pool>[] = [
  { title: "POOL", cell: (pool) => pool.name },
  { title: "POLICY", cell: policyCell },
  { title: "CLASS", cell: (pool) => pool.serviceClass },
  {
    title: "HOSTS",
    cell: ({ hosts, hostsAway }) => (hostsAway === 0 ? hosts : `${hosts} (${hostsAway} away)`),
    right: true,
  },
  { title: "DEVICES", cell: devicesCell },
  { title: "ALLOCATED", cell: (pool) => share(pool.utilization.now), right: true },
  { title: "30 DAYS", cell: (pool) => share(pool.utilization.days30), right: true },
  { title: "TARGET", cell: targetCell, right: true },
  { title: "RESERVE", cell: reserveCell, right: true },
];

export function addPools(program: Command, shell: Shell): void {
  const pool = group(program, "pool", "Hosts that are sold in one way; 'host pool' puts hosts in");

  define(pool, shell, {
    usage: "list",
    alias: "ls",
    summary: "All pools: devices, what is allocated, now and over 30 days, and the reserve",
    args: noArguments,
    options: listOptions,
    act: async ({ client, out }, _args, { limit }) => {
      const found = await collect(client.items("listPools"), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.name),
        text: () => listText(columns, found, "No pools."),
      });
    },
  });

  define(pool, shell, {
    usage: "show <pool>",
    summary: "One pool, with what may be worth knowing about it",
    args: oneArgument,
    options: noOptions,
    act: async (session, [name]) => {
      await show(session, await session.client.call("getPool", { params: { name } }));
    },
  });

  define(pool, shell, {
    usage: "create <name>",
    summary: "Add a pool; without a preset, one that is shared 1:8 and open to all",
    args: oneArgument,
    options: createOptions,
    examples: [
      "millrace pool create high-end --preset high-end",
      "millrace pool create acme --preset high-end --for acme --reserve 25",
    ],
    act: async (session, [name], { preset, ...options }) => {
      const body = { name, ...(preset === undefined ? {} : { preset }) };
      const settings = await settingsOf(session, options);
      await show(
        session,
        await session.client.call("createPool", { body: { ...body, ...settings } }),
      );
    },
  });

  define(pool, shell, {
    usage: "set <pool>",
    summary: "Change how a pool is sold; what runs in it must be allowed afterwards",
    args: oneArgument,
    options: setOptions,
    examples: ["millrace pool set general --slices 4"],
    act: async (session, [name], { open, ...options }) => {
      if (open === true && options.for.length > 0) {
        throw new Failure("invalid_request", "--open and --for exclude each other.");
      }
      const body = {
        ...(await settingsOf(session, options)),
        ...(open === true ? { tenants: null } : {}),
      };
      if (Object.keys(body).length === 0) {
        throw new Failure("invalid_request", "Name what to change, such as --slices 4.");
      }
      await show(session, await session.client.call("updatePool", { params: { name }, body }));
    },
  });

  define(pool, shell, {
    usage: "delete <pool>",
    summary: "Remove a pool that has no hosts and no flavors any more",
    args: oneArgument,
    options: noOptions,
    act: async ({ client, out }, [name]) => {
      await client.call("deletePool", { params: { name } });
      await out.show({ value: { deleted: name }, ids: [name], text: () => `Deleted ${name}.\n` });
    },
  });
}

async function settingsOf(
  session: Session,
  options: Omit<z.output<typeof setOptions>, "open">,
): Promise<Partial<z.output<typeof poolSettings>>> {
  if (options.spread === true && options.pack === true) {
    throw new Failure("invalid_request", "--spread and --pack exclude each other.");
  }
  const tenants: string[] = [];
  for (const text of options.for) {
    // oxlint-disable-next-line no-await-in-loop -- a few names
    tenants.push(await resolve(session, kinds.tenant, text));
  }
  return {
    ...(options.policy === undefined ? {} : { policy: options.policy }),
    ...(options.class === undefined ? {} : { serviceClass: options.class }),
    ...(options.slices === undefined ? {} : { slicesMax: options.slices }),
    ...(options.reserve === undefined ? {} : { reservePercent: options.reserve }),
    ...(options.spread === true ? { spread: true } : {}),
    ...(options.pack === true ? { spread: false } : {}),
    ...(tenants.length === 0 ? {} : { tenants }),
  };
}

async function show({ out }: Session, pool: Pool): Promise<void> {
  await out.show({ value: pool, ids: [pool.name], text: () => poolText(pool) });
}

function poolText(pool: Pool): string {
  const { unit, capacity, allocated, reserve } = pool;
  const units = unit === "gpu" ? "GPUs" : "CPUs";
  const lines = pool.findings.map(({ code, message }) => `${code}: ${message}\n`);
  return (
    fields([
      ["Pool", pool.name],
      ["Policy", policyCell(pool)],
      ["Class", pool.serviceClass],
      ["Dedicated to", pool.tenants === null ? "nobody, open to all" : pool.tenants.join(", ")],
      ["Spread", yesNo(pool.spread)],
      ["Hosts", String(pool.hosts)],
      ["Devices", devicesCell(pool)],
      ["Allocated", `${rounded(allocated)} of ${rounded(capacity)} ${units}`],
      [
        "Utilization",
        `${share(pool.utilization.now)}, over 30 days ${share(pool.utilization.days30)}`,
      ],
      ["Target", targetCell(pool)],
      [
        "Reserve",
        reserve.size === 0
          ? none
          : `${pool.reservePercent} %: ${rounded(reserve.size)} ${units}, of which ${rounded(reserve.free)} free`,
      ],
    ]) + (lines.length === 0 ? "" : `\n${lines.join("")}`)
  );
}

function policyCell({ policy: of, slicesMax }: Pool): string {
  return slicesMax === 1 ? of : `${of} 1:${slicesMax}`;
}

function devicesCell({ gpus }: Pool): string {
  if (gpus.length === 0) return none;
  return gpus
    .map(({ model, devices, sick }) => {
      return `${devices} x ${model}${sick === 0 ? "" : ` (${sick} sick)`}`;
    })
    .join(", ");
}

function targetCell({ utilization: { target } }: Pool): string {
  return target === null ? none : `${percent(target.from)} to ${percent(target.until)}`;
}

function reserveCell({ reserve, reservePercent }: Pool): string {
  if (reservePercent === 0) return none;
  return `${rounded(reserve.free)} of ${rounded(reserve.size)} free`;
}

function share(of: number | null): string {
  return of === null ? none : percent(of);
}

function rounded(value: number): string {
  return String(Math.round(value * 100) / 100);
}
