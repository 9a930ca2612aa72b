/**
 * What every request passes before its body is read: credential, rate, tenant, permission. So a
 * caller who may not do something cannot even send it, and learns nothing from how it is checked.
 */
import type { IncomingHttpHeaders } from "node:http";

import type { Operation } from "#contract/operation.ts";
import type { OperationId } from "#contract/operations.ts";
import { credentialId } from "#identity/authenticate.ts";
import { Failure } from "#kernel/failure.ts";

import { isMutation, refusal, tenantActedFor } from "./authorize.ts";
import type { Caller, Environment } from "./call.ts";
import { noCredential, presentedIn, refuseForeignPage } from "./credential.ts";
import { parseIdempotencyKey } from "./idempotency.ts";
import { auditRefusal } from "./mutation.ts";
import type { RateLimit } from "./rate-limit.ts";
import type { Visitor } from "./visitor.ts";

export interface Knock {
  readonly id: OperationId;
  readonly operation: Operation;
  readonly requestId: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly visitor: Visitor;
  /** Values of the path, as they came. */
  readonly params: unknown;
}

export async function admitCaller(
  environment: Environment,
  rate: RateLimit,
  knock: Knock,
): Promise<Caller> {
  const { operation, headers, method, visitor } = knock;
  const presented = presentedIn(headers);
  if (presented === undefined) throw noCredential();
  const authenticated = await environment.keys.authenticate(presented.text, environment.now());
  rate.take(credentialId(authenticated));
  const caller: Caller = {
    authenticated,
    tenantId: authenticated.principal.tenantId,
    idempotencyKeyHash: isMutation(operation)
      ? idempotencyKeyOf(headers["idempotency-key"])
      : undefined,
  };
  try {
    if (presented.kind === "cookie" && method !== "GET" && method !== "HEAD") {
      refuseForeignPage(headers, visitor);
    }
    const failure = refusal(operation, authenticated);
    if (failure !== undefined) throw failure;
    const named = headers["millrace-tenant"]?.toString();
    return { ...caller, tenantId: await tenantActedFor(environment.db, authenticated, named) };
  } catch (error) {
    if (error instanceof Failure && isMutation(operation)) {
      const call = { ...knock, ...caller };
      await auditRefusal(environment, { call, params: knock.params, failure: error });
    }
    throw error;
  }
}

function idempotencyKeyOf(header: string | string[] | undefined): Buffer | undefined {
  return header === undefined ? undefined : parseIdempotencyKey(header.toString());
}
