/**
 * Several requests that are of use only together, a distributed training say: all are placed or none,
 * and none leaves no trace. `spread` puts each on a host of its own, so that one host's fault costs one
 * of them; `pack` keeps to the hosts that the gang has already, as long as they have room.
 */
import type { Chooser } from "./choose.ts";
import type { Fleet, Held } from "./fleet.ts";
import type { Kind } from "./kind.ts";

export interface Gang {
  readonly members: readonly Kind[];
  readonly how: "spread" | "pack";
}

export type GangPlaced =
  | { readonly held: readonly Held[] }
  /** So many found a place before one did not; they have given it back. */
  | { readonly held: undefined; readonly fitting: number };

export const gangMax = 1024;

export function placeGang(fleet: Fleet, chooser: Chooser, { members, how }: Gang): GangPlaced {
  if (members.length === 0 || members.length > gangMax) {
    throw new RangeError(`a gang has 1 to ${gangMax} members, not ${members.length}`);
  }
  const held: Held[] = [];
  for (const member of members) {
    const slots = [...new Set(held.map(({ slot }) => slot))];
    const next =
      how === "spread"
        ? chooser.place(member, { not: slots })
        : (chooser.place(member, { only: slots }) ?? chooser.place(member));
    if (next === undefined) {
      for (const back of held.toReversed()) fleet.release(back);
      return { held: undefined, fitting: held.length };
    }
    held.push(next);
  }
  return { held };
}
