/** A group and its members as they are at one moment: for its customer, and for the loop. */
import type { Queryable } from "#db/pool.ts";
import { leasesById, type LeaseView } from "#flow/provision/lease-view.ts";
import { present } from "#kernel/assert.ts";
import { freshFigures, type FreshFigures } from "#sizing/store.ts";

import { decide, replaceRestMs, type Decision, type Facts, type Member } from "./decide.ts";
import { lostJoined, membersOf, type Group, type MemberRow } from "./rows.ts";

export interface SeenMember extends MemberRow {
  readonly view: LeaseView;
  readonly phase: Member["phase"];
  /** `undefined` if it was not seen lately. */
  readonly seen: FreshFigures | undefined;
}

export interface Look {
  readonly members: readonly SeenMember[];
  readonly decision: Decision;
}

export async function lookAt(db: Queryable, group: Group, now: number): Promise<Look> {
  const { tenantId } = group;
  const rows = await membersOf(db, group);
  const ids = rows.map(({ leaseId }) => leaseId);
  const figures = await freshFigures(db, { tenantId, ids, now });
  const views = new Map(
    (await leasesById(db, { tenantId, ids, at: now })).map((view) => [view.id, view]),
  );
  const members = rows.map((row): SeenMember => {
    const view = present(views.get(row.leaseId), "a member's lease");
    return { ...row, view, phase: phaseOf(view), seen: figures.get(row.leaseId) };
  });
  const lostJoinedAt = await lostJoined(db, { ...group, since: now - replaceRestMs });
  const facts: Facts = {
    ...group,
    members: members.map(({ ordinal, leaseId, phase, seen }) => {
      return { ordinal, leaseId, phase, figures: seen?.figures ?? {} };
    }),
    lostJoinedAt,
    now,
  };
  return { members, decision: decide(facts) };
}

/** A customer who stops a member has it stopped; who releases one gets another. */
function phaseOf({ state, ended_at: endedAt }: LeaseView): Member["phase"] {
  if (endedAt !== null) return "lost";
  switch (state) {
    case "running":
      return "ready";
    case "queued":
    case "creating":
    case "starting":
      return "starting";
    case "stopping":
    case "stopped":
    case "failed":
      return "stopped";
    case "releasing":
    case "released":
      return "leaving";
  }
}
