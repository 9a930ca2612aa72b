/** What a caller asks to add, as SKUs: GPUs are of the model that the machine has. */
import { Failure } from "#kernel/failure.ts";
import type { ElasticItem } from "#orders/elastic.ts";
import { periodAt } from "#orders/subscription-periods.ts";
import { type Subscription } from "#orders/subscription-rows.ts";

export function elasticItems(
  subscription: Subscription,
  at: number,
  ask: { readonly gpus: number; readonly vcpus: number; readonly memoryGiB: number },
): ElasticItem[] {
  const gpu = periodAt(subscription, at)?.shape.gpu ?? undefined;
  if (ask.gpus > 0 && gpu === undefined) {
    throw new Failure(
      "rule_violation",
      `The machine of ${subscription.name} has no GPU to add to; CPUs and memory can be added.`,
    );
  }
  return [
    { sku: `gpu.${gpu?.model ?? ""}`, units: ask.gpus },
    { sku: "cpu.core", units: ask.vcpus },
    { sku: "mem.gib", units: ask.memoryGiB },
  ].filter(({ units }) => units > 0);
}
