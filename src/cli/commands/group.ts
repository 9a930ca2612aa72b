/** Groups of leases that grow and shrink: `group create|list|show|set|delete|events`. */
import type { Command } from "commander";
import { z } from "zod";

import {
  define,
  flag,
  group as commandGroup,
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
import type { Session } from "#cli/session.ts";
import { fields, table, type Column } from "#cli/table.ts";
import { confirmed } from "#cli/terminal.ts";
import { because, duration, money, none, shortId, time } from "#cli/text.ts";
import { count, seconds, sizeGib } from "#cli/values.ts";
import type { ItemOf } from "#client/types.ts";
import { groupSignal, type LeaseGroup } from "#contract/schemas/groups.ts";
import { Failure } from "#kernel/failure.ts";

/** "cpu=60" */
const target = z.string().transform((text, context) => {
  const [name, value = ""] = text.split("=");
  const signal = groupSignal.safeParse(name).data;
  if (signal !== undefined && /^[0-9]{1,4}(?:\.[0-9]+)?$/.test(value)) {
    return { signal, value: Number(value) };
  }
  context.addIssue(
    `${JSON.stringify(text)} is no target: write cpu=60, memory=80, gpu=70 or sessions=20`,
  );
  return z.NEVER;
});

const scalingOptions = {
  min: flag("--min <n>", "never fewer members (default 1)", count.optional()),
  max: flag("--max <n>", "never more members", count.optional()),
  wanted: flag("--wanted <n>", "as many to begin with, or from now on", count.optional()),
  target: manyFlag(
    "--target <signal=value>",
    "mean over the members: cpu, memory or gpu in percent, or sessions; may be repeated",
    z.array(target).optional(),
  ),
  outCooldown: flag(
    "--out-cooldown <time>",
    "after growing, no more of it for so long (default 1m)",
    seconds.optional(),
  ),
  inCooldown: flag(
    "--in-cooldown <time>",
    "after a change, no shrinking for so long (default 5m)",
    seconds.optional(),
  ),
  inWindow: flag(
    "--in-window <time>",
    "shrink to the most that was needed within so long (default 5m)",
    seconds.optional(),
  ),
};
type Scaling = z.output<z.ZodObject<typeof scalingOptions>>;

const createOptions = z.object({
  flavor: flag("--flavor <name>", "what each member is; see 'millrace offers'", z.string()),
  image: flag("--image <name>", "what it starts from (default tiny)", z.string().optional()),
  disk: flag("--disk <size>", "a larger disk, such as 100GiB", sizeGib.optional()),
  project: flag("--project <project>", "name or id (default: default)", z.string().optional()),
  sshKey: manyFlag(
    "--ssh-key <key>",
    "an SSH key that they accept, by name or id; may be repeated (default: all of yours)",
    z.array(z.string()).optional(),
  ),
  userData: flag(
    "--user-data <file>",
    "cloud-init user data, the same for all ('-' is stdin)",
    z.string().optional(),
  ),
  restart: flag(
    "--restart <policy>",
    "whether a machine that died is started again: on-failure (default) or never",
    z.enum(["on-failure", "never"]).optional(),
  ),
  ...scalingOptions,
});

const columns: readonly Column<LeaseGroup>[] = [
  { title: "NAME", cell: (each) => each.name },
  { title: "STATE", cell: (each) => each.state },
  { title: "FLAVOR", cell: (each) => each.flavor },
  { title: "RUN", cell: (each) => `${each.running} of ${each.wanted}`, right: true },
  { title: "MIN", cell: (each) => each.min, right: true },
  { title: "MAX", cell: (each) => each.max, right: true },
  { title: "TARGETS", cell: targetsCell },
  { title: "PER HOUR", cell: (each) => money(each.price.now), right: true },
  { title: "CREATED", cell: (each) => time(each.createdAt) },
  { title: "ID", cell: (each) => shortId(each.id) },
];

const memberColumns: readonly Column<LeaseGroup["members"][number]>[] = [
  { title: "MEMBER", cell: (each) => each.name },
  { title: "STATE", cell: (each) => each.state },
  { title: "CPU", cell: ({ figures }) => share(figures.cpu), right: true },
  { title: "MEMORY", cell: ({ figures }) => share(figures.memory), right: true },
  { title: "GPU", cell: ({ figures }) => share(figures.gpu), right: true },
  { title: "LOGINS", cell: ({ figures }) => figures.sessions ?? none, right: true },
  { title: "SEEN", cell: (each) => time(each.seenAt) },
  { title: "LEASE", cell: (each) => shortId(each.leaseId) },
];

const eventColumns: readonly Column<ItemOf<"listGroupEvents">>[] = [
  { title: "TIME", cell: (event) => time(event.at) },
  { title: "EVENT", cell: (event) => event.kind.replaceAll("_", " ") },
  { title: "WHAT AND WHY", cell: (event) => event.message },
];

export function addGroups(program: Command, shell: Shell): void {
  const parent = commandGroup(
    program,
    "group",
    "Groups of machines that are alike, and that grow and shrink by what they use",
  );

  define(parent, shell, {
    usage: "create <name>",
    summary: "Rent a group: NAME-0, NAME-1 and so on, each a lease of its own on the bill",
    more: "Without --target the number changes only by 'millrace group set NAME --wanted 5'.\n",
    args: oneArgument,
    options: createOptions,
    examples: [
      "millrace group create web --flavor small --min 2 --max 10 --target cpu=60",
      "millrace group create infer --flavor t4.1 --max 8 --target gpu=70 --target memory=80",
    ],
    act: async (session, [name], options) => {
      const { project, disk, image, sshKey, userData, restart, max } = options;
      if (max === undefined) {
        throw new Failure("invalid_request", "--max <n> is needed: never more members.");
      }
      const projectId =
        project === undefined ? undefined : await resolve(session, kinds.project, project);
      const value = await session.client.call("createGroup", {
        body: {
          name,
          flavor: options.flavor,
          ...(projectId === undefined ? {} : { projectId }),
          ...(image === undefined ? {} : { image }),
          ...(disk === undefined ? {} : { diskGiB: disk }),
          ...(sshKey === undefined ? {} : { sshKeys: sshKey }),
          ...(userData === undefined ? {} : { userData: await readTextFile(userData) }),
          ...(restart === undefined ? {} : { restart }),
          ...scalingOf(options),
          max,
        },
      });
      await show(session, value);
    },
  });

  define(parent, shell, {
    usage: "list",
    alias: "ls",
    summary: "Groups, newest first; those that were deleted only with --all",
    args: noArguments,
    options: listOptions.extend({
      all: flag("--all", "also those that were deleted", z.boolean().default(false)),
    }),
    act: async ({ client, out }, _args, { limit, all }) => {
      const state = all ? ("all" as const) : ("there" as const);
      const found = await collect(client.items("listGroups", { query: { state } }), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map(({ id }) => id),
        text: () =>
          listText(columns, found, "No groups. Rent one with: millrace group create <name>"),
      });
    },
  });

  define(parent, shell, {
    usage: "show <group>",
    summary: "One group: its members, what they use, and how many its targets ask for",
    args: oneArgument,
    options: noOptions,
    act: async (session, [text]) => {
      const groupId = await resolve(session, kinds.group, text);
      await show(session, await session.client.call("getGroup", { params: { groupId } }));
    },
  });

  define(parent, shell, {
    usage: "set <group>",
    summary: "Change how many members there are or may be, and the rules for it",
    more: "--no-targets leaves the number to you from now on.\n",
    args: oneArgument,
    options: z.object({
      ...scalingOptions,
      targets: flag("--no-targets", "no rules any more", z.boolean().default(true)),
    }),
    examples: ["millrace group set web --wanted 5", "millrace group set web --max 20"],
    act: async (session, [text], { targets, ...options }) => {
      const groupId = await resolve(session, kinds.group, text);
      const before = await session.client.call("getGroup", { params: { groupId } });
      const body = { ...scalingOf(options, before), ...(targets ? {} : { targets: [] }) };
      if (Object.keys(body).length === 0) {
        throw new Failure("invalid_request", "Name what to change, such as --wanted 5.");
      }
      await show(session, await session.client.call("updateGroup", { params: { groupId }, body }));
    },
  });

  define(parent, shell, {
    usage: "delete <group>",
    summary: "End a group: all its machines and their disks are destroyed",
    more: "On a terminal it asks first; a script is not asked.\n",
    args: oneArgument,
    options: z.object({
      yes: flag("-y, --yes", "do not ask first", z.boolean().default(false)),
    }),
    act: async (session, [text], { yes }) => {
      const groupId = await resolve(session, kinds.group, text);
      const question = `Destroy all members of ${text} and their disks?`;
      if (!yes && !(await confirmed(question, session.signal))) {
        throw new Failure("wrong_state", `${text} was left as it is.`);
      }
      await show(session, await session.client.call("deleteGroup", { params: { groupId } }));
    },
  });

  define(parent, shell, {
    usage: "events <group>",
    summary: "What the group decided and did, and why, newest first",
    args: oneArgument,
    options: listOptions,
    act: async (session, [text], { limit }) => {
      const { client, out } = session;
      const groupId = await resolve(session, kinds.group, text);
      const found = await collect(client.items("listGroupEvents", { params: { groupId } }), {
        limit,
      });
      await out.show({
        value: { items: found.items },
        ids: found.items.map(({ at }) => at),
        text: () => listText(eventColumns, found, "Nothing happened yet."),
      });
    },
  });
}

