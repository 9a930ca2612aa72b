/** How many more of a shape fit at this moment: places one after the other on paper. Pure. */
import type { Reason } from "#kernel/reason.ts";

import type { PlaceAsk, Placed } from "./ask.ts";
import type { HostState } from "./host-state.ts";
import { Planner } from "./planner.ts";

/** Enough to say "plenty". */
const countMax = 1000;

export interface Fit {
  readonly count: number;
  readonly hostIds: readonly string[];
  readonly isolation: "hard" | "soft" | "none";
}

/** Kept as long as the hosts are: offers ask for one flavor after the other. */
const planners = new WeakMap<readonly HostState[], Planner>();

/** As many as there is room for, `max` at most; and why not more, undefined at `max`. They stay held. */
export function placeSeveral(
  planner: Planner,
  ask: PlaceAsk,
  max: number,
): { readonly placed: readonly Placed[]; readonly reason: Reason | undefined } {
  const placed: Placed[] = [];
  while (placed.length < max) {
    const answer = planner.place(ask);
    // A reason is a look at all hosts: it is made for who reads it.
    if (!answer.placed)
      return {
        placed,
        get reason() {
          return answer.reason;
        },
      };
    placed.push(answer);
  }
  return { placed, reason: undefined };
}

export function howManyFit(hosts: readonly HostState[], ask: PlaceAsk): Fit {
  const planner = planners.get(hosts) ?? new Planner(hosts);
  planners.set(hosts, planner);
  const { placed } = placeSeveral(planner, ask, countMax);
  for (const each of placed) planner.release(each);
  const used = Map.groupBy(placed, ({ hostId }) => hostId);
  const isolations = new Set(
    hosts.flatMap(({ id, devices }) => {
      const deviceIds = new Set(used.get(id)?.flatMap((each) => each.deviceIds));
      return devices.filter((device) => deviceIds.has(device.id)).map(({ isolation }) => isolation);
    }),
  );
  return {
    count: placed.length,
    hostIds: hosts.map(({ id }) => id).filter((id) => used.has(id)),
    isolation: isolations.has("soft") ? "soft" : isolations.has("hard") ? "hard" : "none",
  };
}
