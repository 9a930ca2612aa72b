/** How many members a group may have and by which targets, as a form has it and as the API takes it. Pure. */
import type { AnswerOf, RequestOf } from "#client/types.ts";

export type Group = AnswerOf<"getGroup">;
export const signals = ["cpu", "memory", "gpu", "sessions"] as const;
export type Signal = (typeof signals)[number];

export interface Scaling {
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly wanted: number | undefined;
  readonly targets: Readonly<Partial<Record<Signal, number>>>;
}

export const newScaling: Scaling = { min: 1, max: 3, wanted: undefined, targets: {} };
export const membersMax = 200;

export function scalingOf(group: Group): Scaling {
  return {
    min: group.min,
    max: group.max,
    wanted: group.wanted,
    targets: Object.fromEntries(group.targets.map(({ signal, value }) => [signal, value])),
  };
}

export type ScalingFault = "missing" | "order" | "percent";

export function scalingFault({ min, max, wanted, targets }: Scaling): ScalingFault | undefined {
  if (min === undefined || max === undefined) return "missing";
  const asked = wanted ?? min;
  if (min < 0 || max < 1 || max > membersMax || min > asked || asked > max) return "order";
  const isPercentWrong = signals.some((signal) => {
    const value = targets[signal];
    return value !== undefined && (value < 1 || value > (signal === "sessions" ? 1000 : 100));
  });
  return isPercentWrong ? "percent" : undefined;
}

type Body = Pick<RequestOf<"createGroup">["body"], "min" | "wanted" | "targets" | "max">;

export function scalingBody({ min, max, wanted, targets }: Scaling): Body {
  return {
    min: min ?? 1,
    max: max ?? 1,
    ...(wanted === undefined ? {} : { wanted }),
    targets: signals.flatMap((signal) => {
      const value = targets[signal];
      return value === undefined ? [] : [{ signal, value }];
    }),
  };
}

/** The options of `millrace group create` and `group set`. */
export function scalingOptions(body: Body): string {
  return [
    `--min ${body.min ?? 1}`,
    `--max ${body.max}`,
    ...(body.wanted === undefined ? [] : [`--wanted ${body.wanted}`]),
    ...(body.targets ?? []).map(({ signal, value }) => `--target ${signal}=${value}`),
  ].join(" ");
}
