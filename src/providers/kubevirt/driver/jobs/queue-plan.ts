/**
 * What is to stand for jobs at a moment, and which queues are nobody's any more. Pure. What must stay
 * true: a tenant has queues as long as a project of his has something of jobs in it; queues are removed
 * only when nothing of the tenant is left in the cluster; what stands for the site stays.
 */
import type { KubeObject, NewObject } from "#providers/kubevirt/client/object.ts";
import { labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { tenantQueue } from "#providers/kubevirt/jobs/names.ts";
import type { TenantShare } from "#providers/kubevirt/jobs/queues.ts";

import { doorsOf, queuesOf, siteOf } from "./furniture.ts";
import type { JobsSite } from "./hands.ts";
import type { JobsSettings } from "./settings.ts";
import { unsold } from "./site.ts";

export interface QueuesSight {
  readonly jobs: JobsSettings;
  readonly at: JobsSite;
  /** All of ours. */
  readonly namespaces: readonly KubeObject[];
  /** Of all members of jobs. */
  readonly memberNamespaces: ReadonlySet<string>;
  readonly standing: readonly KubeObject[];
  /** Tenants that have a queue. */
  readonly queued: ReadonlySet<string>;
  readonly shareOf: (tenantId: string) => TenantShare;
}

export interface QueuePlan {
  /** In the order in which they name each other. */
  readonly wanted: readonly NewObject[];
  readonly remove: readonly KubeObject[];
}

export function queuePlan(sight: QueuesSight): QueuePlan {
  const { jobs, at, namespaces, memberNamespaces, standing, queued, shareOf } = sight;
  const { site } = at;
  const furnished = new Set(standing.flatMap(({ metadata }) => metadata.namespace ?? []));
  const busy = namespaces.flatMap(({ metadata }) => {
    const { name, labels = {}, deletionTimestamp } = metadata;
    const tenantId = labels[labelKeys.tenant];
    if (tenantId === undefined || deletionTimestamp !== undefined) return [];
    return furnished.has(name) || memberNamespaces.has(name) ? [{ name, tenantId }] : [];
  });
  const shares = [...new Set(busy.map(({ tenantId }) => tenantId))].toSorted().map(shareOf);
  // Whoever has queues has a share, also while nothing of jobs is in his projects.
  const idle = [...queued]
    .filter((id) => !busy.some(({ tenantId }) => tenantId === id))
    .map(shareOf);
  const there = new Set(
    namespaces.flatMap(({ metadata }) => metadata.labels?.[labelKeys.tenant] ?? []),
  );
  return {
    wanted:
      busy.length === 0
        ? []
        : [
            ...siteOf(site, unsold(jobs, at.capacity, [...shares, ...idle])),
            ...shares.flatMap((share) => queuesOf(site, share)),
            ...busy.flatMap(({ name, tenantId }) => doorsOf({ site, namespace: name }, tenantId)),
          ],
    remove: standing.filter(({ kind, metadata }) => {
      if (kind !== "ClusterQueue" && kind !== "Queue") return false;
      const { name, labels = {}, deletionTimestamp } = metadata;
      const tenantId = labels[labelKeys.tenant];
      if (tenantId === undefined || deletionTimestamp !== undefined) return false;
      const names = [tenantQueue(tenantId, false), tenantQueue(tenantId, true)];
      return names.includes(name) && !there.has(tenantId);
    }),
  };
}
