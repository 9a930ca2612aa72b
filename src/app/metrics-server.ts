/**
 * Metrics on a port of their own, for a process without an API or one whose API is open to the world;
 * and `/healthz`, for whatever starts the process again when it does not answer.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import type { Handlers } from "#api/handler.ts";
import { Failure } from "#kernel/failure.ts";
import type { Observer } from "#observe/observer.ts";

/** What the API answers then: names of tenants and figures of use are nothing for its visitors. */
export const metricsElsewhere: Pick<Handlers, "getMetrics"> = {
  getMetrics: async () => {
    throw new Failure("not_found", "Metrics of this process are on its --metrics-port.");
  },
};

export interface MetricsServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Port 0 takes a free one. Throws `conflict` where the port is taken. */
export async function serveMetrics(
  { metrics, log }: Observer,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    const asked = request.method === "GET" ? request.url : undefined;
    if (asked === "/healthz") {
      response.writeHead(200, { "content-type": "text/plain" }).end("It answers.\n");
      return;
    }
    if (asked !== "/metrics") {
      response
        .writeHead(404, { "content-type": "text/plain" })
        .end("There are only /metrics and /healthz here.\n");
      return;
    }
    metrics.metrics().then(
      (body) => response.writeHead(200, { "content-type": metrics.contentType }).end(body),
      (error: unknown) => {
        log.error({ err: error }, "metrics could not be collected");
        response.writeHead(500).end();
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => {
      const message = `Metrics cannot be served on ${host}:${port}: ${cause.message}. Choose another --metrics-port.`;
      reject(new Failure("conflict", message, { cause }));
    });
    server.listen({ host, port }, resolve);
  });
  const address = server.address();
  const bound = isInet(address) ? address.port : port;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function isInet(address: AddressInfo | string | null): address is AddressInfo {
  return address !== null && typeof address !== "string";
}
