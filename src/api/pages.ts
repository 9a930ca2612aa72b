/** Paths that are no operation: pages of the console where it has one, else the problem. */
import type { FastifyReply, FastifyRequest } from "fastify";

import { operations } from "#contract/operations.ts";
import type { ConsoleFiles } from "#console-files/files.ts";

import { jobAgentPath } from "./job-agent.ts";
import { operationIds } from "./route-table.ts";

/** `v1`, `healthz`, …: what begins so is the API's, also where it has nothing. */
const ofApi = new Set(
  [jobAgentPath, ...operationIds.map((id) => operations[id].path)].map(
    (path) => path.split("/")[1],
  ),
);

/** `undefined` when there is no page. */
export async function sendPage(
  pages: ConsoleFiles | undefined,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  const [path = "/"] = request.url.split("?");
  if (pages === undefined || ofApi.has(path.split("/")[1] ?? "")) return undefined;
  const { method, headers } = request;
  const answer = await pages.answer({ method, path, headers });
  if (answer === undefined) return undefined;
  return reply.code(answer.status).headers(answer.headers).send(answer.body);
}
