/** As much of the control plane as the agents in jobs' pods speak to, on loopback. */
import { createServer } from "node:http";
import { Readable } from "node:stream";

import { jobAgentRoutes } from "#providers/kubevirt/exchange/agent.ts";
import type { OpenExchange } from "#providers/kubevirt/exchange/exchange.ts";

export async function agentServer(exchange: OpenExchange) {
  const answer = jobAgentRoutes(exchange);
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://here");
    const length = request.headers["content-length"];
    const asked = {
      method: request.method ?? "GET",
      path: pathname.replace(/^\/job-agent/u, ""),
      query: searchParams,
      authorization: request.headers.authorization,
      contentLength: length === undefined ? undefined : Number(length),
      body: request,
      admit: () => undefined,
    };
    void answer(asked).then(({ status, headers = {}, body = "" }) => {
      response.writeHead(status, headers);
      Readable.from(typeof body === "string" ? [body] : body).pipe(response);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
