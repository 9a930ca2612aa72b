/**
 * The end of a project's namespace: what is in it, what stands outside for it, and at last what storage
 * keeps. Asked again and again; each time it goes as far as it can and says what it waits for, so nothing
 * needs to be remembered between. A namespace that is not certainly the project's is left alone.
 */
import { z } from "zod";

import { StatusError } from "#providers/kubevirt/client/errors.ts";
import { apiVersion, type Kind, type ObjectName } from "#providers/kubevirt/client/kind.ts";
import type { Selection } from "#providers/kubevirt/client/list.ts";
import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import { labelKeys, ourSelector } from "#providers/kubevirt/compile/labels.ts";
import { namespaceName } from "#providers/kubevirt/compile/names.ts";
import { meteringFinalizer } from "#providers/kubevirt/jobs/names.ts";
import { jobKinds } from "#providers/kubevirt/objects/jobs.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { namespaceProblem } from "#providers/kubevirt/tenants/namespace.ts";
import {
  projectRemoval,
  removalLeftovers,
  type Leftover,
  type RemovalStep,
} from "#providers/kubevirt/tenants/removal.ts";
import type { ProjectEnd, ReadCall } from "#providers/provider.ts";

import { providerError, refusedBecause } from "./errors.ts";
import type { Hands } from "./hands.ts";

type Leftovers = Extract<ProjectEnd, { state: "gone" }>["leftovers"];

interface Ended {
  readonly tenantId: string;
  readonly projectId: string;
}

const namesSaidMax = 3;

export async function removeProject(
  hands: Hands,
  call: ReadCall,
  project: Ended,
): Promise<ProjectEnd> {
  await hands.demandClaim(call);
  const { controlPlane } = hands.settings;
  const ask = { ...project, site: { controlPlaneId: controlPlane } };
  const namespace = await hands.client.get(call, kinds.namespace, {
    name: namespaceName(project.projectId),
  });
  if (namespace !== undefined) {
    const { labels = {} } = namespace.metadata;
    const problem = namespaceProblem({ labels, deleting: false }, ask);
    if (problem !== undefined) throw refusedBecause([problem]);
  }
  for (const step of projectRemoval(ask)) {
    if ("namespace" in step && namespace === undefined) continue;
    // oxlint-disable-next-line no-await-in-loop -- each begins when the one before it is done
    const waitsFor = await take(hands, call, { step, namespace });
    if (waitsFor !== undefined) return { state: "going", waitsFor };
  }
  hands.furnished.forget(namespaceName(project.projectId));
  const queues = await takeQueues(hands, call, project);
  if ("waitsFor" in queues) return { state: "going", ...queues };
  const end = await leftOf(hands, call, removalLeftovers(project));
  return end.state === "going"
    ? end
    : { ...end, leftovers: [...queues.leftovers, ...end.leftovers] };
}

/** What it waits for; `undefined` when the step is done. */
async function take(
  hands: Hands,
  call: ReadCall,
  at: { readonly step: RemovalStep; readonly namespace: KubeObject | undefined },
): Promise<string | undefined> {
  const { step, namespace } = at;
  if (step.do === "delete-namespace") {
    if (namespace === undefined) return undefined;
    const { name, uid, deletionTimestamp } = namespace.metadata;
    if (deletionTimestamp !== undefined) return `its namespace, which is going${saidOf(namespace)}`;
    await hands.client.delete({ ...call, uid }, kinds.namespace, { name });
    return "its namespace, which is going";
  }
  const kind = kindOf(step);
  const selection = {
    ...(step.selector === undefined ? {} : { labels: step.selector }),
    ...(step.namespace === undefined ? {} : { namespace: step.namespace }),
  };
  const items = await listed(hands, call, kind, selection);
  if (items.length === 0) return undefined;
  if (step.do === "release") {
    await release(hands, call, items);
    return undefined;
  }
  if (step.do === "delete") {
    for (const { metadata } of items) {
      const { uid } = metadata;
      // oxlint-disable-next-line no-await-in-loop -- a handful
      await hands.client.delete({ ...call, uid }, kind, nameOf(metadata));
    }
    // Most are gone at once.
    const left = await listed(hands, call, kind, selection);
    return left.length === 0 ? undefined : `${counted(kind, left)} to be gone`;
  }
  return `${counted(kind, items)} to end, which nobody deletes with a project`;
}

/**
 * The queues of a tenant whose last project this was. They stand outside of all namespaces, so nothing
 * takes them along; one that the cluster does not let go of keeps no project.
 */
