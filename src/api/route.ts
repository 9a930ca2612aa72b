/** One operation's route: gate, parse, invoke, send. */
import { Readable } from "node:stream";

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { operations, type OperationId } from "#contract/operations.ts";
import type { Operation } from "#contract/operation.ts";
import { present } from "#kernel/assert.ts";
import { Failure } from "#kernel/failure.ts";

import { isMutation } from "./authorize.ts";
import type { Call, Environment, Incoming } from "./call.ts";
import type { Connections } from "./connections.ts";
import { admitCaller } from "./gate.ts";
import type { Handlers } from "./handler.ts";
import { parseInput, UnreadJson, type Raw } from "./input.ts";
import { handleOf, invoke, invokePublic, readsText } from "./invoke.ts";
import { auditRefusal } from "./mutation.ts";
import type { Outgoing } from "./outgoing.ts";
import { toFailure } from "./problem.ts";
import type { RateLimit, Slots } from "./rate-limit.ts";
import { send } from "./respond.ts";
import { answersHead, namedParams, routePath } from "./route-table.ts";
import { isForeignPage, visitorOf } from "./visitor.ts";

export interface RouteParts {
  readonly id: OperationId;
  readonly environment: Environment;
  readonly handlers: Partial<Handlers>;
  readonly connections: Connections;
  readonly slots: Slots;
  readonly rate: RateLimit;
}

export function parseJsonBodies(scope: FastifyInstance, handlers: Partial<Handlers>): void {
  const parse = scope.getDefaultJsonParser("error", "error");
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body, done) => {
    const { operationId } = request.routeOptions.config;
    const bytes = typeof body === "string" ? Buffer.from(body) : body;
    const text = bytes.toString();
    if (text === "") done(null, undefined);
    else if (operationId === undefined || !readsText(handlers, operationId)) {
      void parse(request, text, done);
    } else done(null, new UnreadJson({ bytes, text }, () => readNow(parse, request, text)));
  });
}

/** Fastify's parser of JSON answers before it returns. */
function readNow(
  parse: ReturnType<FastifyInstance["getDefaultJsonParser"]>,
  request: FastifyRequest,
  text: string,
): unknown {
  let failure: Error | null = null;
  let value: unknown;
  void parse(request, text, (error: Error | null, parsed: unknown) => {
    failure = error;
    value = parsed;
  });
  if (failure !== null) throw failure;
  return value;
}

export function passBodiesOn(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
}

export function addRoute(scope: FastifyInstance, parts: RouteParts): void {
  const { id, environment } = parts;
  const operation: Operation = operations[id];
  const isPublic = operation.permission === "public";
  scope.route({
    method: operation.method,
    url: routePath(operation.path),
    exposeHeadRoute: answersHead(id),
    config: { operationId: id },
    onRequest: async (request) => {
      if (isPublic) return;
      const { id: requestId, headers, method, params } = request;
      const visitor = visitorOf(request.raw, environment.front);
      const knock = { id, operation, requestId, headers, method, visitor, params };
      request.caller = await admitCaller(environment, parts.rate, knock);
    },
    handler: async (request, reply) => {
      const outgoing = isPublic
        ? await answerPublic(parts, request, reply)
        : await answerCaller(parts, request, reply);
      return send(reply, outgoing, environment);
    },
  });
}

async function answerPublic(
  { id, environment, handlers, connections }: RouteParts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Outgoing> {
  const input = parseInput(operations[id], rawOf(operations[id], request));
  const signal = connections.signalOf(reply.raw, "short");
  const { handle } = handleOf(handlers, id);
  const visitor = visitorOf(request.raw, environment.front);
  if (isMutation(operations[id]) && isForeignPage(request.headers, visitor)) {
    throw new Failure("forbidden", "This is not asked from a page of another server.", {
      details: { reason: "cross_site" },
    });
  }
  const incoming = incomingOf(request, { input, signal, visitor });
  const call = { id, requestId: request.id };
  return withHeaders(await invokePublic({ environment, handle, incoming }, call), incoming);
}

async function answerCaller(
  { id, environment, handlers, connections, slots }: RouteParts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Outgoing> {
  const operation: Operation = operations[id];
  const caller = present(request.caller, "caller behind the gate");
  const call: Call = { ...caller, id, operation, requestId: request.id };
  const input = parseInput(operation, rawOf(operation, request));
  const { handle, waits } = handleOf(handlers, id);
  const isLong = waits || operation.transport === "events" || operation.transport === "bytes";
  if (isLong) reply.raw.once("close", slots.take(caller.tenantId));
  const signal = connections.signalOf(reply.raw, isLong ? "long" : "short");
  const visitor = visitorOf(request.raw, environment.front);
  const incoming = incomingOf(request, { input, signal, visitor });
  try {
    return withHeaders(await invoke({ environment, handle, incoming, waits }, call), incoming);
  } catch (error) {
    if (isMutation(operation)) {
      const failure = toFailure(error);
      await auditRefusal(environment, { call, params: input.params, failure });
    }
    throw error;
  }
}

function withHeaders(outgoing: Outgoing, { answerHeaders }: Incoming): Outgoing {
  return { ...outgoing, headers: { ...outgoing.headers, ...answerHeaders } };
}

function rawOf({ path }: Operation, { params, query, body }: FastifyRequest): Raw {
  return { params: namedParams(path, params), query, body };
}

function incomingOf(
  { headers, body }: FastifyRequest,
  of: Pick<Incoming, "input" | "signal" | "visitor">,
): Incoming {
  const contentLength = headers["content-length"];
  return {
    ...of,
    answerHeaders: {},
    lastEventId: headers["last-event-id"]?.toString(),
    contentType: headers["content-type"],
    contentLength: contentLength === undefined ? undefined : Number(contentLength),
    upload: body instanceof Readable ? body : undefined,
  };
}
