/** A disk that is not there yet: how far it is, or what it hangs on. */
import type { Explanation } from "./explanation.ts";
import { conditionOf, type SeenDataVolume } from "./seen.ts";
import { explainFailure } from "./synchronized.ts";

/** Attempts of the importer from which on it is no hiccup any more. */
const restartsMax = 3;

/** `undefined` once it is there. */
export function explainDataVolume(volume: SeenDataVolume): Explanation | undefined {
  const { phase = "", progress, restartCount = 0 } = volume.status ?? {};
  const { name } = volume.metadata;
  const running = conditionOf(volume, "Running");
  const bound = conditionOf(volume, "Bound");
  const details = {
    disk: name,
    phase,
    restartCount,
    ...(progress === undefined ? {} : { progress }),
  };
  if (phase === "Succeeded") return undefined;
  if (phase === "Failed" || phase === "Error") {
    return {
      ...explainFailure(running?.message ?? bound?.message ?? `disk ${name} could not be made`),
      details,
    };
  }
  if (restartCount >= restartsMax) {
    const said = running?.message ?? running?.reason ?? "the importer gives no reason";
    return {
      code: "import_stuck",
      for: "operator",
      message: `Disk ${name} was begun ${restartCount} times and never finished: ${said}`,
      action:
        "Check that the image's address answers from within the cluster, that it is of a kind that CDI reads, and that the disk is large enough for it.",
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
  if (bound?.status === "False" && phase === "Pending") {
    return {
      code: "disk_not_ready",
      for: "operator",
      message: `The storage has not made disk ${name} yet${bound.message === undefined ? "" : `: ${bound.message}`}.`,
      action: "If it stays so, look at the storage class and its provisioner.",
      details,
    };
  }
  const percent = progress === undefined || progress === "N/A" ? "" : ` (${progress})`;
  return {
    code: "disk_in_the_making",
    for: "nobody",
    message: `Disk ${name} is being made from its image${percent}.`,
    action: "The machine starts when it is done.",
    details,
  };
}
