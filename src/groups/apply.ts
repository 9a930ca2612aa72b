/**
 * Makes a decision about one group so. The number of members, the releases and the seats of those who
 * were lost are one transaction under the lock of the group, decided on what stands there then; each
 * new member is one of its own, so that a refusal takes nothing back. Whoever dies between leaves a
 * group with fewer members than wanted, and the next pass goes on.
 */
import type { Db, Tx } from "#db/pool.ts";
import { askRelease } from "#flow/admit/lease.ts";
import { Failure } from "#kernel/failure.ts";
import type { Reason } from "#kernel/reason.ts";
import { notify } from "#notices/store.ts";

import { admitMember, auditMember } from "./admit.ts";
import type { Decision } from "./decide.ts";
import { lookAt, type Look, type SeenMember } from "./look.ts";
import { leave, letGo, lockGroup, sameReason, saveGroup, tell, type Group } from "./rows.ts";

/** Members that one pass makes for one group. */
const membersPerPass = 20;
/** A refusal that lasts is told the customer once in that time. */
const tellEveryMs = 86_400_000;

interface GroupKey {
  readonly tenantId: string;
  readonly id: string;
}

/** Whether there is more to do at once. */
export async function tend(db: Db, key: GroupKey, now: number): Promise<boolean> {
  const numbers = await db.tenant(key.tenantId, (tx) => settle(tx, key, now));
  for (const ordinal of numbers.slice(0, membersPerPass)) {
    const refusal = await add(db, key, { ordinal, now });
    if (refusal === undefined) continue;
    await db.tenant(key.tenantId, (tx) => refuse(tx, key, { refusal, now }));
    return false;
  }
  return numbers.length > membersPerPass;
}

/** The numbers that want a member. */
async function settle(tx: Tx, key: GroupKey, now: number): Promise<readonly number[]> {
  const group = await lockGroup(tx, key);
  if (group.deletedAt !== null) return [];
  const look = await lookAt(tx, group, now);
  const { decision } = look;
  await takeLeave(tx, group, look, now);
  const released = new Set(decision.release.map(({ leaseId }) => leaseId));
  for (const member of look.members.toReversed()) {
    if (released.has(member.leaseId)) await releaseMember(tx, group, member, now);
  }
  await sayChange(tx, group, decision, now);
  const { wanted, standing, create } = decision;
  const refusal = create.length === 0 ? null : group.refusal;
  await saveGroup(tx, { ...group, wanted, standing, refusal });
  return create;
}

/** Those whose leases have ended give their numbers back. */
async function takeLeave(tx: Tx, group: Group, { members }: Look, at: number): Promise<void> {
  for (const { leaseId, ordinal, phase, releasedAt, view } of members) {
    if (phase !== "lost") continue;
    const how = releasedAt === null ? "lost" : "released";
    await leave(tx, { ...group, leaseId, at, how });
    if (how === "released") continue;
    const message = `${view.name} is gone, and not by the group's doing; another takes its number.`;
    const details = { leaseId, ordinal };
    await tell(tx, { ...group, at }, { kind: "member_lost", message, details });
  }
}

/** It keeps its number until it is gone, so that the next one can have its name. */
export async function releaseMember(
  tx: Tx,
  group: Group,
  { leaseId, ordinal, view }: SeenMember,
  now: number,
): Promise<void> {
  const { tenantId } = group;
  const { joined } = await askRelease(tx, { tenantId, leaseId, at: now });
  await letGo(tx, { ...group, leaseId, at: now });
  const details = { leaseId, ordinal };
  const message = `${view.name} is released.`;
  await tell(tx, { ...group, at: now }, { kind: "member_removed", message, details });
  if (joined) return;
  await auditMember(tx, group, { action: "lease.release", leaseId, name: view.name, now });
}

async function sayChange(
  tx: Tx,
  group: Group,
  { wanted, advice }: Decision,
  now: number,
): Promise<void> {
  if (wanted === group.wanted) return;
  const why = advice.map(
    ({ signal, target, mean, seen, missing, starting }) =>
      `${signal} ${mean === null ? "not seen" : `is ${mean.toFixed(1)} on average, ${target} is wanted`} (${seen} seen, ${missing} not, ${starting} starting)`,
  );
  await tell(
    tx,
    { ...group, at: now },
    {
      kind: wanted > group.wanted ? "scaled_out" : "scaled_in",
      message: `From ${group.wanted} to ${wanted}: ${why.join("; ")}.`,
      details: { from: group.wanted, to: wanted, advice },
    },
  );
}

/** Why not, or nothing if it was done, or does not have to be done any more. */
async function add(
  db: Db,
  key: GroupKey,
  { ordinal, now }: { readonly ordinal: number; readonly now: number },
): Promise<Reason | undefined> {
  try {
    await db.tenant(key.tenantId, async (tx) => {
      const group = await lockGroup(tx, key);
      if (group.deletedAt !== null) return;
      const { decision } = await lookAt(tx, group, now);
      if (!decision.create.includes(ordinal)) return;
      await admitMember(tx, group, { ordinal, now });
      if (group.refusal !== null) await saveGroup(tx, { ...group, refusal: null });
    });
    return undefined;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { code, message, details } = error;
    return { code, message, details };
  }
}

async function refuse(
  tx: Tx,
  key: GroupKey,
  { refusal, now }: { readonly refusal: Reason; readonly now: number },
): Promise<void> {
  const group = await lockGroup(tx, key);
  if (group.deletedAt !== null) return;
  await saveGroup(tx, { ...group, refusal });
  if (sameReason(group.refusal, refusal)) return;
  const { message } = refusal;
  await tell(tx, { ...key, at: now }, { kind: "refused", message, details: { ...refusal } });
  await notify(tx, {
    tenantId: key.tenantId,
    key: `group-refused:${key.id}:${refusal.code}:${Math.floor(now / tellEveryMs)}`,
    kind: "group_refused",
    severity: "warning",
    data: { name: group.name, wanted: group.wanted, reason: message },
    at: now,
  });
}
