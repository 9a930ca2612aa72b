/**
 * The members of a gang: requests that start together or not at all. The first has the gang's id and is
 * the job that its owner sees. Pure but for the ids.
 */
import type { GangHow, GangSeat } from "./requests.ts";

const nameMax = 63;

export interface NewMember {
  readonly id: string;
  /** Also the host name of its machine, so members have different ones. */
  readonly name: string;
  readonly gang?: GangSeat;
}

/** One without a gang. Ids come in the order of ranks, as the placer takes them in order of id. */
export function membersOf(
  newId: () => string,
  of: {
    readonly name: string;
    readonly gang: { readonly size: number; readonly how: GangHow } | undefined;
  },
): readonly [NewMember, ...NewMember[]] {
  const { name, gang } = of;
  const first = { id: newId(), name };
  if (gang === undefined) return [first];
  const seat = (rank: number): GangSeat => ({ id: first.id, size: gang.size, how: gang.how, rank });
  const others = Array.from({ length: gang.size - 1 }, (_, at) => ({
    id: newId(),
    name: memberName(name, at + 1),
    gang: seat(at + 1),
  }));
  return [{ ...first, gang: seat(0) }, ...others];
}

/** `train-3`, and a DNS label whatever the job is called. */
export function memberName(name: string, rank: number): string {
  const end = `-${rank}`;
  return `${name.slice(0, nameMax - end.length).replace(/-+$/, "")}${end}`;
}
