/** The metrics of a process that has no API: one path, on loopback, for whatever scrapes. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { Failure } from "#kernel/failure.ts";
import type { Observer } from "#observe/observer.ts";

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
    if (request.method !== "GET" || request.url !== "/metrics") {
      response
        .writeHead(404, { "content-type": "text/plain" })
        .end("There is only /metrics here.\n");
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
