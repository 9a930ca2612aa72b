/**
 * One pool on paper (or the hosts outside every pool): its hosts in the placement engine, and what
 * ordinary work may still take of it. Hosts on which a machine costs another amount are a part of their
 * own (`Planner`), with the same room. What must stay true: a choice comes from hosts of this pool
 * only, and ordinary work leaves the reserve alone.
 */
import { gpuDriverLabel } from "#kernel/gpu-driver.ts";
import type { Refuses } from "#kernel/host-refuses.ts";
import type { MachineCosts } from "#kernel/machine-cost.ts";

import { workOfAsk, type PlaceAsk } from "./ask.ts";
import { askedOf } from "./asked.ts";
import { demandOf, type Asked } from "./demand.ts";
import { Chooser, type Choice } from "./engine/choose.ts";
import { Fleet, slotState, type Held } from "./engine/fleet.ts";
import { Kinds, type Kind } from "./engine/kind.ts";
import { policies, type PolicyName } from "./engine/policies.ts";
import { spread } from "./engine/spread.ts";
import { unfit } from "./engine/tournament.ts";
import { hasImage } from "./host-images.ts";
import type { HostState, PoolState } from "./host-state.ts";
import { specOf } from "./host-spec.ts";
import { unitsOfDevice, type OrdinaryRoom } from "./reserve.ts";

/** One ask, ready to be looked at in this pool. */
export interface Look {
  readonly ask: PlaceAsk;
  readonly kind: Kind;
  readonly only: readonly number[] | undefined;
  readonly not: readonly number[];
}

export class Pool {
  readonly fleet = new Fleet();
  state: PoolState | null;
  /** Of a machine on its hosts. */
  readonly costs: MachineCosts | null;
  readonly #policy: PolicyName;
  readonly #kinds = new Kinds(this.fleet);
  readonly #history: readonly Asked[];
  #chooser: Chooser;
  /** What the chooser was made for. */
  #madeFor = "";
  readonly #slots = new Map<string, number>();
  readonly #devices: (readonly string[])[] = [];
  /** By slot. */
  readonly #labels: (HostState["labels"] | undefined)[] = [];
  /** By slot. */
  readonly #refuses: (Refuses | undefined)[] = [];
  /** Undefined without a reserve; shared with the other parts of the pool. */
  #room: OrdinaryRoom | undefined;

  /** `history`: shapes of requests of the past, for policies that ask what is usual. */
  constructor(
    of: { readonly state: PoolState | null; readonly costs: MachineCosts | null },
    policy: PolicyName,
    history: readonly Asked[],
  ) {
    this.state = of.state;
    this.costs = of.costs;
    this.#policy = policy;
    this.#history = history;
    this.#chooser = this.#newChooser();
  }

