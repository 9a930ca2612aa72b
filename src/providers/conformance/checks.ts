/** All that the suite checks, in the order in which it runs. */
import { accessChecks } from "./access.ts";
import { identityChecks } from "./identity.ts";
import { moveChecks } from "./moves.ts";
import { pinningChecks } from "./pinning.ts";
import { powerChecks } from "./power.ts";
import type { Check } from "./record.ts";
import { sizeChecks } from "./sizes.ts";
import { workloadChecks } from "./workload.ts";

export const checks: readonly Check[] = [
  ...identityChecks,
  ...powerChecks,
  ...sizeChecks,
  ...moveChecks,
  ...pinningChecks,
  ...accessChecks,
  ...workloadChecks,
];
