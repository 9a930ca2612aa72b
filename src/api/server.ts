/**
 * The HTTP server: a route for each operation of the contract. How a request travels is told in
 * README.md. It listens nowhere until asked, and closes in order: streams end, requests in hand
 * are answered, connections go.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

import fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import { v7 as newId } from "uuid";

import type { ConsoleFiles } from "#console-files/files.ts";
import { operations, type OperationId } from "#contract/operations.ts";
import { knownKeys } from "#identity/known-keys.ts";
import { Failure } from "#kernel/failure.ts";
import type { JobAgentRoutes } from "#providers/kubevirt/exchange/agent.ts";

import type { Caller, Environment } from "./call.ts";
import { Connections } from "./connections.ts";
import type { Handlers } from "./handler.ts";
import { addJobAgent } from "./job-agent.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import { observeRequests } from "./observe.ts";
import { sendPage } from "./pages.ts";
import { problemOf, problemText } from "./problem.ts";
import { rateLimit, streamSlots } from "./rate-limit.ts";
import { sendProblem, securityHeaders } from "./respond.ts";
import { addRoute, parseJsonBodies, passBodiesOn, type RouteParts } from "./route.ts";
import { methodsOf, operationIds } from "./route-table.ts";
import { ownHandlers } from "./routes/own.ts";
import { signInLimits } from "./sign-in-limits.ts";
import { noFront, type Front } from "./visitor.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Set by the gate, except for public operations. */
    caller: Caller | undefined;
  }
  interface FastifyContextConfig {
    operationId?: OperationId;
    /** Of what is no operation, for metrics. */
    part?: string;
  }
}

export interface ServerOptions extends Pick<Environment, "db" | "observer" | "services" | "now"> {
  /** Those of the other parts of the program; identity, audit and system are the server's own. */
  readonly handlers: Partial<Handlers>;
  readonly limits?: Partial<Limits>;
  /** For WebSockets: consoles. Without it, an upgrade is answered like a plain request. */
  readonly upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly front?: Front;
  /** What browsers get at paths that are no operation; without it, the problem `not_found`. */
  readonly pages?: ConsoleFiles;
  /** What programs beside customers' jobs ask, under `/job-agent`; nothing without it. */
  readonly jobAgent?: JobAgentRoutes;
  readonly monotonicMs?: () => number;
}

export interface Server {
  /** The URL it can be reached at; port 0 takes a free one. Throws when the port is taken. */
  listen(at: { readonly host: string; readonly port: number }): Promise<string>;
  /** Ends streams, lets requests in hand finish for `drainMs`, then drops what is left. */
  close(): Promise<void>;
  /** Operations without a handler: they answer `unavailable`. */
  readonly unwired: readonly OperationId[];
}

const requestIdPattern = /^[A-Za-z0-9._:-]{8,100}$/;
const idleLookMs = 50;
const pathParameterCharactersMax = 200;

