/** Calls to providers as Prometheus metrics. */
import { Histogram } from "prom-client";

import type { Observer } from "#observe/observer.ts";
import type { CallReport } from "#providers/decorate.ts";

export function providerMetrics({ metrics }: Observer): (report: CallReport) => void {
  const seconds = new Histogram({
    name: "millrace_provider_call_seconds",
    help: "Duration of calls to a provider by site, call and outcome",
    labelNames: ["site", "call", "outcome"],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers: [metrics],
  });
  return ({ site, call, outcome, ms }) => {
    seconds.observe({ site, call, outcome }, ms / 1000);
  };
}
