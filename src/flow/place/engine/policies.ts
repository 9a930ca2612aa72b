/** The policies by name, as data: what one plugs in, compares and replays with. */
import { balance } from "./balance.ts";
import { bestFit, dotProduct, gpuPacking } from "./best-fit.ts";
import type { Fleet } from "./fleet.ts";
import { fragmentGradient } from "./fragment.ts";
import type { Demand, Policy } from "./policy.ts";

export const policyNames = ["balance", "fgd", "bestfit", "dotprod", "gpupacking"] as const;
export type PolicyName = (typeof policyNames)[number];

export const policies: Readonly<Record<PolicyName, (fleet: Fleet, demand: Demand) => Policy>> = {
  balance,
  fgd: fragmentGradient,
  bestfit: bestFit,
  dotprod: dotProduct,
  gpupacking: gpuPacking,
};
