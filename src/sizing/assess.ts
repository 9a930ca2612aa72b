/** Everything about the size of one lease at one moment: for its customer, and for the loop. */
import { offeredFlavors } from "#catalog/flavors.ts";
import { pricesAt } from "#catalog/price-profiles.ts";
import type { Flavor } from "#contract/schemas/catalog.ts";
import type { Queryable } from "#db/pool.ts";
import { priceOf } from "#flow/admit/price.ts";
import { findRequest, type Request } from "#flow/admit/requests.ts";
import { resizedShape } from "#flow/admit/shape.ts";
import type { Priced } from "#flow/admit/work.ts";
import { leaseFacts, type LeaseFacts } from "#flow/provision/lease-facts.ts";
import { Failure } from "#kernel/failure.ts";
import { othersLabelsOf } from "#kernel/own-labels.ts";
import type { Shape } from "#kernel/shape.ts";

import {
  adviceOf,
  bestOf,
  neededOf,
  type Able,
  type Advice,
  type Facts,
  type Size,
} from "./decide.ts";
import type { Looked } from "./looks.ts";
import { sizesOf, type Sizes } from "./recommend.ts";
import { sizingOf, type Sizing } from "./rows.ts";
import { lookAtLease } from "./store.ts";

export interface Assessment {
  readonly lease: Request;
  readonly looked: Looked | undefined;
  readonly sizes: Sizes;
  readonly advice: Advice;
  /** Of those that are sold the one that fits what it needs, unless that is what it has. */
  readonly best: Size | undefined;
  readonly sizing: Sizing | undefined;
  /** All that a decision rests on but the rules. */
  readonly facts: Omit<Facts, "rules" | "announced" | "resizedAt">;
  readonly shapeFor: (
    flavor: string,
  ) => { readonly shape: Shape; readonly price: Priced } | undefined;
}

const noSizes: Sizes = { milliCpus: null, memoryMiB: null, days: 0 };

/** Throws `not_found`. */
export async function assess(
  db: Queryable,
  key: { readonly tenantId: string; readonly id: string; readonly now: number },
): Promise<Assessment> {
  const { tenantId, id, now } = key;
  const lease = await findRequest(db, { tenantId, id, kind: "lease" });
  if (lease === undefined) throw new Failure("not_found", "There is no such lease.");
  const looked = await lookAtLease(db, { tenantId, id });
  const facts = await leaseFacts(db, { tenantId, id });
  const prices = await pricesAt(db, now);
  const { shape, plan } = lease;
  const options = (await offeredFlavors(db)).flatMap((flavor) => {
    const to = shapeFrom(shape, flavor);
    if (to === undefined) return [];
    const price = priceOf(prices, to, plan);
    return price.hourly === undefined ? [] : [{ shape: to, price, hourly: price.hourly }];
  });
  const sold = options.map(({ shape: { flavor, vcpus, memoryMiB, diskGiB }, hourly }) => ({
    flavor,
    vcpus,
    memoryMiB,
    diskGiB,
    hourly,
  }));
  const sizes = looked === undefined ? noSizes : sizesOf(looked.history, now);
  const advice = adviceOf(sizes, shape);
  const best =
    advice === "grow" || advice === "shrink"
      ? bestOf(sold, neededOf(sizes, shape, advice))
      : undefined;
  const isSame = best?.vcpus === shape.vcpus && best.memoryMiB === shape.memoryMiB;
  return {
    lease,
    looked,
    sizes,
    advice,
    best: isSame ? undefined : best,
    sizing: await sizingOf(db, { tenantId, id }),
    facts: {
      sizes,
      shape,
      hourly: priceOf(prices, shape, plan).hourly,
      sold,
      power: powerOf(facts),
      changing: facts.isResizing || (facts.machine !== undefined && !facts.isSettled),
      cpuLive: ableTo(facts.capabilities.resizeCpuLive),
      memoryLive: ableTo(facts.capabilities.resizeMemoryLive),
      diskLive: ableTo(facts.capabilities.diskGrowLive),
      now,
    },
    shapeFor: (flavor) => options.find((each) => each.shape.flavor === flavor),
  };
}

/** As the lease would be with that flavor; `undefined` where only another lease can be that. */
function shapeFrom(from: Shape, flavor: Flavor): Shape | undefined {
  const to = resizedShape(flavor, from, {});
  return likeness(from) === likeness(to) ? to : undefined;
}

/** What a lease is besides how much of everything it has. */
function likeness(shape: Shape): string {
  const { gpu, hugePages, serviceClass, overcommitPercent, numa, pool } = shape;
  const { antiAffinity, tolerations } = shape;
  const labels = Object.entries(othersLabelsOf(shape.hostLabels)).toSorted(([a], [b]) =>
    a < b ? -1 : 1,
  );
  return JSON.stringify([
    gpu === null ? null : [gpu.model, gpu.count, gpu.slice, gpu.nvlink],
    hugePages,
    serviceClass,
    overcommitPercent,
    numa,
    pool,
    antiAffinity,
    tolerations,
    labels,
  ]);
}

function powerOf({ machine, wanted }: LeaseFacts): Facts["power"] {
  if (machine === "running" && wanted === "running") return "running";
  return machine === "stopped" && wanted === "stopped" ? "stopped" : "other";
}

/** A site that says nothing of it is taken for one that cannot. */
function ableTo(said: { can: boolean; because?: string | undefined } | undefined): Able {
  return {
    can: said?.can === true,
    because: said?.because ?? "its platform does not say that it can",
  };
}
