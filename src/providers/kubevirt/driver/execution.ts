/** How machines run on a cluster: as KubeVirt's own object says it. Pure. */
import type { ProviderInfo } from "#providers/provider.ts";

import type { KubevirtFacts } from "./site.ts";

export function executionOf({
  version,
  emulated,
}: Pick<KubevirtFacts, "version" | "emulated">): Pick<
  ProviderInfo,
  "execution" | "executionReason"
> {
  return emulated
    ? {
        execution: "emulated",
        executionReason: `KubeVirt ${version} is told to emulate (useEmulation): the pods of machines ask for no /dev/kvm.`,
      }
    : {
        execution: "kvm",
        executionReason: `KubeVirt ${version} runs machines with KVM: each one's pod asks its node for /dev/kvm and starts nowhere else.`,
      };
}
