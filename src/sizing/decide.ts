/**
 * Which size a lease should be of, of those that are sold, and whether the platform may see to it by
 * itself (S-03). Pure.
 *
 * What must stay true: nothing is ever done that needs a machine to be restarted. One that runs only
 * grows, and only where its platform adds what it grows by while it runs; it shrinks while it is
 * stopped. And nothing is done outside the bounds that its customer set, the price among them, nor
 * before the change and its price were said.
 */
import type { Fen } from "#kernel/money.ts";
import type { Shape } from "#kernel/shape.ts";

import type { Sizes } from "./recommend.ts";

export interface Size {
  readonly flavor: string;
  readonly vcpus: number;
  readonly memoryMiB: number;
  /** Disks only grow: that of a flavor is taken where it is larger than what the lease has. */
  readonly diskGiB: number;
  readonly hourly: Fen;
}

export interface Rules {
  readonly vcpusMin: number;
  readonly vcpusMax: number;
  readonly memoryMiBMin: number;
  readonly memoryMiBMax: number;
  /** The most that the lease may cost an hour afterwards. */
  readonly hourlyMax: Fen;
  readonly cooldownMs: number;
  /** From the announcement to the change. */
  readonly noticeMs: number;
}

/** `grow`: it uses more than it has room for; `shrink`: far less; `keep`: within the bounds. */
export type Advice = "grow" | "shrink" | "keep" | "unknown";

type Measure = Pick<Shape, "vcpus" | "memoryMiB">;

export function adviceOf(sizes: Sizes, has: Measure): Advice {
  const { milliCpus, memoryMiB } = sizes;
  if (milliCpus === null && memoryMiB === null) return "unknown";
  const cpus = 1000 * has.vcpus;
  if ((milliCpus?.lower ?? 0) > cpus || (memoryMiB?.lower ?? 0) > has.memoryMiB) return "grow";
  // A machine has one CPU at least, and what nobody can see is not taken away.
  const cpuIsLess = milliCpus !== null && milliCpus.upper < cpus && has.vcpus > 1;
  const memoryIsLess = memoryMiB !== null && memoryMiB.upper < has.memoryMiB;
  return cpuIsLess || memoryIsLess ? "shrink" : "keep";
}

/** What it needs: of a figure that nobody sees, what it has. */
export function neededOf(sizes: Sizes, has: Measure, advice: "grow" | "shrink"): Measure {
  const { milliCpus, memoryMiB } = sizes;
  const cpus = milliCpus === null ? has.vcpus : Math.max(1, Math.ceil(milliCpus.target / 1000));
  const memory = memoryMiB === null ? has.memoryMiB : memoryMiB.target;
  if (advice === "shrink") return { vcpus: cpus, memoryMiB: memory };
  return { vcpus: Math.max(has.vcpus, cpus), memoryMiB: Math.max(has.memoryMiB, memory) };
}

/** The cheapest that is enough; of those that cost the same the smallest. */
export function bestOf(sizes: readonly Size[], needed: Measure): Size | undefined {
  return sizes
    .filter(({ vcpus, memoryMiB }) => vcpus >= needed.vcpus && memoryMiB >= needed.memoryMiB)
    .toSorted(
      (a, b) =>
        Number(a.hourly - b.hourly) ||
        a.vcpus - b.vcpus ||
        a.memoryMiB - b.memoryMiB ||
        (a.flavor < b.flavor ? -1 : 1),
    )[0];
}

export interface Able {
  readonly can: boolean;
  readonly because: string;
}

export interface Announced {
  readonly flavor: string;
  readonly hourly: Fen;
  readonly at: number;
}

export interface Facts {
  readonly sizes: Sizes;
  readonly shape: Shape;
  /** What it costs an hour as it is. */
  readonly hourly: Fen | undefined;
  /** Flavors that this lease may be changed to, its own among them. */
  readonly sold: readonly Size[];
  readonly power: "running" | "stopped" | "other";
  /** A resize is under way, or waits for the next start. */
  readonly changing: boolean;
  readonly cpuLive: Able;
  readonly memoryLive: Able;
  readonly diskLive: Able;
  readonly rules: Rules;
  readonly announced: Announced | null;
  readonly resizedAt: number | null;
  readonly now: number;
}

