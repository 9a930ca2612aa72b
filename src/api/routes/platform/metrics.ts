import type { Observer } from "#observe/observer.ts";

import type { Handlers } from "#api/handler.ts";

export function metricsHandlers({ metrics }: Observer): Pick<Handlers, "getMetrics"> {
  return {
    getMetrics: async () => ({ contentType: metrics.contentType, body: await metrics.metrics() }),
  };
}
