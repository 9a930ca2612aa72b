/**
 * What must stand before a job does: flavors, classes and the cohort of the site, a tenant's two queues,
 * and in the namespace of a project the doors to them, the scripts and the way to the control plane. Each
 * list in the order in which its objects name each other. Pure.
 */
import type { NewObject } from "#providers/kubevirt/client/object.ts";
import { podClasses, workloadClasses } from "#providers/kubevirt/jobs/classes.ts";
import { scriptsMap } from "#providers/kubevirt/jobs/entry.ts";
import type { JobPlace, JobSite } from "#providers/kubevirt/jobs/model.ts";
import { agentPolicy } from "#providers/kubevirt/jobs/pod.ts";
import {
  clusterQueues,
  cohort,
  localQueues,
  resourceFlavors,
  type Shares,
  topology,
  type TenantShare,
} from "#providers/kubevirt/jobs/queues.ts";
import { volcanoQueues } from "#providers/kubevirt/jobs/volcano.ts";

/** Once for all. */
export function siteOf(site: JobSite, unsold: Shares): readonly NewObject[] {
  if (site.batch === "volcano") return podClasses(site);
  const levels = topology(site);
  return [
    ...podClasses(site),
    ...(levels === undefined ? [] : [levels]),
    ...resourceFlavors(site),
    ...workloadClasses(site),
    cohort(site, unsold),
  ];
}

export function queuesOf(site: JobSite, share: TenantShare): readonly NewObject[] {
  return site.batch === "kueue" ? clusterQueues(site, share) : volcanoQueues(site, share);
}

/** Of a project: to its tenant's queues. */
export function doorsOf(place: JobPlace, tenantId: string): readonly NewObject[] {
  const doors = place.site.batch === "kueue" ? localQueues(place, tenantId) : [];
  return [...doors, scriptsMap(place), agentPolicy(place)];
}
