/**
 * What every request passes before its body is read: credential, rate, tenant, permission. So a
 * caller who may not do something cannot even send it, and learns nothing from how it is checked.
 */
import type { IncomingHttpHeaders } from "node:http";

import type { Operation } from "#contract/operation.ts";
import type { OperationId } from "#contract/operations.ts";
import { Failure } from "#kernel/failure.ts";

import { isMutation, refusal, tenantActedFor } from "./authorize.ts";
import type { Caller, Environment } from "./call.ts";
import { parseIdempotencyKey } from "./idempotency.ts";
import { auditRefusal } from "./mutation.ts";
import type { RateLimit } from "./rate-limit.ts";

export interface Knock {
  readonly id: OperationId;
  readonly operation: Operation;
  readonly requestId: string;
  readonly headers: IncomingHttpHeaders;
  /** Values of the path, as they came. */
  readonly params: unknown;
}

export async function admitCaller(
  environment: Environment,
  rate: RateLimit,
  knock: Knock,
): Promise<Caller> {
  const { operation, headers } = knock;
  const authenticated = await environment.keys.authenticate(
    bearerOf(headers.authorization),
    environment.now(),
  );
  rate.take(authenticated.principal.keyId);
  const caller: Caller = {
    authenticated,
    tenantId: authenticated.principal.tenantId,
    idempotencyKeyHash: isMutation(operation)
      ? idempotencyKeyOf(headers["idempotency-key"])
      : undefined,
  };
  try {
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

function bearerOf(authorization: string | undefined): string {
  const [scheme, credential] = authorization?.split(" ") ?? [];
  if (credential !== undefined && scheme?.toLowerCase() === "bearer") return credential;
  throw new Failure(
    "unauthenticated",
    "Send an API key: the header `Authorization: Bearer mrk_…`.",
  );
}

function idempotencyKeyOf(header: string | string[] | undefined): Buffer | undefined {
  return header === undefined ? undefined : parseIdempotencyKey(header.toString());
}