const scaleOutDefault = { stabilizationSeconds: 0, cooldownSeconds: 60 };
const scaleInDefault = { stabilizationSeconds: 300, cooldownSeconds: 300 };

/** What was said, and of a direction of which something was said the rest as it is. */
function scalingOf(
  { min, max, wanted, target: targets, outCooldown, inCooldown, inWindow }: Scaling,
  before?: Pick<LeaseGroup, "scaleOut" | "scaleIn">,
): {
  min?: number;
  max?: number;
  wanted?: number;
  targets?: z.output<typeof target>[];
  scaleOut?: LeaseGroup["scaleOut"];
  scaleIn?: LeaseGroup["scaleIn"];
} {
  const scaleOut = before?.scaleOut ?? scaleOutDefault;
  const scaleIn = before?.scaleIn ?? scaleInDefault;
  return {
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(wanted === undefined ? {} : { wanted }),
    ...(targets === undefined ? {} : { targets }),
    ...(outCooldown === undefined
      ? {}
      : { scaleOut: { ...scaleOut, cooldownSeconds: outCooldown } }),
    ...(inCooldown === undefined && inWindow === undefined
      ? {}
      : {
          scaleIn: {
            stabilizationSeconds: inWindow ?? scaleIn.stabilizationSeconds,
            cooldownSeconds: inCooldown ?? scaleIn.cooldownSeconds,
          },
        }),
  };
}

