/** How many more of a shape fit at this moment: places one after the other on paper. Pure. */
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

export function howManyFit(hosts: readonly HostState[], ask: PlaceAsk): Fit {
  const planner = planners.get(hosts) ?? new Planner(hosts);
  planners.set(hosts, planner);
  const placed: Placed[] = [];
  while (placed.length < countMax) {
    const answer = planner.place(ask);
    if (!answer.placed) break;
    placed.push(answer);
  }
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
