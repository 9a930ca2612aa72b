/**
 * Ids as brands over lower-case uuid text, one per kind of record, so that a project's id cannot
 * be passed where a tenant's is meant. `TenantId.parse` is for the edge, `TenantId.is` for schemas.
 * A further kind is two more lines.
 */
import type { Brand } from "./brand.ts";
import { Failure } from "./failure.ts";

export interface IdKind<Name extends string> {
  readonly name: Name;
  is(text: string): text is Brand<string, Name>;
  /** Canonical lower-case text; throws `invalid_request` for anything but a uuid. */
  parse(text: string): Brand<string, Name>;
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function isId<Name extends string>(text: string): text is Brand<string, Name> {
  return uuidPattern.test(text);
}

function idKind<const Name extends string>(name: Name): IdKind<Name> {
  return {
    name,
    is: isId<Name>,
    parse(text) {
      const lower = text.toLowerCase();
      if (isId<Name>(lower)) return lower;
      const shown = JSON.stringify(text.slice(0, 60));
      throw new Failure("invalid_request", `${shown} is not the id of a ${name}: a uuid is.`);
    },
  };
}

export type TenantId = Brand<string, "tenant">;
export const TenantId: IdKind<"tenant"> = idKind("tenant");
export type ProjectId = Brand<string, "project">;
export const ProjectId: IdKind<"project"> = idKind("project");
export type RequestId = Brand<string, "request">;
export const RequestId: IdKind<"request"> = idKind("request");
export type InstanceId = Brand<string, "instance">;
export const InstanceId: IdKind<"instance"> = idKind("instance");
