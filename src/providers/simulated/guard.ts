/** Refusals, each before anything happened: their effect is `none`. */
import { ProviderError, type Capability, type Owner } from "#providers/provider.ts";

import { cpusOf, demandOf } from "./capacity.ts";
import type { MachineState } from "./world.ts";

export function refused(message: string): ProviderError {
  return new ProviderError("refused", message, { effect: "none" });
}

export function demand(capability: Capability, what: string): void {
  if (!capability.can) throw refused(`${what}: ${capability.because}`);
}

export function missing(machineId: string): ProviderError {
  return new ProviderError("not_found", `no machine ${machineId}`, { effect: "none" });
}

export function sameOwner(a: Owner, b: Owner): boolean {
  return a.tenantId === b.tenantId && a.projectId === b.projectId && a.resourceId === b.resourceId;
}

export function demandOwner(machine: MachineState, owner: Owner): void {
  if (!sameOwner(machine.spec.owner, owner)) {
    throw refused(`machine ${machine.spec.id} belongs to another owner`);
  }
}

/**
 * Whether the host must be asked for room: a start asks for all (what is off demands none), and
 * what becomes less, or goes, always may.
 */
export function takesMore(before: MachineState, after: MachineState): boolean {
  const now = demandOf(before);
  const then = demandOf(after);
  return (
    cpusOf(then.cpu) > cpusOf(now.cpu) ||
    then.memoryBytes > now.memoryBytes ||
    then.diskBytes > now.diskBytes ||
    then.gpus.some((gpu) => !now.gpus.some((held) => held.deviceId === gpu.deviceId))
  );
}
