/** Calls to providers as Prometheus metrics. */
import { Counter, Histogram } from "prom-client";

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

/** What was put right on a cluster: somebody, or some program, changes what is Millrace's. */
export function mendedMetric({
  metrics,
}: Observer): (
  site: string,
  mended: { readonly kind: string; readonly how: "applied" | "removed" },
) => void {
  const total = new Counter({
    name: "millrace_cluster_mended_total",
    help: "Objects of a cluster that somebody changed and that were put right, by site, kind and how",
    labelNames: ["site", "kind", "how"],
    registers: [metrics],
  });
  return (site, { kind, how }) => {
    total.inc({ site, kind, how });
  };
}
