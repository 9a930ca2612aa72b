/**
 * Where the programs beside customers' jobs speak to this server (src/providers/kubevirt/exchange). They
 * are no users: none of the operations, no session, no tenant, and a rate of their own, so that jobs
 * take nothing of what their customer may ask.
 */
import type { FastifyInstance } from "fastify";

import type { JobAgentRoutes } from "#providers/kubevirt/exchange/agent.ts";

import type { Environment } from "./call.ts";
import { rateLimit } from "./rate-limit.ts";
import { linger } from "./respond.ts";
import { passBodiesOn } from "./route.ts";

export const jobAgentPath = "/job-agent";

/** Of one program: a log that lies back is sent as fast as this lets it. */
const burst = 64;
const perSecond = 16;

export function addJobAgent(
  app: FastifyInstance,
  parts: {
    readonly environment: Environment;
    readonly answer: JobAgentRoutes;
    readonly monotonicMs: () => number;
  },
): void {
  const { limits } = parts.environment;
  const { take } = rateLimit({
    burst,
    perSecond,
    monotonicMs: parts.monotonicMs,
    refusal: `Too many requests of this program: ${perSecond} per second is the most.`,
  });
  void app.register(async (scope) => {
    passBodiesOn(scope);
    scope.route({
      method: ["GET", "POST", "PUT"],
      url: `${jobAgentPath}/*`,
      exposeHeadRoute: false,
      bodyLimit: limits.uploadBytesMax,
      config: { part: "job_agent" },
      handler: async (request, reply) => {
        const { pathname, searchParams } = new URL(request.url, "http://here");
        const length = request.headers["content-length"];
        const { status, headers, body } = await parts.answer({
          method: request.method,
          path: pathname.slice(jobAgentPath.length),
          query: searchParams,
          authorization: request.headers.authorization,
          contentLength: length === undefined ? undefined : Number(length),
          body: request.raw,
          admit: take,
        });
        if (status >= 400) await linger(request, reply);
        return reply
          .code(status)
          .headers(headers ?? {})
          .send(body);
      },
    });
  });
}
