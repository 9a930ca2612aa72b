/** CDI: a DataVolume makes a claim of its name, fills it, and has succeeded; or waits, or fails. */
import { parseUnits } from "#providers/kubevirt/compile/quantity.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { at, objectAt, textAt } from "#test/kube/api/json.ts";

import type { Controllers } from "./controllers.ts";
import { byController, ownerOf, setStatus } from "./writing.ts";

export type Filling =
  | "at once"
  | "waits"
  | "fails"
  /** The importer begins again and again, and says this. */
  | { readonly stuck: string };

/** What an operator finds when he looks at a volume that is stuck. */
const restarts = 4;

/** `filling` is asked for each volume, again and again until it is filled. */
export function fillVolumes(controllers: Controllers, filling: (volume: string) => Filling): void {
  const { objects } = controllers;
  controllers.on(kinds.claim, (claim) => {
    if (textAt(claim, "status", "phase") !== "") return;
    const capacity = objectAt(claim, "spec", "resources", "requests");
    setStatus(objects, kinds.claim, claim.metadata, { phase: "Bound", capacity });
  });
  controllers.on(kinds.dataVolume, (volume) => {
    const phase = textAt(volume, "status", "phase");
    const { namespace, name, deletionTimestamp } = volume.metadata;
    if (phase === "Succeeded" || deletionTimestamp !== undefined) return;
    if (objects.store.get(kinds.claim, { namespace, name }) === undefined) {
      const storage = objectAt(volume, "spec", "storage");
      const { accessModes = ["ReadWriteMany"], volumeMode = "Block", ...rest } = storage;
      const asked = textAt(volume, "spec", "storage", "resources", "requests", "storage");
      const bytes = withFileSystem(parseUnits(asked) ?? 0n);
      const larger = { resources: { requests: { storage: String(bytes) } } };
      const isFileSystem = volumeMode === "Filesystem";
      const spec = { accessModes, volumeMode, ...rest, ...(isFileSystem ? larger : {}) };
      const metadata = { name, ownerReferences: [ownerOf(volume)] };
      objects.create(kinds.claim, namespace, { metadata, spec }, byController);
    }
    const how = filling(name);
    if (typeof how === "object") {
      if (at(volume, "status", "restartCount") === restarts) return;
      const running = { status: "False", reason: "Error", message: how.stuck };
      const status = { phase: "ImportInProgress", progress: "N/A", claimName: name };
      setStatus(objects, kinds.dataVolume, volume.metadata, {
        ...status,
        restartCount: restarts,
        conditions: conditions(name, running),
      });
      return;
    }
    const to = { "at once": "Succeeded", waits: "ImportInProgress", fails: "Failed" }[how];
    if (to === phase) return;
    const progress = how === "at once" ? "100.0%" : "N/A";
    setStatus(objects, kinds.dataVolume, volume.metadata, {
      phase: to,
      progress,
      claimName: name,
      conditions: conditions(name, runs[how]),
    });
  });
}

/** CDI's share for what a file system takes, rounded up. */
export function withFileSystem(bytes: bigint): bigint {
  return (bytes * 106n + 99n) / 100n;
}

const runs = {
  "at once": { status: "False", reason: "Completed", message: "Import Complete" },
  waits: { status: "True", reason: "Pod is running" },
  fails: { status: "False", reason: "Error", message: "Unable to process data" },
};

/** As CDI 1.66 wrote them on a real node. */
function conditions(name: string, running: object) {
  const isReady = running === runs["at once"];
  return [
    { type: "Bound", status: "True", reason: "Bound", message: `PVC ${name} Bound` },
    { type: "Ready", status: isReady ? "True" : "False" },
    { type: "Running", ...running },
  ];
}