export function createServer(options: ServerOptions): Server {
  const limits = { ...defaultLimits, ...options.limits };
  const { db, observer, services, now } = options;
  const monotonicMs = options.monotonicMs ?? (() => performance.now());
  const keys = knownKeys(db, monotonicMs);
  const front = options.front ?? noFront;
  const environment: Environment = { db, observer, services, now, limits, keys, front };
  const own = ownHandlers({ observer, signInLimits: signInLimits(monotonicMs) });
  const handlers = { ...own, ...options.handlers };
  const connections = new Connections();
  const app = fastify({
    logger: false,
    bodyLimit: limits.bodyBytesMax,
    requestTimeout: limits.requestTimeoutMs,
    return503OnClosing: false,
    routerOptions: { maxParamLength: pathParameterCharactersMax },
    genReqId: (request) => requestIdOf(request),
    frameworkErrors: (error, request, reply) => {
      void sendProblem({ environment, error, request, reply });
    },
    clientErrorHandler: answerBrokenHttp,
  });
  app.server.maxConnections = limits.connectionsMax;
  if (options.upgrade !== undefined) app.server.on("upgrade", options.upgrade);
  app.decorateRequest("caller", undefined);
  app.addHook("onRequest", async (request, reply) => {
    reply.headers({ ...securityHeaders, "x-request-id": request.id });
    if (connections.areClosing()) reply.header("connection", "close");
  });
  const slots = streamSlots(limits.streamsPerTenantMax);
  observeRequests(app, { observer, openStreams: slots.taken });
  app.setErrorHandler((error, request, reply) =>
    sendProblem({ environment, error, request, reply }),
  );
  app.setNotFoundHandler(async (request, reply) => {
    const page = await sendPage(options.pages, request, reply);
    return page ?? sendProblem({ environment, error: notFound(request), request, reply });
  });
  const { requestBurstMax: burst, requestsPerSecondMax: perSecond } = limits;
  const rate = rateLimit({ burst, perSecond, monotonicMs });
  addRoutes(app, { environment, handlers, connections, slots, rate });
  const { jobAgent } = options;
  if (jobAgent !== undefined) addJobAgent(app, { environment, answer: jobAgent, monotonicMs });

  return {
    listen: async (at) => {
      try {
        return await app.listen(at);
      } catch (cause) {
        throw cannotListen(at, cause);
      }
    },
    close: async () => {
      connections.close();
      const dropAll = setTimeout(() => app.server.closeAllConnections(), limits.drainMs);
      // Node closes idle connections once, at the start; those in hand become idle later.
      const dropIdle = setInterval(() => app.server.closeIdleConnections(), idleLookMs);
      try {
        await app.close();
      } finally {
        clearTimeout(dropAll);
        clearInterval(dropIdle);
      }
    },
    unwired: operationIds.filter((id) => handlers[id] === undefined),
  };
}

function takesBytes(id: OperationId): boolean {
  return operations[id].requestTransport === "bytes";
}

/** Two scopes, because the parsers of bodies differ: JSON, and uploads in any form. */
function addRoutes(app: FastifyInstance, parts: Omit<RouteParts, "id">): void {
  void app.register(async (scope) => {
    parseJsonBodies(scope, parts.handlers);
    for (const id of operationIds) if (!takesBytes(id)) addRoute(scope, { ...parts, id });
  });
  void app.register(async (scope) => {
    passBodiesOn(scope);
    for (const id of operationIds) if (takesBytes(id)) addRoute(scope, { ...parts, id });
  });
}

/** A caller's own id is kept when it is well formed, so that its log and ours can be joined. */
function requestIdOf(request: { headers: IncomingMessage["headers"] }): string {
  const given = request.headers["x-request-id"]?.toString();
  return given !== undefined && requestIdPattern.test(given) ? given : newId();
}

function notFound(request: FastifyRequest): Failure {
  const path = request.url.split("?")[0] ?? "";
  const allow = methodsOf(path);
  if (allow.length === 0) {
    return new Failure("not_found", "There is nothing at this path. /openapi.json lists what is.");
  }
  return new Failure("method_not_allowed", `Here is ${allow.join(", ")}, not ${request.method}.`, {
    details: { allow },
  });
}

export function cannotListen(at: { host: string; port: number }, cause: unknown): Failure {
  return new Failure("unavailable", whyNotListening(at, cause), { cause });
}

function whyNotListening(at: { host: string; port: number }, cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const where = `${at.host}:${at.port}`;
  if (code === "EADDRINUSE") {
    return `${where} is in use by another program. Choose another port, or stop that program.`;
  }
  if (code === "EACCES") return `${where} may not be used by this account.`;
  return `It is not possible to listen on ${where}: ${cause instanceof Error ? cause.message : String(cause)}`;
}

/** Bytes that are not HTTP; there is no request yet to answer in the usual way. */
function answerBrokenHttp(
  error: NodeJS.ErrnoException,
  socket: { writable: boolean; end(text: string): unknown; destroy(): unknown },
): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const failure = new Failure("invalid_request", "This is not a request in HTTP/1.1.");
  const body = problemText(problemOf(failure, newId()));
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
