/** Objects of a machine as the cluster would tell them, for tests. */
import { machineCondition, type MachineCondition, type SeenTogether } from "./condition.ts";
import { read } from "./seen.ts";

export const began = "2026-11-21T01:00:00Z";
export const now = Date.parse("2026-11-21T02:00:00Z");
export const name = "m-00000000-0000-4000-8000-000000000001";

export interface Told {
  readonly machine?: object | null;
  readonly runStrategy?: string;
  readonly instance?: object;
  readonly instanceMeta?: object;
  readonly gpus?: readonly { readonly name: string }[];
  readonly pods?: readonly object[];
  readonly disks?: readonly object[];
}

/** `machine` and `instance` are their statuses. */
export function seen(told: Told): SeenTogether {
  const metadata = { name, namespace: "p", uid: "u1", resourceVersion: "7" };
  const domain = { cpu: { sockets: 2 }, memory: { guest: "4Gi" }, devices: { gpus: told.gpus } };
  const spec = {
    runStrategy: told.runStrategy ?? "RerunOnFailure",
    template: { spec: { domain } },
  };
  const parsed: SeenTogether = {
    machine:
      told.machine === null
        ? undefined
        : read.machine({ metadata, spec, status: told.machine ?? {} }),
    instance:
      told.instance === undefined
        ? undefined
        : read.instance({
            metadata: { ...metadata, ...told.instanceMeta },
            spec: { domain },
            status: told.instance,
          }),
    pods: (told.pods ?? []).map((status) => read.pod({ metadata, status })),
    dataVolumes: (told.disks ?? []).map((status) =>
      read.dataVolume({ metadata: { ...metadata, creationTimestamp: began }, status }),
    ),
  };
  return parsed;
}

export function of(told: Told): MachineCondition {
  return machineCondition(seen(told), now);
}
