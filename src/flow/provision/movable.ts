/**
 * Whether a machine can go to another host: while it runs, and once it was stopped. Pure. What must stay
 * true: what is shown of a lease, what its owner is told of a host in maintenance, and what is refused when
 * a move is asked for follow this one rule.
 */
import type { Remark } from "#providers/provider.ts";

import { abilityOf, type Ability } from "./capability.ts";
import type { LeaseView } from "./lease-view.ts";

type Seen = Pick<LeaseView, "shape" | "move_live" | "start_elsewhere"> & {
  readonly notes: readonly Pick<Remark, "code" | "details">[] | null;
};

/** The note of a platform that has looked at this one machine. */
export const notMovable = "not_migratable";

export function movesLive({ shape, notes, move_live: said }: Seen): Ability {
  if (shape.gpu !== null) return no("a GPU is not handed over while its machine runs");
  if (said === null) return no("its platform says nothing of it");
  const ofSite = abilityOf(said, shape);
  if (!ofSite.can) return ofSite;
  const note = (notes ?? []).find(({ code }) => code === notMovable);
  if (note === undefined) return { can: true };
  const because = note.details?.["said"];
  return no(typeof because === "string" && because !== "" ? because : "its platform cannot");
}

/** With its disk, when it is started after it was stopped. */
export function startsElsewhere({ shape, start_elsewhere: said }: Seen): Ability {
  if (said === null) return no("its platform says nothing of it");
  return abilityOf(said, shape);
}

function no(because: string): Ability {
  return { can: false, because };
}
