/** Groups of leases that grow and shrink. */
import type { z } from "zod";

import type { Context, Handlers } from "#api/handler.ts";
import { pageByAge, pageOf } from "#api/page.ts";
import { requireImageFits, requireTakesUserData } from "#api/routes/leases/leases.ts";
import { time, timeOrNull } from "#api/routes/wire.ts";
import { offeredFlavor } from "#catalog/flavors.ts";
import { usableImage } from "#catalog/images.ts";
import { pricesAt } from "#catalog/price-profiles.ts";
import type * as schemas from "#contract/schemas/groups.ts";
import type { LeaseGroup } from "#contract/schemas/groups.ts";
import { requireAgreements } from "#customers/agreements.ts";
import type { Queryable } from "#db/pool.ts";
import { requireMeans } from "#dunning/require.ts";
import { priceOf } from "#flow/admit/price.ts";
import { shapeOf } from "#flow/admit/shape.ts";
import { memberOf } from "#groups/admit.ts";
import { releaseMember } from "#groups/apply.ts";
import type { Rules } from "#groups/decide.ts";
import { lookAt, type Look } from "#groups/look.ts";
import { groupChannel } from "#groups/loop.ts";
import {
  addGroup,
  countGroups,
  endGroup,
  findGroup,
  groupEvents,
  listGroups,
  lockGroup,
  saveGroup,
  tell,
  type Group,
} from "#groups/rows.ts";
import { projectForWork } from "#identity/projects.ts";
import { chosenSshKeys } from "#identity/ssh-keys.ts";
import { Failure } from "#kernel/failure.ts";
import { fen, formatFen, type Fen } from "#kernel/money.ts";

/** Open groups of a tenant: each is looked at four times a minute. */
const groupsPerTenantMax = 50;
const secondMs = 1_000;

const nothingSeen = { cpu: null, memory: null, gpu: null, sessions: null };

