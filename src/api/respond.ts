/** Writes answers and problems onto the wire. */
import { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";

import type { FastifyReply, FastifyRequest } from "fastify";

import { failureClasses, type Failure } from "#kernel/failure.ts";

import type { Environment } from "./call.ts";
import type { Outgoing } from "./outgoing.ts";
import { problemHeaders, problemOf, problemText, toFailure } from "./problem.ts";

/** Nothing here is a page, so nothing may be run, framed, guessed at or kept. */
export const securityHeaders = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;

/** How much of an unwanted body is read away, so that the caller gets to see the answer. */
const lingerBytesMax = 32 * 2 ** 20;
const lingerMs = 2000;

export async function send(
  reply: FastifyReply,
  outgoing: Outgoing,
  { observer }: Pick<Environment, "observer">,
): Promise<FastifyReply> {
  const { status, headers, body } = outgoing;
  reply.code(status).headers(headers);
  if (body instanceof Readable) {
    // The status is on its way: all that is left is to break off, and to say why here.
    body.once("error", (error) => {
      const isGone = reply.raw.destroyed || reply.raw.errored !== null;
      const { id: requestId, routeOptions } = reply.request;
      observer.log[isGone ? "debug" : "error"](
        { requestId, operation: routeOptions.config.operationId, err: error },
        "stream broke off",
      );
    });
  }
  return status === 204 ? reply.send() : reply.send(body);
}

export interface Refused {
  readonly environment: Environment;
  readonly error: unknown;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

export async function sendProblem(refused: Refused): Promise<FastifyReply> {
  const { environment, error, request, reply } = refused;
  const failure = toFailure(error);
  logFailure(environment, failure, request);
  await linger(request, reply);
  const problem = problemOf(failure, request.id);
  return reply
    .code(problem.status)
    .headers({ ...securityHeaders, "x-request-id": request.id, ...problemHeaders(failure) })
    .send(problemText(problem));
}

function logFailure({ observer }: Environment, failure: Failure, request: FastifyRequest): void {
  const level = failureClasses[failure.code].log;
  const fields = {
    requestId: request.id,
    operation: request.routeOptions.config.operationId,
    code: failure.code,
    reason: failure.message,
    err: failure.cause,
  };
  observer.log[level](fields, "request refused");
}

/**
 * A caller who is still sending does not look for the answer, and would lose it when the
 * connection closes under him. So a bounded rest of the body is read away first.
 */
export async function linger({ raw }: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (raw.complete || raw.destroyed) return;
  reply.header("connection", "close");
  let bytes = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > lingerBytesMax) resolve();
  };
  const over = new AbortController();
  raw.on("data", onData);
  raw.resume();
  raw.once("end", resolve);
  raw.once("close", resolve);
  await Promise.race([
    promise,
    wait(lingerMs, undefined, { signal: over.signal }).catch(() => undefined),
  ]);
  over.abort();
  raw.off("data", onData);
}
