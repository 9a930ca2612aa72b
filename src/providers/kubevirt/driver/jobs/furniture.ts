/**
 * What must stand before a job does: flavors, classes and the cohort of the site, a tenant's two queues,
 * and in the namespace of a project the doors to them, the scripts and the way to the control plane.
 * Applied by each process once, and again where the text of it changes.
 */
import { apiVersion, type Kind } from "#providers/kubevirt/client/kind.ts";
import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import type { NewObject } from "#providers/kubevirt/client/object.ts";
import { podClasses, workloadClasses } from "#providers/kubevirt/jobs/classes.ts";
import { scriptsMap } from "#providers/kubevirt/jobs/entry.ts";
import type { JobPlace } from "#providers/kubevirt/jobs/model.ts";
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
import { jobKinds } from "#providers/kubevirt/objects/jobs.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { ReadCall } from "#providers/provider.ts";

/** More objects than this are forgotten and applied again. */
const keptMax = 50_000;

export class Furnishings {
  /** The text of what was applied, by object. */
  readonly #applied = new Map<string, string>();

  async apply(client: KubeClient, call: ReadCall, objects: readonly NewObject[]): Promise<void> {
    for (const object of objects) {
      const { namespace = "", name } = object.metadata;
      const key = `${object.apiVersion} ${object.kind} ${namespace}/${name}`;
      const text = JSON.stringify(object);
      if (this.#applied.get(key) === text) continue;
      // oxlint-disable-next-line no-await-in-loop -- queues name flavors, doors name queues
      await client.apply({ ...call, force: "take-over" }, kindOf(object), object);
      if (this.#applied.size >= keptMax) this.#applied.clear();
      this.#applied.set(key, text);
    }
  }

  /** It turned out that something was taken away. */
  forget(): void {
    this.#applied.clear();
  }
}

export interface FurnitureOf {
  readonly place: JobPlace;
  readonly share: TenantShare;
  readonly unsold: Shares;
}

/** In the order in which they name each other. */
export function jobFurniture({ place, share, unsold }: FurnitureOf): readonly NewObject[] {
  const { site } = place;
  const levels = topology(site);
  const queues =
    site.batch === "kueue"
      ? [
          ...(levels === undefined ? [] : [levels]),
          ...resourceFlavors(site),
          ...workloadClasses(site),
          cohort(site, unsold),
          ...clusterQueues(site, share),
          ...localQueues(place, share.tenantId),
        ]
      : volcanoQueues(site, share);
  return [...podClasses(site), ...queues, scriptsMap(place), agentPolicy(place)];
}

const byName: ReadonlyMap<string, Kind> = new Map(
  [
    kinds.priorityClass,
    kinds.resourceFlavor,
    kinds.workloadPriorityClass,
    kinds.cohort,
    kinds.clusterQueue,
    kinds.localQueue,
    kinds.configMap,
    kinds.networkPolicy,
    jobKinds.topology,
    jobKinds.volcanoQueue,
  ].map((kind) => [`${apiVersion(kind)} ${kind.kind}`, kind]),
);

function kindOf(object: NewObject): Kind {
  const kind = byName.get(`${object.apiVersion} ${object.kind}`);
  if (kind === undefined) throw new Error(`no kind ${object.apiVersion} ${object.kind}`);
  return kind;
}