export const groupHandlers = {
  createGroup: async ({ body }, context) => {
    const { tx, tenantId, principal } = context;
    const at = context.now();
    const project = await projectForWork(tx, tenantId, body.projectId);
    await requireAgreements(tx, tenantId);
    await requireMeans(tx, { tenantId, kind: "lease" });
    await requireRoom(tx, tenantId);
    const image = await usableImage(tx, body.image);
    if (body.userData !== undefined) await requireTakesUserData(context, image);
    const keys = await chosenSshKeys(tx, { tenantId, userId: principal.userId }, body.sshKeys);
    const template = {
      flavor: body.flavor,
      image: image.name,
      diskGiB: body.diskGiB ?? null,
      sshKeys: keys.map((key) => key.publicKey),
      userData: body.userData ?? null,
      restart: body.restart,
    };
    const { shape, price } = await memberOf(tx, { tenantId, template }, at);
    requireImageFits(shape, image);
    if (price.hourly === undefined) {
      throw new Failure(
        "rule_violation",
        `The flavor ${body.flavor} has no price yet (on request), so nothing of it can be rented.`,
      );
    }
    const group = await addGroup(tx, {
      tenantId,
      projectId: project.id,
      name: body.name,
      createdBy: principal.userId,
      template,
      min: body.min,
      max: body.max,
      wanted: body.wanted ?? body.min,
      rules: rulesOf(body),
      at,
    });
    const { min, max, wanted } = group;
    await tell(
      tx,
      { ...group, at },
      {
        kind: "created",
        message: `Made with ${wanted} members of ${min} to ${max}.`,
        details: { min, max, wanted, flavor: body.flavor },
      },
    );
    tx.nudge(groupChannel);
    context.note({ target: group.id, details: { name: body.name, flavor: body.flavor, max } });
    return show(tx, group, at);
  },

  listGroups: ({ query }, { tx, tenantId, now }) => listed(query, { tx, tenantId, now: now() }),

  getGroup: async ({ params }, { tx, tenantId, now }) => {
    const group = await findGroup(tx, { tenantId, id: params.groupId });
    if (group === undefined) throw new Failure("not_found", "There is no such group.");
    return show(tx, group, now());
  },

  updateGroup: async ({ params, body }, context) => {
    const { tx } = context;
    const at = context.now();
    const before = await openGroup(context, params.groupId);
    const group = changed(before, body);
    const { min, max, wanted } = group;
    if (min > max || (body.wanted !== undefined && wanted !== body.wanted)) {
      throw new Failure(
        "rule_violation",
        `The group ${group.name} has ${min} to ${max} members then; ${body.wanted ?? wanted} is outside of that.`,
        { details: { min, max, wanted: body.wanted ?? wanted } },
      );
    }
    await saveGroup(tx, group);
    await tell(
      tx,
      { ...group, at },
      {
        kind: "changed",
        message: `Its customer changed it: ${wanted} members of ${min} to ${max}.`,
        details: { ...body },
      },
    );
    tx.nudge(groupChannel);
    context.note({ details: { ...body } });
    return show(tx, group, at);
  },

  deleteGroup: async ({ params }, context) => {
    const { tx } = context;
    const at = context.now();
    const group = await openGroup(context, params.groupId);
    const { members } = await lookAt(tx, group, at);
    for (const member of members.toReversed()) {
      if (member.phase === "lost" || member.phase === "leaving") continue;
      await releaseMember(tx, group, member, at);
    }
    await endGroup(tx, { ...group, at });
    const message = "Its customer ended it; all members are released.";
    await tell(tx, { ...group, at }, { kind: "deleted", message });
    context.note({ details: { name: group.name } });
    return show(tx, { ...group, deletedAt: at }, at);
  },

  listGroupEvents: async ({ params, query }, { tx, tenantId }) => {
    const key = { tenantId, id: params.groupId };
    if ((await findGroup(tx, key)) === undefined) {
      throw new Failure("not_found", "There is no such group.");
    }
    return pageOf(query, {
      load: (ask) => groupEvents(tx, key, ask),
      show: ({ at, kind, message, details }) => ({ at: time(at), kind, message, details }),
      positionOf: ({ at, id }) => ({ at, id }),
    });
  },
} satisfies Partial<Handlers>;

async function listed(
  query: { readonly limit: number; readonly cursor?: string | undefined; state: "there" | "all" },
  { tx, tenantId, now }: { readonly tx: Queryable; readonly tenantId: string; now: number },
): Promise<{ items: LeaseGroup[]; next?: string }> {
  const found = await pageByAge(
    query,
    (ask) => listGroups(tx, { tenantId, state: query.state }, ask),
    (group) => group,
  );
  const items: LeaseGroup[] = [];
  for (const group of found.items) items.push(await show(tx, group, now));
  return { ...found, items };
}

async function openGroup({ tx, tenantId }: Context, id: string): Promise<Group> {
  const group = await lockGroup(tx, { tenantId, id });
  if (group.deletedAt === null) return group;
  throw new Failure("wrong_state", `The group ${group.name} was deleted.`);
}

async function requireRoom(db: Queryable, tenantId: string): Promise<void> {
  const count = await countGroups(db, tenantId);
  if (count < groupsPerTenantMax) return;
  throw new Failure(
    "rule_violation",
    `You have ${count} groups, the most that a customer may have; delete one first.`,
    { details: { limit: groupsPerTenantMax } },
  );
}

type Body = z.output<typeof schemas.createGroupBody>;

function rulesOf({
  targets,
  scaleOut,
  scaleIn,
}: Pick<Body, "targets" | "scaleOut" | "scaleIn">): Rules {
  return { targets, scaleOut: directionOf(scaleOut), scaleIn: directionOf(scaleIn) };
}

function directionOf({
  stabilizationSeconds,
  cooldownSeconds,
}: Body["scaleOut"]): Rules["scaleOut"] {
  return {
    stabilizationMs: stabilizationSeconds * secondMs,
    cooldownMs: cooldownSeconds * secondMs,
  };
}