async function takeQueues(
  hands: Hands,
  call: ReadCall,
  { tenantId }: Ended,
): Promise<{ readonly waitsFor: string } | { readonly leftovers: Leftovers }> {
  const { client, settings } = hands;
  const labels = `${ourSelector(settings.controlPlane)},${labelKeys.tenant}=${tenantId}`;
  const { items: projects } = await client.list(call, kinds.namespace, { labels });
  if (projects.length > 0) return { leftovers: [] };
  const leftovers: Leftovers[number][] = [];
  for (const kind of [kinds.clusterQueue, jobKinds.volcanoQueue]) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- two of them
      for (const { metadata } of await listed(hands, call, kind, { labels })) {
        const { uid, name, deletionTimestamp } = metadata;
        if (deletionTimestamp !== undefined) continue;
        // oxlint-disable-next-line no-await-in-loop -- two of each
        await client.delete({ ...call, uid }, kind, { name });
      }
      // oxlint-disable-next-line no-await-in-loop -- as above
      const left = await listed(hands, call, kind, { labels });
      if (left.length > 0) return { waitsFor: `${counted(kind, left)} to be gone` };
    } catch (error) {
      // Without the right to look, or because its webhook keeps queues that are open.
      if (!(error instanceof StatusError && error.code < 429 && error.code !== 409)) throw error;
      const { message } = providerError(error);
      leftovers.push({ what: kind.plural, why: `Nobody could delete them: ${message}` });
    }
  }
  return { leftovers };
}

/** Of pods whose runs are all recorded by now: who calls has no machine and no job left there. */
async function release(hands: Hands, call: ReadCall, pods: readonly KubeObject[]): Promise<void> {
  for (const { metadata } of pods) {
    const { finalizers = [], resourceVersion } = metadata;
    if (!finalizers.includes(meteringFinalizer)) continue;
    const left = finalizers.filter((each) => each !== meteringFinalizer);
    const patch = { metadata: { resourceVersion, finalizers: left } };
    // oxlint-disable-next-line no-await-in-loop -- a handful
    await hands.client.patch(call, kinds.pod, { name: nameOf(metadata), patch });
  }
}

async function leftOf(
  hands: Hands,
  call: ReadCall,
  places: readonly Leftover[],
): Promise<ProjectEnd> {
  const leftovers: { what: string; why: string }[] = [];
  for (const place of places) {
    const kind = kindOf(place);
    let found: readonly KubeObject[];
    try {
      // oxlint-disable-next-line no-await-in-loop -- two of them
      const all = await listed(hands, call, kind, {});
      found = all.filter((object) => fieldOf(object, place.field) === place.namespace);
    } catch (error) {
      if (!(error instanceof StatusError && error.code === 403)) throw error;
      leftovers.push({
        what: kind.plural,
        why: `Nobody could look: ${providerError(error).message}`,
      });
      continue;
    }
    const going = found.filter((object) => !isKept(object, place));
    if (going.length > 0) {
      return { state: "going", waitsFor: `${counted(kind, going)} to be deleted by storage` };
    }
    leftovers.push(
      ...found.map(({ metadata }) => ({ what: `${kind.kind} ${metadata.name}`, why: place.why })),
    );
  }
  return { state: "gone", leftovers };
}

/** Its class keeps it, or storage tried to delete it and could not. */
function isKept(object: KubeObject, { policy }: Leftover): boolean {
  return fieldOf(object, policy) === "Retain" || fieldOf(object, "status.phase") === "Failed";
}

function fieldOf(object: unknown, path: string): unknown {
  let here = object;
  for (const field of path.split(".")) {
    if (typeof here !== "object" || here === null) return undefined;
    here = new Map<string, unknown>(Object.entries(here)).get(field);
  }
  return here;
}

const conditions = z.object({
  status: z.object({
    conditions: z.array(
      z.object({ type: z.string(), status: z.string(), message: z.string().default("") }),
    ),
  }),
});

/** Why a namespace does not go, in Kubernetes' own words. */
function saidOf(namespace: KubeObject): string {
  const all = conditions.safeParse(namespace).data?.status.conditions ?? [];
  const said = all.flatMap(({ status, message }) =>
    status === "True" && message !== "" ? message : [],
  );
  return said.length === 0 ? "" : `: ${said.join("; ").slice(0, 500)}`;
}

/** None, where the cluster does not have the kind. */
async function listed(
  hands: Hands,
  call: ReadCall,
  kind: Kind,
  selection: Selection,
): Promise<readonly KubeObject[]> {
  try {
    return (await hands.client.list(call, kind, selection)).items;
  } catch (error) {
    if (error instanceof StatusError && error.code === 404) return [];
    throw error;
  }
}

const byName: ReadonlyMap<string, Kind> = new Map(
  [
    kinds.pool,
    kinds.job,
    kinds.machine,
    kinds.machineInstance,
    kinds.snapshot,
    kinds.pod,
    kinds.roleBinding,
    kinds.volume,
    kinds.volumeSnapshotContent,
    jobKinds.volcanoJob,
  ].map((kind) => [`${apiVersion(kind)} ${kind.kind}`, kind]),
);

function kindOf(object: { readonly apiVersion: string; readonly kind: string }): Kind {
  const kind = byName.get(`${object.apiVersion} ${object.kind}`);
  if (kind === undefined) throw new Error(`no kind ${object.apiVersion} ${object.kind}`);
  return kind;
}

function counted({ plural }: Kind, items: readonly KubeObject[]): string {
  const names = items.slice(0, namesSaidMax).map(({ metadata }) => metadata.name);
  const more = items.length > names.length ? " …" : "";
  return `${items.length} ${plural} (${names.join(", ")}${more})`;
}

function nameOf({ name, namespace }: KubeObject["metadata"]): ObjectName {
  return namespace === undefined ? { name } : { namespace, name };
}