  /** The pool and its hosts are as given; what was held on paper is in them or forgotten. */
  refresh(
    state: PoolState | null,
    hosts: readonly HostState[],
    room: OrdinaryRoom | undefined,
  ): void {
    this.state = state;
    this.#room = room;
    const there = new Set(hosts.map(({ id }) => id));
    for (const [id, slot] of this.#slots) {
      if (there.has(id)) continue;
      this.fleet.remove(slot);
      this.#slots.delete(id);
    }
    for (const host of hosts) {
      const spec = specOf(host);
      const slot = this.#slots.get(host.id) ?? this.fleet.add(spec);
      if (this.#slots.has(host.id)) this.fleet.update(slot, spec);
      else this.#slots.set(host.id, slot);
      this.#devices[slot] = host.devices.map(({ id }) => id);
      this.#labels[slot] = host.labels;
      this.#refuses[slot] = host.refuses;
    }
    const models = this.#history.length === 0 ? 0 : this.fleet.gpus.names.count;
    const wanted = `${state?.spread ?? false} ${models}`;
    if (wanted !== this.#madeFor) this.#chooser = this.#newChooser();
    this.#madeFor = wanted;
  }

  get hosts(): number {
    return this.#slots.size;
  }

  has(hostId: string): boolean {
    return this.#slots.has(hostId);
  }

  /** Only for asks that make sense. */
  look(ask: PlaceAsk): Look {
    const { request, key } = askedOf(ask, this.costs);
    const compiled = this.#kinds.of(request, key);
    if ("problem" in compiled) throw new RangeError(compiled.problem);
    return {
      ask,
      kind: compiled.kind,
      only: ask.only && this.#slotsOf(ask.only),
      not: this.#slotsOf(ask.not ?? []),
    };
  }

  /** The best host of the pool, nothing held yet. */
  choose({ ask, kind, only, not }: Look): Choice | undefined {
    if (ask.pinned !== undefined) return this.#chooseWhereItWas({ ask, kind, only, not });
    if (!this.#leavesReserve(ask)) return undefined;
    return this.#chooser.choose(kind, { not, ...(only && { only }), tenantId: ask.tenantId });
  }

  take(choice: Choice, ask: PlaceAsk): Held {
    this.#countRoom(choice.slot, ask, -1);
    return this.#chooser.take(choice, ask.tenantId);
  }

  /** False when it holds nothing any more. */
  release(held: Held, ask: PlaceAsk): boolean {
    if (!this.fleet.release(held)) return false;
    this.#countRoom(held.slot, ask, 1);
    return true;
  }

  /** What the engine calls slots and numbers, by their ids. */
  idsOf({ slot, gpus }: Pick<Held, "slot" | "gpus">): {
    readonly hostId: string;
    readonly deviceIds: readonly string[];
  } {
    const devices = this.#devices[slot] ?? [];
    return {
      hostId: this.fleet.idOf(slot) ?? "",
      deviceIds: gpus.map((number) => devices[number] ?? ""),
    };
  }

  /** Whether it has the GPU driver that the image of what is asked for needs it to have. */
  hasDriverFor({ shape }: PlaceAsk, slot: number): boolean {
    const needed = shape.hostLabels[gpuDriverLabel];
    return needed === undefined || this.#labels[slot]?.[gpuDriverLabel] === needed;
  }

  /** Whether its site has the image of what is asked for; what comes back to its disk needs none. */
  hasImageFor({ image, pinned }: PlaceAsk, slot: number): boolean {
    if (image === undefined || pinned !== undefined) return true;
    return hasImage({ labels: this.#labels[slot] ?? {} }, image);
  }

  /** Why the host starts none of its kind; undefined where it does. */
  refusalOf(ask: PlaceAsk, slot: number): string | undefined {
    return this.#refuses[slot]?.[workOfAsk(ask)];
  }

  /** Is there room for it beside the reserve, all hosts of the pool taken together? */
  leavesReserve(ask: PlaceAsk, slot: number): boolean {
    return !this.#isCounted(slot) || this.#leavesReserve(ask);
  }

  /** The kind as this tenant's, and bound to where it was. */
  ownKind({ ask, kind }: Look): Kind {
    const tenant = this.fleet.tenants.known(ask.tenantId);
    const { pinned } = ask;
    if (pinned === undefined) return { ...kind, tenant };
    const slot = this.#slots.get(pinned.hostId);
    const ids = (slot === undefined ? undefined : this.#devices[slot]) ?? [];
    const among = pinned.deviceIds.map((id) => ids.indexOf(id));
    return { ...kind, tenant, stays: true, among };
  }

  #chooseWhereItWas(look: Look): Choice | undefined {
    const { ask, only, not } = look;
    const slot = this.#slots.get(ask.pinned?.hostId ?? "");
    if (slot === undefined || not.includes(slot) || only?.includes(slot) === false)
      return undefined;
    const kind = this.ownKind(look);
    if (kind.apart && this.fleet.tenants.apart.has(kind.tenant, slot)) return undefined;
    if (!this.leavesReserve(ask, slot)) return undefined;
    const score = this.#chooser.scoreOf(slot, kind);
    return score === unfit ? undefined : this.#chooser.choiceOn(slot, kind, score);
  }

  #leavesReserve(ask: PlaceAsk): boolean {
    const room = this.#room;
    if (room === undefined || ask.afterFault === true) return true;
    const { gpu } = ask.shape;
    const { cpuMilli = 0, memoryMiB = 0 } = askedOf(ask, this.costs).request.amounts;
    return (
      cpuMilli <= room.milliCpus &&
      memoryMiB <= room.memoryMiB &&
      (gpu === null || unitsOf(gpu) <= (room.gpuUnits.get(gpu.model) ?? 0))
    );
  }

  #countRoom(slot: number, ask: PlaceAsk, by: 1 | -1): void {
    const room = this.#room;
    if (room === undefined || !this.#isCounted(slot)) return;
    const { gpu } = ask.shape;
    const { cpuMilli = 0, memoryMiB = 0 } = askedOf(ask, this.costs).request.amounts;
    room.milliCpus += by * cpuMilli;
    room.memoryMiB += by * memoryMiB;
    if (gpu === null) return;
    room.gpuUnits.set(gpu.model, (room.gpuUnits.get(gpu.model) ?? 0) + by * unitsOf(gpu));
  }

  /** Hosts that take no new work are not in the sums of the reserve (reserve.ts). */
  #isCounted(slot: number): boolean {
    return this.fleet.state[slot] === slotState.open;
  }

  #slotsOf(hostIds: readonly string[]): number[] {
    return hostIds.flatMap((id) => this.#slots.get(id) ?? []);
  }

  #newChooser(): Chooser {
    const demand = demandOf(this.#history, this.fleet.gpus.names);
    const policy =
      this.state?.spread === true ? spread(this.fleet) : policies[this.#policy](this.fleet, demand);
    return new Chooser(this.fleet, policy);
  }
}

function unitsOf({ count, slice }: { readonly count: number; readonly slice: number }): number {
  return count * Math.floor(unitsOfDevice / slice);
}
