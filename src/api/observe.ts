/** What is seen of requests: one histogram by operation and status, and one line in the log each. */
import type { FastifyInstance } from "fastify";
import { Gauge, Histogram } from "prom-client";

import type { Observer } from "#observe/observer.ts";

/** Seconds; the target for reads is a p99 under 0.02. */
const buckets = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];

export function observeRequests(
  app: FastifyInstance,
  { observer, openStreams }: { observer: Observer; openStreams: () => number },
): void {
  const seconds = new Histogram({
    name: "millrace_http_request_seconds",
    help: "Time from the request's headers to the end of its answer",
    labelNames: ["operation", "status"],
    buckets,
    registers: [observer.metrics],
  });
  // oxlint-disable-next-line no-new -- it registers itself
  new Gauge({
    name: "millrace_http_streams",
    help: "Streams and waiting requests that are open",
    registers: [observer.metrics],
    collect() {
      this.set(openStreams());
    },
  });
  app.addHook("onResponse", async (request, reply) => {
    const { operationId, part } = request.routeOptions.config;
    const operation = operationId ?? part ?? "none";
    seconds.observe({ operation, status: reply.statusCode }, reply.elapsedTime / 1000);
    const principal = request.caller?.authenticated.principal;
    // Every job says every other second that it lives.
    const isQuiet = request.method === "GET" || request.method === "HEAD" || part !== undefined;
    observer.log[isQuiet ? "debug" : "info"](
      {
        requestId: request.id,
        operation,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        ...(principal === undefined
          ? {}
          : {
              tenantId: request.caller?.tenantId,
              userId: principal.userId,
              keyId: principal.keyId,
              sessionId: principal.sessionId,
            }),
      },
      "request",
    );
  });
}
