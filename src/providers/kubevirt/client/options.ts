/** What a call may say beside what it is about, what a write comes to, and the limits of a client. */
import type { CallLimits } from "./calls.ts";
import { type ListLimits, listLimits } from "./list.ts";
import type { KubeObject } from "./object.ts";
import { retryPolicy } from "./retry.ts";
import { type WatchLimits, watchLimits } from "./watch.ts";

/** The name under which the API server notes which fields are ours. */
export const fieldManager = "millrace";

export interface ClientLimits {
  readonly calls: CallLimits;
  readonly list: ListLimits;
  readonly watch: WatchLimits;
}

export const clientLimits: ClientLimits = {
  calls: {
    callsMax: 32,
    waitingMax: 20_000,
    timeoutMs: 30_000,
    bodyBytesMax: 1_572_864,
    answerBytesMax: 64 * 1024 * 1024,
    retry: retryPolicy,
  },
  list: listLimits,
  watch: watchLimits,
};

export interface KubeCall {
  readonly signal: AbortSignal;
}

export interface WriteCall extends KubeCall {
  /** The server does everything but keep it: its answer is what would have been. */
  readonly dryRun?: "all";
}

export interface ApplyCall extends WriteCall {
  /** Take fields that another manager has set; without it that is an ApplyConflictError. */
  readonly force?: "take-over";
  /** Apply to a part that has its own rights, such as `status`. */
  readonly subresource?: string;
}

export interface DeleteCall extends WriteCall {
  /** Delete only this very object; another of the same name is a StatusError 409. */
  readonly uid?: string;
  readonly propagation?: "Background" | "Foreground" | "Orphan";
  readonly graceSeconds?: number;
}

/** What a write came to. */
export interface Written {
  readonly object: KubeObject;
  /** What the server said beside; worth a line in the log. */
  readonly warnings: readonly string[];
}
