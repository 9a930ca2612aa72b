/**
 * Could it ever be placed? Pure: the hosts as they would be with nothing on them. What could not even
 * then is refused at once, with the reason; what could may wait for room.
 */
import type { GangAnswer, PlaceAnswer, PlaceAsk } from "./ask.ts";
import type { HostState } from "./host-state.ts";
import { Planner } from "./planner.ts";

/** Would it fit if nothing else ran? If not, waiting is pointless and admission says so. */
export function couldEverFit(hosts: readonly HostState[], ask: PlaceAsk): PlaceAnswer {
  const planner = emptied(hosts);
  const answer = planner.place(ask);
  if (answer.placed) planner.release(answer);
  return answer;
}

/** The same for work that is of use only together. */
export function couldEverFitTogether(
  hosts: readonly HostState[],
  asks: readonly PlaceAsk[],
  how: "spread" | "pack",
): GangAnswer {
  const planner = emptied(hosts);
  const answer = planner.placeAll(asks, how);
  if (answer.placed) for (const member of answer.members) planner.release(member);
  return answer;
}

/** Kept as long as the hosts are, so that many asks about the same ones are quick. */
const planners = new WeakMap<readonly HostState[], Planner>();

function emptied(hosts: readonly HostState[]): Planner {
  let planner = planners.get(hosts);
  if (planner === undefined) {
    planner = new Planner(hosts.map(empty));
    planners.set(hosts, planner);
  }
  return planner;
}

/** As it would be with nothing on it, well and in reach. */
function empty(host: HostState): HostState {
  return {
    ...host,
    up: true,
    awaySince: null,
    schedulable: true,
    milliCpusUsed: 0,
    memoryBytesUsed: 0,
    diskBytesUsed: 0,
    hugePagesMiBUsed: { "2Mi": 0, "1Gi": 0 },
    numaNodes: host.numaNodes.map((node) => ({ ...node, milliCpusUsed: 0, memoryBytesUsed: 0 })),
    devices: host.devices.map((device) => ({
      ...device,
      healthy: true,
      slice: 0,
      claims: 0,
      tenants: [],
    })),
    antiAffineTenants: [],
  };
}