export type Act =
  | { readonly does: "nothing"; readonly because: string }
  | { readonly does: "announce"; readonly to: Size }
  | { readonly does: "resize"; readonly to: Size };

/** Less history says too little to act on. */
export const daysToActMin = 0.25;

export function decide(facts: Facts): Act {
  const { sizes, shape, rules, now } = facts;
  const advice = adviceOf(sizes, shape);
  if (advice === "unknown") return nothing("nobody could see yet what it uses");
  if (advice === "keep") return nothing("it is of the right size");
  if (sizes.days < daysToActMin) {
    return nothing(`it was looked at for less than ${24 * daysToActMin} hours`);
  }
  const hindrance = hindranceOf(facts, advice);
  if (hindrance !== undefined) return nothing(hindrance);
  const best = bestOf(withinBounds(facts), neededWithin(facts, advice));
  if (best === undefined) {
    return nothing("no flavor that is sold is enough and within the bounds that were set");
  }
  if (best.vcpus === shape.vcpus && best.memoryMiB === shape.memoryMiB) {
    return nothing("it has what its bounds allow");
  }
  if (advice === "grow") {
    const unable = unableTo(facts, best);
    if (unable !== undefined) return nothing(unable);
  }
  const { announced } = facts;
  const isSaid = announced?.flavor === best.flavor && announced.hourly === best.hourly;
  if (!isSaid || announced.at > now) return { does: "announce", to: best };
  if (now - announced.at < rules.noticeMs) return nothing("it was announced a moment ago");
  return { does: "resize", to: best };
}

function hindranceOf(
  { power, changing, rules, resizedAt, now }: Facts,
  advice: "grow" | "shrink",
): string | undefined {
  if (changing) return "it is being resized, or that waits for its next start";
  if (power === "other") return "it neither runs nor is stopped";
  if (power === "running" && advice === "shrink") {
    return "a machine that runs is not made smaller: that is done when it is stopped";
  }
  if (power === "stopped" && advice === "grow") return "it is stopped";
  const agoMs = resizedAt === null ? Infinity : now - resizedAt;
  return agoMs >= 0 && agoMs < rules.cooldownMs ? "it was resized a while ago" : undefined;
}

/** What is needed, as far as the customer lets it go. */
function neededWithin({ sizes, shape, rules }: Facts, advice: "grow" | "shrink"): Measure {
  const needed = neededOf(sizes, shape, advice);
  const within = {
    vcpus: between(needed.vcpus, rules.vcpusMin, rules.vcpusMax),
    memoryMiB: between(needed.memoryMiB, rules.memoryMiBMin, rules.memoryMiBMax),
  };
  // Bounds below what it has are no reason to take anything away from a machine that grows.
  return advice === "shrink"
    ? within
    : {
        vcpus: Math.max(shape.vcpus, within.vcpus),
        memoryMiB: Math.max(shape.memoryMiB, within.memoryMiB),
      };
}

function between(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}

function withinBounds({ sold, shape, rules, power }: Facts): Size[] {
  return sold.filter(
    (size) =>
      size.hourly <= rules.hourlyMax &&
      size.vcpus <= Math.max(rules.vcpusMax, shape.vcpus) &&
      size.memoryMiB <= Math.max(rules.memoryMiBMax, shape.memoryMiB) &&
      (power === "running"
        ? size.vcpus >= shape.vcpus && size.memoryMiB >= shape.memoryMiB
        : size.vcpus <= shape.vcpus && size.memoryMiB <= shape.memoryMiB),
  );
}

export function unableTo(
  {
    shape,
    cpuLive,
    memoryLive,
    diskLive,
  }: Pick<Facts, "shape" | "cpuLive" | "memoryLive" | "diskLive">,
  to: Size,
): string | undefined {
  if (to.vcpus > shape.vcpus && !cpuLive.can) {
    return `its platform adds no CPUs to a machine that runs: ${cpuLive.because}`;
  }
  if (to.memoryMiB > shape.memoryMiB && !memoryLive.can) {
    return `its platform adds no memory to a machine that runs: ${memoryLive.because}`;
  }
  if (to.diskGiB > shape.diskGiB && !diskLive.can) {
    return `its platform grows no disk of a machine that runs: ${diskLive.because}`;
  }
  return undefined;
}

function nothing(because: string): Act {
  return { does: "nothing", because };
}
