/**
 * A Job is handed to the cluster, or taken as it is there already. Volcano opens a queue a moment after it
 * was made, and its webhook refuses work until then, as it does of one that somebody closed: that is
 * waited for, and refuses nobody for good.
 */
import { setTimeout as sleep } from "node:timers/promises";

import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import { StatusError } from "#providers/kubevirt/client/errors.ts";
import type { Kind } from "#providers/kubevirt/client/kind.ts";
import type { KubeObject, NewObject } from "#providers/kubevirt/client/object.ts";
import { isConflict } from "#providers/kubevirt/driver/errors.ts";
import { ProviderError, type ReadCall } from "#providers/provider.ts";

const openEveryMs = 100;
/** Longer than its controller takes; the keeper comes back later. */
const openTriesMax = 50;

export async function submit(
  client: KubeClient,
  call: ReadCall,
  job: { readonly kind: Kind; readonly object: NewObject },
): Promise<KubeObject> {
  const { kind, object } = job;
  for (let tries = 1; ; tries += 1) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- again only where its queue is not open yet
      return (await client.create(call, kind, object)).object;
    } catch (error) {
      if (!isNotOpen(error)) return asThere(client, call, { ...job, error });
      if (tries === openTriesMax) throw closed(error);
    }
    // oxlint-disable-next-line no-await-in-loop -- as above
    await sleep(openEveryMs, undefined, { signal: call.signal });
  }
}

async function asThere(
  client: KubeClient,
  call: ReadCall,
  of: { readonly kind: Kind; readonly object: NewObject; readonly error: unknown },
): Promise<KubeObject> {
  const { kind, object, error } = of;
  const { namespace = "", name } = object.metadata;
  const there = isConflict(error) ? await client.get(call, kind, { namespace, name }) : undefined;
  if (there === undefined) throw error;
  return there;
}

function isNotOpen(error: unknown): boolean {
  return error instanceof StatusError && error.message.includes("queue with state `Open`");
}

function closed(cause: unknown): ProviderError {
  const message =
    "Its queue in Volcano is not open. It is tried again; open the queue if it stays so.";
  return new ProviderError("unavailable", message, { effect: "none", cause });
}
