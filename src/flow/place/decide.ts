/**
 * Where, of these hosts? Each answer stands on its own and holds nothing; a `Planner` is for many.
 * The commit checks again under lock (store.ts, and the triggers in the schema), so a stale snapshot
 * costs a retry and never an oversold host.
 */
import type { GangAnswer, PlaceAnswer, PlaceAsk } from "./ask.ts";
import type { HostState } from "./host-state.ts";
import { Planner } from "./planner.ts";

/**
 * For a second look at hosts that are locked. What a pool keeps for faults is a matter of all its
 * hosts, which are not all here, so that is left to the schema.
 */
export function place(hosts: readonly HostState[], ask: PlaceAsk): PlaceAnswer {
  return new Planner(hosts).place({ ...ask, afterFault: true });
}

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

/** As it would be with nothing on it, and well. */
function empty(host: HostState): HostState {
  return {
    ...host,
    up: true,
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
