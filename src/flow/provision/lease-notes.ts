/**
 * What its owner is to know of a lease besides its state: what its platform said, in the light of what the
 * rows know. Pure. What must stay true: one thing is one note, and says what he can do.
 */
import type { Remark } from "#providers/provider.ts";

import type { LeaseView } from "./lease-view.ts";
import { movesLive, notMovable, startsElsewhere } from "./movable.ts";

type Seen = Pick<
  LeaseView,
  | "state"
  | "shape"
  | "notes"
  | "pending_resize"
  | "host"
  | "host_left_since"
  | "move_live"
  | "start_elsewhere"
>;

export function notesOf(view: Seen): readonly Remark[] {
  const notes = (view.notes ?? []).map((note) => restarting(note, view));
  const left = hostIsLeft(view);
  if (left === undefined) return notes;
  // They are about the same: that it cannot move, and from where.
  return [left, ...notes.filter(({ code }) => code !== notMovable && code !== isDrained)];
}

const isDrained = "node_is_drained";

/** A new size waits for the same start as whatever else was changed. */
function restarting(note: Remark, { pending_resize: isPending }: Seen): Remark {
  if (note.code !== "restart_required" || isPending !== true) return note;
  return {
    ...note,
    message:
      "Its new size, the price of that, and what else was changed take effect when it is started again; until then it is billed as before.",
  };
}

/** Its operator or its platform takes the host out of service, and it does not move by itself. */
function hostIsLeft(view: Seen): Remark | undefined {
  const { host, host_left_since: since } = view;
  if (since === null || host === null || view.state !== "running") return undefined;
  if (movesLive(view).can) return undefined;
  const details = { host, since: new Date(since).toISOString() };
  const customers = { code: "host_is_left", who: "customer", details } as const;
  return startsElsewhere(view).can
    ? {
        ...customers,
        message: `Its host ${host} is being emptied for maintenance. It runs on, and cannot move while it runs.`,
        advice:
          "Stop it and start it again when it suits you, and it comes up on another host with its disk.",
      }
    : {
        ...customers,
        message: `Its host ${host} is being taken out of service for maintenance. It runs on, and is not moved: its disk is there.`,
        advice:
          "Save what matters, and stop it when it suits you; the operator tells you when the host goes down.",
      };
}