async function show({ out }: Session, value: LeaseGroup): Promise<void> {
  await out.show({ value, ids: [value.id], text: () => groupText(value) });
}

function groupText(group: LeaseGroup): string {
  const { price, scaleOut, scaleIn } = group;
  const head = fields([
    ["Name", group.name],
    ["State", group.state],
    ["Why", group.reason === null ? undefined : because(group.reason)],
    ["Flavor", group.flavor],
    ["Image", group.image],
    ["Members", `${group.running} run of ${group.wanted} wanted, ${group.min} to ${group.max}`],
    [
      "Price",
      `${money(price.now)} per hour now, ${money(price.each)} each, ${money(price.most)} at most`,
    ],
    ...group.targets.map(
      (each) =>
        [
          `Target ${each.signal}`,
          `${each.value}, is ${each.mean ?? "not seen"} (${each.seen} seen, ${each.missing} not)${each.wanted === null ? "" : `: asks for ${each.wanted}`}`,
        ] as const,
    ),
    ["Growing", `rests ${directionText(scaleOut)}`],
    ["Shrinking", `rests ${directionText(scaleIn)}`],
    ["Created", time(group.createdAt)],
    ["Deleted", group.deletedAt === null ? undefined : time(group.deletedAt)],
    ["Id", group.id],
  ]);
  return group.members.length === 0 ? head : `${head}\n${table(memberColumns, group.members)}`;
}

function directionText({ stabilizationSeconds, cooldownSeconds }: LeaseGroup["scaleIn"]): string {
  const rest = duration(cooldownSeconds * 1000);
  return stabilizationSeconds === 0
    ? rest
    : `${rest}, by the most that was needed within ${duration(stabilizationSeconds * 1000)}`;
}

function targetsCell({ targets }: LeaseGroup): string {
  return targets.length === 0
    ? none
    : targets.map(({ signal, value }) => `${signal}=${value}`).join(" ");
}

function share(value: number | null): string {
  return value === null ? none : `${Math.round(value)} %`;
}
