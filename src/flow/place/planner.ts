/**
 * The hosts on paper: places asks one after the other and holds what it placed, so that a whole pass
 * over the queue is planned without a look at the database. What must stay true: it holds no more
 * than the hosts have; what it answers is a plan, and the commit checks again.
 */
import type { Reason } from "#kernel/reason.ts";

import type { GangAnswer, PlaceAnswer, PlaceAsk, Placed } from "./ask.ts";
import { place } from "./decide.ts";
import type { PolicyName } from "./engine/policies.ts";
import { withPlaced } from "./free.ts";
import type { HostState } from "./host-state.ts";

export class Planner {
  readonly policy: PolicyName;
  #hosts: HostState[];
  readonly #held = new Map<Placed, PlaceAsk>();

  constructor(hosts: readonly HostState[], policy: PolicyName = "balance") {
    this.policy = policy;
    this.#hosts = [...hosts];
  }

  /** The hosts are as given; what was held on paper only is forgotten. */
  refresh(hosts: readonly HostState[]): void {
    this.#hosts = [...hosts];
    this.#held.clear();
  }

  /** Decides, and holds it. */
  place(ask: PlaceAsk): PlaceAnswer {
    const inQuestion = this.#hosts.filter(
      ({ id }) => (ask.only?.includes(id) ?? true) && !(ask.not?.includes(id) ?? false),
    );
    const answer = place(inQuestion, ask);
    if (!answer.placed) return answer;
    this.#hosts = this.#hosts.map((host) =>
      host.id === answer.hostId ? withPlaced(host, ask, answer.deviceIds) : host,
    );
    this.#held.set(answer, ask);
    return answer;
  }

  /** All or none: `spread` puts each on a host of its own, `pack` keeps to hosts they have already. */
  placeAll(asks: readonly PlaceAsk[], how: "spread" | "pack"): GangAnswer {
    const members: Placed[] = [];
    for (const ask of asks) {
      const used = members.map(({ hostId }) => hostId);
      const answer =
        how === "spread"
          ? this.place({ ...ask, not: [...(ask.not ?? []), ...used] })
          : this.place(ask);
      if (!answer.placed) {
        for (const member of members.toReversed()) this.release(member);
        return { ...answer, fitting: members.length };
      }
      members.push(answer);
    }
    return { placed: true, members };
  }

  /** Gives back what `place` or `placeAll` answered; false where it is not held any more. */
  release(held: Placed): boolean {
    const ask = this.#held.get(held);
    if (ask === undefined) return false;
    this.#held.delete(held);
    const { shape, tenantId, pinned } = ask;
    const back = { tenantId, shape, ...(pinned === undefined ? {} : { pinned }) };
    this.#hosts = this.#hosts.map((host) =>
      host.id === held.hostId ? without(host, back, held.deviceIds) : host,
    );
    return true;
  }

  /** Why nowhere: the obstacles with their counts, and the nearest host with what it lacks. */
  explain(ask: PlaceAsk): Reason {
    const answer = place(this.#hosts, ask);
    if (!answer.placed) return answer.reason;
    return { code: "fits", message: "A host has room for it now." };
  }
}

function without(host: HostState, ask: PlaceAsk, deviceIds: readonly string[]): HostState {
  const taken = withPlaced({ ...host, devices: [] }, ask, []);
  const { hugePages } = ask.shape;
  const lost = host.antiAffineTenants.indexOf(ask.tenantId);
  return {
    ...host,
    milliCpusUsed: 2 * host.milliCpusUsed - taken.milliCpusUsed,
    memoryBytesUsed: 2 * host.memoryBytesUsed - taken.memoryBytesUsed,
    diskBytesUsed: 2 * host.diskBytesUsed - taken.diskBytesUsed,
    hugePagesMiBUsed:
      hugePages === "none"
        ? host.hugePagesMiBUsed
        : {
            ...host.hugePagesMiBUsed,
            [hugePages]: host.hugePagesMiBUsed[hugePages] - ask.shape.memoryMiB,
          },
    devices: host.devices.map((device) =>
      deviceIds.includes(device.id)
        ? {
            ...device,
            slice: device.claims === 1 ? 0 : device.slice,
            claims: device.claims - 1,
            tenants: device.tenants.toSpliced(device.tenants.indexOf(ask.tenantId), 1),
          }
        : device,
    ),
    antiAffineTenants: ask.shape.antiAffinity
      ? host.antiAffineTenants.filter((_, i) => i !== lost)
      : host.antiAffineTenants,
  };
}
