/**
 * The three small shell scripts that stand around a customer's program in its pod: one fetches its
 * inputs, one runs it, one tells the control plane of it. They are data of the cluster (a ConfigMap
 * named after their content), so that what ran with which script can be seen there. Each needs a shell
 * and the tools of busybox; the middle one brings them along, because the customer's image may have none.
 */
import type { ConfigMap } from "#providers/kubevirt/objects/jobs.ts";
import { ourLabels } from "#providers/kubevirt/compile/labels.ts";

import { fetchScript } from "./entry/fetch.ts";
import { reportScript } from "./entry/report.ts";
import { runScript } from "./entry/run.ts";
import type { JobPlace } from "./model.ts";
import { contentName } from "./names.ts";

export { fetchScript, reportScript, runScript };

const scripts = { fetch: fetchScript, run: runScript, report: reportScript };

export const scriptsName = contentName("millrace-entry", Object.values(scripts));

/** One of a namespace, for all its jobs. It is never changed: another text has another name. */
export function scriptsMap({ site, namespace }: JobPlace): ConfigMap {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: scriptsName, namespace, labels: ourLabels(site.controlPlaneId) },
    immutable: true,
    data: scripts,
  };
}

/** One word of a shell line, whatever is in it. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
