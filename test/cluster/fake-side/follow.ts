/**
 * A controller of the fake side: every object of a kind is looked at when it is new or has changed, one
 * after the other, as it is by then. What somebody else changed meanwhile comes again by itself; what
 * failed is looked at again after a while, and is told.
 */
import { setTimeout as rest } from "node:timers/promises";

import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import { StatusError } from "#providers/kubevirt/client/errors.ts";
import type { Kind, ObjectName } from "#providers/kubevirt/client/kind.ts";
import type { Selection } from "#providers/kubevirt/client/list.ts";
import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

export interface Followed {
  readonly kind: Kind;
  readonly selection?: Selection;
  /** Called again with the same object, it changes nothing. */
  readonly look: (object: KubeObject) => Promise<void>;
  readonly gone?: (object: KubeObject) => Promise<void>;
}

const againMs = 1_000;
/** Failures of one object in a row that are not told: a machine that is loaded has a few. */
const quietFailures = 5;

/** Until the signal aborts. */
export async function follow(
  client: KubeClient,
  { kind, selection = {}, look, gone }: Followed,
  signal: AbortSignal,
): Promise<void> {
  const known = new Map<string, KubeObject>();
  const failures = new Map<string, number>();
  const reconcile = async (object: KubeObject): Promise<void> => {
    const { uid, name } = object.metadata;
    // A later change has its own turn.
    if (known.get(uid) !== object || signal.aborted) return;
    try {
      await look(object);
      failures.delete(uid);
    } catch (error) {
      if (signal.aborted || isPassed(error)) return;
      const many = (failures.get(uid) ?? 0) + 1;
      failures.set(uid, many);
      if (many === quietFailures) process.stderr.write(`${kind.kind} ${name}: ${String(error)}\n`);
      void rest(againMs, undefined, { signal }).then(
        () => reconcile(object),
        () => undefined,
      );
    }
  };
  for await (const event of client.watch({ signal }, kind, { selection })) {
    if (event.type === "page" || event.type === "changed") {
      const objects = event.type === "page" ? event.items : [event.object];
      for (const object of objects) {
        known.set(object.metadata.uid, object);
        void reconcile(object);
      }
    } else if (event.type === "deleted") {
      known.delete(event.object.metadata.uid);
      await gone?.(event.object).catch((error: unknown) => {
        if (!signal.aborted && !isPassed(error)) throw error;
      });
    }
  }
}

/** It is another than it was, or gone: the watch tells of that. */
function isPassed(error: unknown): boolean {
  if (!(error instanceof StatusError)) return false;
  return error.code === 409 || (error.code === 404 && error.objectName !== undefined);
}

/** Whose status has no address of its own. */
const plain = new Set<Kind>([kinds.machineInstance]);

/** Its status, if nobody changed the object since it was read. */
export async function setStatus(
  client: KubeClient,
  kind: Kind,
  { metadata }: KubeObject,
  status: Readonly<Record<string, unknown>>,
): Promise<void> {
  const patch = { metadata: { resourceVersion: metadata.resourceVersion }, status };
  const part = plain.has(kind) ? {} : ({ subresource: "status" } as const);
  await client.patch(soon(), kind, { name: nameOf(metadata), patch, ...part });
}

export function soon(): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.timeout(60_000) };
}

export function nameOf({ namespace, name }: KubeObject["metadata"]): ObjectName {
  return namespace === undefined ? { name } : { namespace, name };
}

/** As the API tells instants. */
export function instant(): string {
  return new Date().toISOString().replace(/\.\d+Z$/u, "Z");
}