/** What its rules advised before says nothing of what its customer wants now. */
function changed(group: Group, body: z.output<typeof schemas.updateGroupBody>): Group {
  const { min = group.min, max = group.max, targets = group.rules.targets } = body;
  const within = Math.max(min, Math.min(max, body.wanted ?? group.wanted));
  return {
    ...group,
    min,
    max,
    wanted: within,
    rules: {
      targets,
      scaleOut: body.scaleOut === undefined ? group.rules.scaleOut : directionOf(body.scaleOut),
      scaleIn: body.scaleIn === undefined ? group.rules.scaleIn : directionOf(body.scaleIn),
    },
    standing: { ...group.standing, advice: [] },
  };
}

async function show(tx: Queryable, group: Group, now: number): Promise<LeaseGroup> {
  const look = await lookAt(tx, group, now);
  const running = look.members.filter(({ phase }) => phase === "ready").length;
  const { template, rules } = group;
  return {
    id: group.id,
    projectId: group.projectId,
    name: group.name,
    state: stateOf(group, look),
    reason:
      group.refusal === null ? null : { ...group.refusal, details: { ...group.refusal.details } },
    flavor: template.flavor,
    image: template.image,
    diskGiB: template.diskGiB,
    restart: template.restart,
    min: group.min,
    max: group.max,
    wanted: group.wanted,
    running,
    members: look.members.map(({ ordinal, leaseId, view, seen }) => ({
      ordinal,
      leaseId,
      name: view.name,
      state: view.state,
      figures: seen?.figures ?? nothingSeen,
      seenAt: timeOrNull(seen?.seenAt ?? null),
    })),
    targets: look.decision.advice.map(({ signal, target, mean, seen, missing, wanted }) => ({
      signal,
      value: target,
      mean: mean === null ? null : Math.round(mean * 100) / 100,
      seen,
      missing,
      wanted,
    })),
    scaleOut: showDirection(rules.scaleOut),
    scaleIn: showDirection(rules.scaleIn),
    price: await priceOfGroup(tx, group, { running, now }),
    createdAt: time(group.createdAt),
    deletedAt: timeOrNull(group.deletedAt),
  };
}

function stateOf({ deletedAt, refusal, wanted }: Group, { members }: Look): LeaseGroup["state"] {
  const there = members.filter(({ phase }) => phase !== "lost");
  if (deletedAt !== null) return there.length > 0 ? "deleting" : "deleted";
  if (refusal !== null) return "refused";
  const settled = members.filter(({ phase }) => phase === "ready" || phase === "stopped");
  return settled.length === members.length && members.length === wanted ? "steady" : "scaling";
}

function showDirection({ stabilizationMs, cooldownMs }: Rules["scaleOut"]): Body["scaleOut"] {
  return {
    stabilizationSeconds: stabilizationMs / secondMs,
    cooldownSeconds: cooldownMs / secondMs,
  };
}

/** Of a flavor that is not sold any more there is no price: no further member can be had either. */
async function priceOfGroup(
  tx: Queryable,
  { template, max }: Group,
  { running, now }: { readonly running: number; readonly now: number },
): Promise<LeaseGroup["price"]> {
  const { flavor, diskGiB } = template;
  const hourly = await offeredFlavor(tx, flavor).then(
    async (found) =>
      priceOf(await pricesAt(tx, now), shapeOf(found, diskGiB === null ? {} : { diskGiB })).hourly,
    (error: unknown) => {
      if (error instanceof Failure) return undefined;
      throw error;
    },
  );
  const times = (count: number): string | null => product(hourly, count);
  return { each: times(1), now: times(running), most: times(max) };
}

function product(hourly: Fen | undefined, count: number): string | null {
  return hourly === undefined ? null : formatFen(fen(hourly * BigInt(count)));
}
