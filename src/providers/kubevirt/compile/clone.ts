/**
 * A machine as a copy of another one, disks and all, by KubeVirt's own means. The driver applies none: a
 * clone that is sold is a snapshot and a machine made of it (docs/decisions/0021); this is for operators who
 * make one by hand. Labels are not copied: they say whose the first
 * one is, so the copy gets its own, and an id and a serial number of its own with them.
 */
import type { Owner } from "#providers/machine.ts";
import type { MachineClone } from "#providers/kubevirt/objects/storage.ts";

import type { SiteFacts } from "./facts.ts";
import { labelKeys, machineLabels } from "./labels.ts";
import { machineName } from "./names.ts";
import { machineReference } from "./snapshot.ts";

export interface CloneAsk {
  readonly fromMachineId: string;
  readonly toMachineId: string;
  readonly namespace: string;
  readonly owner: Owner;
  readonly site: Pick<SiteFacts, "controlPlaneId">;
}

export function machineClone(ask: CloneAsk): MachineClone {
  const { site, owner, toMachineId } = ask;
  const labels = machineLabels(site.controlPlaneId, { id: toMachineId, owner });
  const ours = Object.values(labelKeys);
  return {
    apiVersion: "clone.kubevirt.io/v1beta1",
    kind: "VirtualMachineClone",
    metadata: { name: `clone-${toMachineId}`, namespace: ask.namespace, labels },
    spec: {
      source: machineReference(ask.fromMachineId),
      target: machineReference(toMachineId),
      labelFilters: ["*", ...ours.map((key) => `!${key}`)],
      annotationFilters: ["*", "!millrace.dev/*"],
      template: { labelFilters: ["*", ...ours.map((key) => `!${key}`)] },
      newSMBiosSerial: toMachineId,
      volumeNamePolicy: "PrefixTargetName",
      patches: [
        replacing("/metadata/labels", labels),
        replacing("/spec/template/metadata/labels", labels),
        replacing("/spec/template/spec/domain/firmware/uuid", toMachineId),
        // It starts when its own spec has been applied over it.
        replacing("/spec/runStrategy", "Halted"),
      ],
    },
  };
}

/** What the copy is called. */
export function cloneName(toMachineId: string): string {
  return machineName(toMachineId);
}

/** A JSON patch, as text: what the clone has instead. */
function replacing(path: string, value: unknown): string {
  return JSON.stringify({ op: "replace", path, value });
}
