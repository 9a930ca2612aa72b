/** What the server says no with: the `Status` object, in the words of the real one. */
import type { Kind } from "#providers/kubevirt/client/kind.ts";

import { resourceOf } from "./document.ts";

export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

interface Said {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly kind?: Kind;
  readonly name?: string;
  readonly causes?: readonly Cause[];
  readonly retryAfterSeconds?: number;
}

export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: number;
  readonly retryAfterSeconds: number | undefined;
  readonly status: Readonly<Record<string, unknown>>;

  constructor(said: Said) {
    super(said.message);
    const { code, reason, message, kind, name, causes, retryAfterSeconds } = said;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
    const details = {
      ...(name === undefined ? {} : { name }),
      ...(kind === undefined ? {} : { group: kind.group, kind: kind.plural }),
      ...(causes === undefined ? {} : { causes }),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    };
    this.status = {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message,
      reason,
      details,
      code,
    };
  }
}

export function notFound(kind: Kind, name: string): Refusal {
  const message = `${resourceOf(kind)} "${name}" not found`;
  return new Refusal({ code: 404, reason: "NotFound", message, kind, name });
}

export function alreadyExists(kind: Kind, name: string): Refusal {
  const message = `${resourceOf(kind)} "${name}" already exists`;
  return new Refusal({ code: 409, reason: "AlreadyExists", message, kind, name });
}

export function conflict(kind: Kind, name: string, why: string): Refusal {
  const message = `Operation cannot be fulfilled on ${resourceOf(kind)} "${name}": ${why}`;
  return new Refusal({ code: 409, reason: "Conflict", message, kind, name });
}

export function applyConflict(
  conflicts: readonly { readonly manager: string; readonly field: string; apiVersion: string }[],
): Refusal {
  const causes = conflicts.map(({ manager, field, apiVersion }) => ({
    reason: "FieldManagerConflict",
    message: `conflict with "${manager}" using ${apiVersion}`,
    field,
  }));
  const said = causes.map(({ message, field }) => `${message}: ${field}`).join("\n");
  const many = causes.length === 1 ? "1 conflict" : `${causes.length} conflicts`;
  const message = `Apply failed with ${many}: ${said}`;
  return new Refusal({ code: 409, reason: "Conflict", message, causes });
}

export function invalid(kind: Kind, name: string, causes: readonly Cause[]): Refusal {
  const said = causes.map(({ field, message }) => `${field}: ${message}`).join(", ");
  const message = `${kind.kind}.${kind.group} "${name}" is invalid: ${said}`;
  return new Refusal({ code: 422, reason: "Invalid", message, kind, name, causes });
}

export function badRequest(message: string): Refusal {
  return new Refusal({ code: 400, reason: "BadRequest", message });
}

export function forbidden(
  kind: Kind,
  name: string,
  why: string,
  causes?: readonly Cause[],
): Refusal {
  const message = `${resourceOf(kind)} "${name}" is forbidden: ${why}`;
  const said = { code: 403, reason: "Forbidden", message, kind, name };
  return new Refusal(causes === undefined ? said : { ...said, causes });
}

export function internalError(why: string): Refusal {
  const message = `Internal error occurred: ${why}`;
  return new Refusal({ code: 500, reason: "InternalError", message });
}

export function expired(message: string): Refusal {
  return new Refusal({ code: 410, reason: "Expired", message });
}

export function unauthorized(): Refusal {
  return new Refusal({ code: 401, reason: "Unauthorized", message: "Unauthorized" });
}

export function tooManyRequests(retryAfterSeconds: number): Refusal {
  const message = "the server has received too many requests and has asked us to try again later";
  return new Refusal({ code: 429, reason: "TooManyRequests", message, retryAfterSeconds });
}

/** A path that is nothing here, as of a kind whose definition is not installed. */
/** As KubeVirt's own API says it. */
export function notAcceptable(): Refusal {
  const message = "406: Not Acceptable";
  return new Refusal({ code: 406, reason: "NotAcceptable", message });
}

export function noSuchResource(): Refusal {
  const message = "the server could not find the requested resource";
  return new Refusal({ code: 404, reason: "NotFound", message });
}
