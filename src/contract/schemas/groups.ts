/** Groups of leases that grow and shrink: how many there are, by which rules, and what was decided. */
import { z } from "zod";

import { flavorName } from "./catalog.ts";
import { dnsName, id, money, reason, timestamp } from "./common.ts";
import { leaseState, restartPolicy } from "./compute.ts";

/** More is several groups. */
export const groupMembersMax = 200;
/** `NAME-199` is a DNS label as well. */
const groupNameMax = 59;

export const groupSignal = z.enum(["cpu", "memory", "gpu", "sessions"]);

const members = z.number().int().min(0).max(groupMembersMax);

const targets = z
  .array(
    z.strictObject({
      signal: groupSignal,
      /** Mean over the members: percent of what they have, or people who are logged in. */
      value: z.number().min(1).max(1_000),
    }),
  )
  .max(4)
  .refine(
    (list) => list.every(({ signal, value }) => signal === "sessions" || value <= 100),
    "a target in percent is 100 at most",
  )
  .refine(
    (list) => new Set(list.map(({ signal }) => signal)).size === list.length,
    "one target for a signal",
  );

const seconds = z.number().int().min(0).max(86_400);
const windowSeconds = z.number().int().min(0).max(3_600);
const direction = z.strictObject({
  /** The steadiest number of so long is followed. */
  stabilizationSeconds: windowSeconds,
  /** After a change, none in this direction for so long. */
  cooldownSeconds: seconds,
});
const scaleOutDefault = { stabilizationSeconds: 0, cooldownSeconds: 60 };
const scaleInDefault = { stabilizationSeconds: 300, cooldownSeconds: 300 };

function inOrder(body: {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly wanted?: number | undefined;
}): boolean {
  const { min = 0, max = groupMembersMax, wanted = min } = body;
  return min <= wanted && wanted <= max;
}

const order = { message: "min, wanted and max are in that order", path: ["wanted"] };

export const createGroupBody = z
  .strictObject({
    name: dnsName.max(groupNameMax),
    projectId: id.optional(),
    flavor: flavorName,
    image: z.string().min(1).max(63).default("tiny"),
    diskGiB: z.number().int().min(1).max(65_536).optional(),
    /** Ids or names of the caller's SSH keys; all of them when left out. */
    sshKeys: z.array(z.string().min(1).max(100)).max(32).optional(),
    /** cloud-init user data, for images that take it; the same for each member. */
    userData: z.string().max(16_384).optional(),
    restart: restartPolicy.default("on-failure"),
    min: members.default(1),
    max: members.min(1),
    /** To begin with; `min` when left out. */
    wanted: members.optional(),
    /** Without any the number changes only when its customer changes it. */
    targets: targets.default([]),
    scaleOut: direction.default(scaleOutDefault),
    scaleIn: direction.default(scaleInDefault),
  })
  .refine(inOrder, order);

/** What is not said stays. */
export const updateGroupBody = z
  .strictObject({
    min: members.optional(),
    max: members.min(1).optional(),
    wanted: members.optional(),
    targets: targets.optional(),
    scaleOut: direction.optional(),
    scaleIn: direction.optional(),
  })
  .refine(inOrder, order);

const figures = z.object({
  cpu: z.number().nullable(),
  memory: z.number().nullable(),
  gpu: z.number().nullable(),
  sessions: z.number().nullable(),
});

export const leaseGroup = z.object({
  id,
  projectId: id,
  name: z.string(),
  /** `refused`: there are fewer than wanted, and `reason` says why. */
  state: z.enum(["steady", "scaling", "refused", "deleting", "deleted"]),
  reason: reason.nullable(),
  flavor: z.string(),
  image: z.string(),
  diskGiB: z.number().int().nullable(),
  restart: restartPolicy,
  min: z.number().int(),
  max: z.number().int(),
  wanted: z.number().int(),
  /** How many of them run. */
  running: z.number().int(),
  members: z.array(
    z.object({
      /** Its number, and the end of its name. */
      ordinal: z.number().int(),
      leaseId: id,
      name: z.string(),
      state: leaseState,
      /** CPU, memory and GPU in percent; `null` of what nobody could see lately. */
      figures,
      seenAt: timestamp.nullable(),
    }),
  ),
  targets: z.array(
    z.object({
      signal: groupSignal,
      value: z.number(),
      /** Of the members that were seen. */
      mean: z.number().nullable(),
      seen: z.number().int(),
      missing: z.number().int(),
      /** How many members this target asks for by itself. */
      wanted: z.number().int().nullable(),
    }),
  ),
  scaleOut: direction,
  scaleIn: direction,
  /** Yuan an hour at today's list price: one member, all that run, and as many as there may be. */
  price: z.object({
    each: money.nullable(),
    now: money.nullable(),
    most: money.nullable(),
  }),
  createdAt: timestamp,
  deletedAt: timestamp.nullable(),
});
export type LeaseGroup = z.output<typeof leaseGroup>;

export const groupEvent = z.object({
  at: timestamp,
  kind: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()),
});
