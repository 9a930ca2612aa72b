/** Why pods that a queue has let in do not run yet. */
import { explainUnschedulable } from "#providers/kubevirt/observe/scheduler.ts";
import type { Explanation } from "#providers/kubevirt/observe/explanation.ts";

import { fetchContainer } from "./pod.ts";
import { isFalse, type SeenPod } from "./seen.ts";

const imageReasons = new Set(["ImagePullBackOff", "ErrImagePull", "InvalidImageName"]);

/** The worst of them; `undefined` if nothing is the matter. */
export function explainStart(pods: readonly SeenPod[]): Explanation | undefined {
  const told = pods
    .filter(({ status }) => status.phase === "Pending")
    .flatMap((pod) => explainOne(pod) ?? []);
  return told.find((each) => each.for !== "nobody") ?? told[0];
}

function explainOne({ metadata, status }: SeenPod): Explanation | undefined {
  const details = { pod: metadata.name };
  const unscheduled = isFalse(status.conditions, "PodScheduled");
  if (unscheduled !== undefined) {
    const { message, ...rest } = explainUnschedulable(unscheduled.message);
    return { ...rest, message: message.replaceAll("the machine", "the member") };
  }
  const containers = [...status.initContainerStatuses, ...status.containerStatuses];
  for (const { name, state } of containers) {
    const { reason = "", message = "" } = state.waiting ?? {};
    if (imageReasons.has(reason)) {
      return {
        code: "image_not_pulled",
        for: "operator",
        message: `The node cannot fetch the image of ${name}: ${message === "" ? reason : message}`,
        action:
          "Check the image's name, the registry, and the node's way to it; it is tried again.",
        details,
      };
    }
    if (reason === "CreateContainerConfigError" || reason === "CreateContainerError") {
      return {
        code: "container_not_made",
        for: "operator",
        message: `The node cannot make the container ${name}: ${message === "" ? reason : message}`,
        action: "Its Secret or its scripts are missing in the namespace, or the image is no use.",
        details,
      };
    }
  }
  const fetch = status.initContainerStatuses.find(({ name }) => name === fetchContainer);
  const message =
    fetch?.state.running === undefined
      ? "Its containers are being made."
      : "It fetches its inputs.";
  return { code: "starting", for: "nobody", message, action: "It starts by itself.", details };
}
