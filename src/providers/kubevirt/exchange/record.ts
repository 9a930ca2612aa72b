/** What is written down of an attempt: who its agents are, what they may bring, and the order as it stands. */
import { timingSafeEqual } from "node:crypto";

import { z } from "zod";

import { assert } from "#kernel/assert.ts";

import { isOwnId } from "./files.ts";
import type { Order } from "./rules.ts";

/** Of one attempt: as many as a gang may have, and some. */
const membersMax = 4096;
const graceSecondsMax = 86_400;
const bytes = z.int().min(0);
const ownId = z.string().refine(isOwnId, "one of our ids");
/** A rank, or the name of a pod: part of a path, never of a file's name. */
const memberName = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,251}[a-z0-9])?$/);

const attemptRecord = z.strictObject({
  attemptId: ownId,
  /** In hex. */
  tokenSha256: z.string().regex(/^[0-9a-f]{64}$/),
  logBytesMax: bytes,
  resultsBytesMax: bytes,
  members: z
    .array(
      z.strictObject({
        name: memberName,
        machineId: ownId,
        /** A tar file on the shared disk. */
        inputsPath: z.string().startsWith("/").optional(),
      }),
    )
    .min(1)
    .max(membersMax)
    .refine((members) => new Set(members.map(({ name }) => name)).size === members.length)
    .refine(
      (members) => new Set(members.map(({ machineId }) => machineId)).size === members.length,
    ),
});

export type AttemptRecord = z.output<typeof attemptRecord>;
export type Member = AttemptRecord["members"][number];

const orderRecord = z.discriminatedUnion("to", [
  z.strictObject({ to: z.literal("run") }),
  z.strictObject({
    to: z.literal("interrupt"),
    graceSeconds: z.number().min(0).max(graceSecondsMax).transform(Math.ceil),
  }),
]);

/** What an agent said when it was through. */
const reportRecord = z.strictObject({
  /** Of the log as the pod had it, at most as much as is kept. */
  logBytes: bytes,
  results: z.enum(["whole", "too_large"]),
});
export type Report = z.output<typeof reportRecord>;

export function attemptText(attempt: z.input<typeof attemptRecord>): string {
  return JSON.stringify(attemptRecord.parse(attempt));
}

export function parseAttempt(text: string): AttemptRecord {
  return attemptRecord.parse(JSON.parse(text));
}

export function orderText(order: Order): string {
  return JSON.stringify(orderRecord.parse(order));
}

/** Without a word it runs. */
export function parseOrder(text: string | undefined): Order {
  return text === undefined ? { to: "run" } : orderRecord.parse(JSON.parse(text));
}

export function reportText(report: Report): string {
  return JSON.stringify(reportRecord.parse(report));
}

export function parseReport(text: string): Report {
  return reportRecord.parse(JSON.parse(text));
}

export function memberOf(attempt: AttemptRecord, name: string): Member | undefined {
  return attempt.members.find((member) => member.name === name);
}

/** In a time that says nothing of how much of it is right. */
export function isToken(attempt: AttemptRecord, sha256: Buffer): boolean {
  const expected = Buffer.from(attempt.tokenSha256, "hex");
  assert(expected.byteLength === sha256.byteLength, "both are SHA-256");
  return timingSafeEqual(expected, sha256);
}
