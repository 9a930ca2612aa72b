/** What a cluster answers, in the words of the contract: which error it is, and what it did. Pure. */
import {
  ApplyConflictError,
  ConnectionError,
  CredentialError,
  RefusedError,
  StatusError,
} from "#providers/kubevirt/client/errors.ts";
import type { Refusal } from "#providers/kubevirt/compile/refuse.ts";
import { ProviderError } from "#providers/provider.ts";

/** Of a call that nothing came before: what it says of its effect holds for the whole. */
export function providerError(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error;
  if (error instanceof ApplyConflictError) {
    const others = error.conflicts.map(({ manager, field }) => `${field} (by ${manager})`);
    return refused(
      `Somebody else in the cluster has set what Millrace sets: ${others.join(", ")}. ` +
        "Undo it there, or give the field back with kubectl.",
      error,
    );
  }
  if (error instanceof StatusError) return statusError(error);
  if (error instanceof ConnectionError) {
    const { message, effect } = error;
    return new ProviderError("unavailable", `The cluster does not answer: ${message}`, {
      effect,
      cause: error,
    });
  }
  if (error instanceof CredentialError) {
    return new ProviderError("unavailable", `Cannot sign in to the cluster: ${error.message}`, {
      effect: "none",
      cause: error,
    });
  }
  if (error instanceof RefusedError) return refused(error.message, error);
  if (isAbort(error)) {
    return new ProviderError("unavailable", "the caller gave up", {
      effect: "maybe",
      cause: error,
    });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new ProviderError("unknown", message, { effect: "maybe", cause: error });
}

/** The server answered no, so it did nothing. */
function statusError(error: StatusError): ProviderError {
  const { code, reason, message } = error;
  const none = { effect: "none", cause: error } as const;
  if (code === 401) {
    return new ProviderError("unavailable", `The cluster does not know us: ${message}`, none);
  }
  if (code === 403 && message.includes("exceeded quota")) {
    return new ProviderError("capacity", `The namespace's quota is used up: ${message}`, none);
  }
  if (code === 403) {
    return refused(
      `The cluster does not allow it: ${message}. See the permissions in the docs.`,
      error,
    );
  }
  if (code === 404 && error.objectName === undefined) {
    return new ProviderError(
      "unavailable",
      `The cluster does not know this kind of object (${message}). Either KubeVirt, CDI or another part that Millrace needs is not installed there, or it is in a version that is not spoken here.`,
      none,
    );
  }
  if (code === 404) return new ProviderError("not_found", message, none);
  if (code === 409) return new ProviderError("unavailable", `Changed meanwhile: ${message}`, none);
  if (code === 429) return new ProviderError("throttled", message, none);
  if (code >= 500)
    return new ProviderError("unavailable", message, { effect: "maybe", cause: error });
  return refused(reason === "" ? message : `${reason}: ${message}`, error);
}

export function refused(message: string, cause?: unknown): ProviderError {
  return new ProviderError("refused", message, {
    effect: "none",
    ...(cause === undefined ? {} : { cause }),
  });
}

export function refusedBecause(refusals: readonly Refusal[]): ProviderError {
  return refused(refusals.map(({ message }) => message).join(" "));
}

export function missing(machineId: string): ProviderError {
  return new ProviderError("not_found", `the cluster has no machine ${machineId} of ours`, {
    effect: "none",
  });
}

export function isConflict(error: unknown): boolean {
  return error instanceof StatusError && error.code === 409;
}

/** By the admission of Kubernetes (PersistentVolumeClaimResize): a 403 that no permission mends. */
export function isResizeForbidden(error: unknown): boolean {
  return (
    error instanceof StatusError &&
    error.code === 403 &&
    error.message.includes("must support resize")
  );
}

/** The cluster does not have this kind, so it has no object of it either. */
export function isKindUnknown(error: unknown): boolean {
  return error instanceof StatusError && error.code === 404 && error.objectName === undefined;
}

/** It stays so until somebody does something. */
export function isLasting(error: unknown): boolean {
  if (error instanceof StatusError) return [401, 403, 404].includes(error.code);
  return error instanceof CredentialError || error instanceof RefusedError;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
