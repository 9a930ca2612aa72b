/** KubeVirt's own pods, of which metrics are asked (api/metrics.ts): an agent on each node, a controller. */
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import { lateKey } from "./api/metrics.ts";
import { byController } from "./node-side/writing.ts";
import type { KubeServer } from "./server.ts";

const namespace = "kubevirt";

export function installAgents({ objects }: KubeServer): void {
  for (const { metadata } of objects.store.all(kinds.node)) {
    const name = `virt-handler-${metadata.name}`;
    const labels = { "kubevirt.io": "virt-handler" };
    const spec = { nodeName: metadata.name, containers: [{ name: "virt-handler", image: "x" }] };
    objects.create(kinds.pod, namespace, { metadata: { name, labels }, spec }, byController);
  }
  const metadata = { name: "virt-controller-0", labels: { "kubevirt.io": "virt-controller" } };
  const spec = { nodeName: "node-1", containers: [{ name: "virt-controller", image: "x" }] };
  objects.create(kinds.pod, namespace, { metadata, spec }, byController);
}

/** From now on the controller is late by so many seconds in what it tells. */
export function controllerIsLate({ objects }: KubeServer, seconds: number): void {
  const place = { namespace, name: "virt-controller-0" };
  const annotations = { [lateKey]: String(seconds) };
  objects.patch(kinds.pod, place, { metadata: { annotations } }, byController);
}
