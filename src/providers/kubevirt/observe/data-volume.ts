/**
 * A disk that is not there yet: how far it is, or what it hangs on. CDI gives up nothing: an import that
 * fails is begun again for ever under the phase of one that goes well, and a copy that it refuses stays
 * "scheduled". What it says of the reason is in the conditions; of some it says nothing there.
 */
import type { Explanation } from "./explanation.ts";
import { type Condition, conditionOf, type SeenDataVolume } from "./seen.ts";
import { explainFailure, knownFailure } from "./synchronized.ts";

/** Attempts of the importer from which on it is no hiccup any more. */
const restartsMax = 3;

/** What passes by itself has passed by then: room to unpack in, a node for the importer. */
const passesWithinMs = 60_000;

/** A copy begins as soon as its claim is bound. */
const copyBeginsWithinMs = 5 * 60_000;

/** `undefined` once it is there. */
export function explainDataVolume(volume: SeenDataVolume, now: number): Explanation | undefined {
  const { phase = "", progress, restartCount = 0 } = volume.status ?? {};
  const { name } = volume.metadata;
  if (phase === "Succeeded") return undefined;
  const running = conditionOf(volume, "Running");
  const bound = conditionOf(volume, "Bound");
  const details = {
    disk: name,
    phase,
    restartCount,
    ...(progress === undefined ? {} : { progress }),
  };
  if (phase === "Failed" || phase === "Error") {
    return {
      ...explainFailure(running?.message ?? bound?.message ?? `disk ${name} could not be made`),
      details,
    };
  }
  if (phase === "WaitForFirstConsumer" || phase === "PendingPopulation") {
    return {
      code: "disk_waits_for_node",
      for: "nobody",
      message: `Disk ${name} is made on the node that the machine comes to.`,
      action: "It goes on when the machine's pod has a node.",
      details,
    };
  }
  // Some claims are refused before the volume has any phase.
  if (bound?.status === "False" && (phase === "Pending" || phase === "")) {
    return { ...notBound(name, bound), details };
  }
  const stuck = stuckFilling(volume, now);
  if (stuck !== undefined) return { ...stuck, details };
  const percent = progress === undefined || progress === "N/A" ? "" : ` (${progress})`;
  return {
    code: "disk_in_the_making",
    for: "nobody",
    message: `Disk ${name} is being made from its image${percent}.`,
    action: "The machine starts when it is done.",
    details,
  };
}

type Told = Omit<Explanation, "details">;

function notBound(name: string, { message }: Condition): Told {
  const known = message === undefined ? undefined : knownFailure(message);
  if (known !== undefined) return known;
  return {
    code: "disk_not_ready",
    for: "operator",
    message: `The storage has not made disk ${name} yet${message === undefined ? "" : `: ${message}`}.`,
    action: "If it stays so, look at the storage class and its provisioner.",
  };
}

function stuckFilling(
  { metadata, status, ...rest }: SeenDataVolume,
  now: number,
): Told | undefined {
  const { name, creationTimestamp = now } = metadata;
  const running = conditionOf({ ...rest, status }, "Running");
  // The phase follows a moment after the last attempt has succeeded.
  if (running?.reason === "Completed") return undefined;
  const failing = running?.status === "False" ? running : undefined;
  const lasts = now - (failing?.lastTransitionTime ?? now) > passesWithinMs;
  if (lasts && failing?.reason === "Scratch space required") {
    return {
      code: "disk_lacks_scratch",
      for: "operator",
      message: `Disk ${name} needs room beside it in which its image is unpacked, and is given none.`,
      action:
        "Look at the events of its claim (kubectl describe pvc): most often a quota of the namespace has no room for it, or scratchSpaceStorageClass of CDI's configuration is not there.",
    };
  }
  if (lasts && failing?.reason === "Unschedulable") {
    return {
      code: "import_unplaced",
      for: "operator",
      message: `The pod that fills disk ${name} finds no node.`,
      action:
        "Look at its events: most often nodes that its storage reaches are full or tainted (podResourceRequirements and workload of CDI's configuration).",
    };
  }
  if ((status?.restartCount ?? 0) >= restartsMax) {
    const said = failing?.message ?? "CDI gives no reason; the log of its pod has it";
    return {
      code: "import_stuck",
      for: "operator",
      message: `Disk ${name} was begun ${status?.restartCount ?? 0} times and never finished: ${said}`,
      action:
        "Check that the image's address answers from within the cluster, that it is of a kind that CDI reads, and that the disk is large enough for it.",
    };
  }
  if (status?.phase === "CloneScheduled" && now - creationTimestamp > copyBeginsWithinMs) {
    return {
      code: "copy_not_begun",
      for: "operator",
      message: `Disk ${name} was to be copied from its image, and CDI does not begin.`,
      action:
        "Look at the events of its claim (kubectl describe pvc): most often it is smaller than the claim that it is to be copied from (minDiskGib of the image in the site's settings).",
    };
  }
  return undefined;
}
