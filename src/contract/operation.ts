/**
 * The API as data. From the table in `operations.ts` come the routes and their validation,
 * openapi.json, the typed client, the CLI's `api` command and the authorization-matrix test; so
 * what one of them can do, all of them can. Runs in a browser.
 */
import { z } from "zod";

import type { FailureCode } from "#kernel/failure.ts";

export type Role = "root" | "domain_admin" | "user" | "billing" | "viewer";

/** What a role may do is the table in permissions.ts. */
export type Permission =
  | "public"
  | "self"
  | "tenant.read"
  | "tenant.manage"
  | "member.read"
  | "member.manage"
  | "key.manage"
  | "catalog.read"
  | "catalog.manage"
  | "compute.read"
  | "compute.use"
  | "billing.read"
  | "billing.manage"
  | "audit.read"
  | "usage.write"
  | "platform.read"
  | "platform.manage";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** How the answer travels; anything but `json` has `result: z.unknown()` and is not parsed. */
export type Transport = "json" | "bytes" | "events" | "text";

export type RequestTransport = "json" | "bytes";

export interface Operation<
  Path extends z.ZodObject = z.ZodObject,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
  Allowed extends Permission = Permission,
  Sent extends RequestTransport = RequestTransport,
  Answered extends Transport = Transport,
> {
  readonly method: Method;
  /** RFC 6570, e.g. `/v1/leases/{leaseId}`; a last `{+name}` may have slashes in it. */
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  readonly permission: Allowed;
  /** Name in the audit log; every mutation has one. */
  readonly audit?: string;
  readonly status: 200 | 201 | 202 | 204;
  readonly params: Path;
  readonly query: Query;
  /** `undefined` when the operation takes no body. */
  readonly body: Body | undefined;
  readonly requestTransport: Sent;
  readonly result: Result;
  readonly transport: Answered;
  /** Failures that this operation names besides those that every operation may give. */
  readonly failures: readonly FailureCode[];
}

const noFields = z.strictObject({});

interface Declared<
  Path extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Result extends z.ZodType,
  Allowed extends Permission,
  Sent extends RequestTransport,
  Answered extends Transport,
> extends Pick<Operation, "method" | "path" | "summary" | "tag"> {
  readonly permission: Allowed;
  readonly audit?: string;
  readonly status?: Operation["status"];
  readonly params?: Path;
  readonly query?: Query;
  readonly body?: Body;
  readonly requestTransport?: Sent;
  readonly result: Result;
  readonly transport?: Answered;
  readonly failures?: readonly FailureCode[];
}

/** Fills in what most operations leave out. */
export function operation<
  Result extends z.ZodType,
  const Allowed extends Permission,
  Path extends z.ZodObject = typeof noFields,
  Query extends z.ZodObject = typeof noFields,
  Body extends z.ZodType = z.ZodUndefined,
  const Sent extends RequestTransport = "json",
  const Answered extends Transport = "json",
>(
  declared: Declared<Path, Query, Body, Result, Allowed, Sent, Answered>,
): Operation<Path, Query, Body, Result, Allowed, Sent, Answered>;
// The types above are exact for each operation; in here only the shape matters.
export function operation(
  declared: Declared<
    z.ZodObject,
    z.ZodObject,
    z.ZodType,
    z.ZodType,
    Permission,
    RequestTransport,
    Transport
  >,
): Operation {
  const { audit } = declared;
  return {
    method: declared.method,
    path: declared.path,
    summary: declared.summary,
    tag: declared.tag,
    permission: declared.permission,
    ...(audit === undefined ? {} : { audit }),
    status: declared.status ?? 200,
    params: declared.params ?? noFields,
    query: declared.query ?? noFields,
    body: declared.body,
    requestTransport: declared.requestTransport ?? "json",
    result: declared.result,
    transport: declared.transport ?? "json",
    failures: declared.failures ?? [],
  };
}

export type ParamsOf<O extends Operation> = z.output<O["params"]>;
export type QueryOf<O extends Operation> = z.output<O["query"]>;
export type BodyOf<O extends Operation> = z.output<NonNullable<O["body"]>>;
export type ResultOf<O extends Operation> = z.output<O["result"]>;
