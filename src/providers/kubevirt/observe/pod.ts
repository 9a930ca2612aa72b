/** What the containers of a machine's pod hang on. */
import type { Explanation } from "./explanation.ts";
import type { SeenPod } from "./seen.ts";

const imageReasons = new Set(["ImagePullBackOff", "ErrImagePull", "InvalidImageName"]);

export function explainPod({ status }: SeenPod): Explanation | undefined {
  const { initContainerStatuses: first = [], containerStatuses: then = [] } = status ?? {};
  for (const { name, state } of [...first, ...then]) {
    const { waiting, terminated } = state;
    const details = { container: name };
    if (waiting !== undefined && imageReasons.has(waiting.reason)) {
      return {
        code: "image_not_pulled",
        for: "operator",
        message: `The node cannot fetch what the machine's pod is made of (${name}): ${waiting.message ?? waiting.reason}`,
        action:
          "Check the image's name, the registry, and the node's way to it; it is tried again by itself.",
        details,
      };
    }
    if (waiting?.reason === "CreateContainerConfigError") {
      return {
        code: "secret_missing",
        for: "operator",
        message: `The machine's pod lacks something of its namespace: ${waiting.message ?? waiting.reason}`,
        action: "Put it back; the pod goes on by itself.",
        details,
      };
    }
    if (terminated?.reason === "OOMKilled") {
      return {
        code: "out_of_memory",
        for: "operator",
        message: "The machine's pod used more memory than it may, and was killed by its node.",
        action:
          "Raise additionalGuestMemoryOverheadRatio in KubeVirt's configuration; it is started again by itself.",
        details,
      };
    }
  }
  return undefined;
}
