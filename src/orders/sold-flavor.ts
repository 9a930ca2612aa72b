/** Which flavors are sold by the term, as what, and why another is not. */
import type { PricesInForce } from "#catalog/price-profiles.ts";
import { offeredFlavor, offeredFlavors } from "#catalog/flavors.ts";
import type { PriceProfile, VmContents } from "#catalog/profile.ts";
import type { Flavor } from "#contract/schemas/catalog.ts";
import type { Queryable } from "#db/pool.ts";
import { shapeOf } from "#flow/admit/shape.ts";
import { Failure } from "#kernel/failure.ts";
import type { Fen } from "#kernel/money.ts";
import type { Shape } from "#kernel/shape.ts";

import type { Term } from "./term.ts";
import { termPrice, termsOffered } from "./vm-price.ts";

export interface SoldFlavor {
  readonly sku: string;
  readonly shape: Shape;
  readonly list: Fen;
  readonly monthlyList: Fen;
}

/** Throws `rule_violation` for what is not sold like that, with what is. */
export async function soldFlavor(
  db: Queryable,
  { profile }: PricesInForce,
  ask: { readonly flavor: string; readonly term: Term; readonly diskGiB?: number | undefined },
): Promise<SoldFlavor> {
  const flavor = await offeredFlavor(db, ask.flavor);
  const { subscriptionSku: sku } = flavor;
  const list = sku === null ? undefined : termPrice(profile, sku, ask.term);
  const monthlyList = sku === null ? undefined : termPrice(profile, sku, "monthly");
  if (sku === null || list === undefined || monthlyList === undefined) {
    const sold = (await offeredFlavors(db))
      .filter((each) => each.subscriptionSku !== null)
      .filter((each) => termPrice(profile, each.subscriptionSku ?? "", "monthly") !== undefined)
      .map(({ name }) => name);
    const why = sku === null ? "is rented by the hour only" : `is ${sku}, which has no price yet`;
    throw new Failure(
      "rule_violation",
      `The flavor ${flavor.name} ${why}. By the month or year: ${sold.join(", ") || "none now"}.`,
      { details: { flavor: flavor.name, sku, sold } },
    );
  }
  requireTermOffered(profile, ask.term);
  requireContents(sku, flavor, profile.vm_contents[sku]);
  return { sku, shape: shapeOf(flavor, { diskGiB: ask.diskGiB }), list, monthlyList };
}

/** Throws `rule_violation` with the terms that there are. */
export function requireTermOffered(profile: PriceProfile, term: Term): void {
  const terms = termsOffered(profile);
  if (terms.includes(term)) return;
  throw new Failure("rule_violation", `A term is ${terms.join(" or ")}, not ${term}.`, {
    details: { terms },
  });
}

/** R-VM-9: who buys a named machine gets what the price list says is in it. */
function requireContents(sku: string, flavor: Flavor, contents: VmContents | undefined): void {
  if (contents === undefined) return;
  const { vcpus, memoryMiB, gpu } = flavor;
  const has = { vcpus, memory_gib: memoryMiB / 1024, gpu: gpuText(gpu) };
  const wanted = { ...contents, gpu: gpuText(contents.gpu) };
  const same =
    has.vcpus === wanted.vcpus &&
    has.memory_gib === wanted.memory_gib &&
    has.gpu === wanted.gpu &&
    (gpu === null || gpu.slice === 1);
  if (same) return;
  throw new Failure(
    "rule_violation",
    `The flavor ${flavor.name} is not what ${sku} contains: ${textOf(has)} instead of ${textOf(wanted)}. The operator has to correct one of them.`,
    { details: { sku, flavor: has, contents: wanted } },
  );
}

function gpuText(gpu: { readonly model: string; readonly count: number } | null): string {
  return gpu === null ? "no GPU" : `${gpu.count} x ${gpu.model}`;
}

function textOf(of: { readonly vcpus: number; readonly memory_gib: number; readonly gpu: string }) {
  return `${of.vcpus} vCPU, ${of.memory_gib} GiB, ${of.gpu}`;
}
