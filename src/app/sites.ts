/** The platforms that this installation is connected to. */
import { cpus, totalmem } from "node:os";
import { join } from "node:path";

import type { Config } from "#config/config.ts";
import type { DataDirectory } from "#config/data-directory.ts";
import { mebibyte } from "#kernel/shape.ts";
import type { Observer } from "#observe/observer.ts";
import type { Exchange } from "#providers/kubevirt/exchange/exchange.ts";
import { decorate } from "#providers/decorate.ts";
import type { Provider, ProviderInfo } from "#providers/provider.ts";
import { systemClock } from "#providers/simulated/clock.ts";
import { gpuHost, type SimulatedHost } from "#providers/simulated/hosts.ts";
import { openSimulated } from "#providers/simulated/provider.ts";

import type { ClusterFile } from "./cluster-files.ts";
import { openCluster, signInToClusters } from "./cluster-sites.ts";
import { openLocalSite, type LocalSite } from "./local-site.ts";
import { mendedMetric, providerMetrics } from "./provider-metrics.ts";

/** Kept for the control plane, the database and the operating system. */
const reservedMemoryBytes = 1536 * mebibyte;

export interface Sites {
  readonly providers: readonly Provider[];
  readonly local: LocalSite | undefined;
}

/** What the first look at a site showed. */
export interface SiteLook {
  readonly site: string;
  /** `undefined`: machines cannot run there now. */
  readonly execution: ProviderInfo["execution"] | undefined;
  readonly reason: string;
}

export async function openSites(options: {
  readonly config: Config;
  readonly clusters: readonly ClusterFile[];
  /** Where the clusters' jobs and the control plane hand each other things. */
  readonly exchange?: Exchange;
  readonly data: DataDirectory;
  readonly installation: string;
  readonly observer: Observer;
  /** Of the program: what machines did is told, and billed, by one clock. */
  readonly now: () => number;
  readonly progress: (step: string) => void;
  readonly signal: AbortSignal;
}): Promise<Sites> {
  const { config, data, installation, observer } = options;
  // First, because what is wrong with them is said at once.
  const signedIn = await signInToClusters(options.clusters, process.env);
  const local =
    config.local === "off"
      ? undefined
      : await openLocalSite({
          dataDirectory: data.path,
          imageCacheDirectory: config.imageCache ?? data.images,
          observer,
          now: options.now,
          offered: {
            cpus: config.localCpus ?? cpus().length,
            memoryBytes:
              config.localMemoryMib === undefined
                ? Math.max(totalmem() - reservedMemoryBytes, 512 * mebibyte)
                : config.localMemoryMib * mebibyte,
          },
          ...(config.warmStart === "on" ? { warmMembers: config.warmPool } : {}),
          progress: options.progress,
          signal: options.signal,
        });
  const simulated =
    config.simulateGpus === undefined
      ? []
      : [
          openSimulated({
            site: "simulated",
            hosts: [simulatedHost(config.simulateGpus, local !== undefined)],
            directory: join(data.path, "simulated"),
            clock: { ...systemClock, now: options.now },
          }),
        ];
  const writes = config.role !== "serve";
  const mended = mendedMetric(observer);
  const { exchange, now } = options;
  const clusters = signedIn.map((each) =>
    openCluster(each, {
      writes,
      installation,
      mended,
      observer,
      now,
      ...(exchange === undefined ? {} : { exchange }),
    }),
  );
  const report = providerMetrics(observer);
  const providers = [
    ...(local === undefined ? [] : [local.provider]),
    ...simulated,
    ...clusters,
  ].map((provider) => decorate(provider, { report }));
  return { providers, local };
}

/** Before the first pass over it, which then has the answer at once. */
export async function lookAt(
  provider: Provider,
  { observer, signal }: { readonly observer: Observer; readonly signal: AbortSignal },
): Promise<SiteLook> {
  const { site } = provider;
  try {
    const { execution, executionReason } = await provider.info({ signal });
    return { site, execution, reason: executionReason };
  } catch (error) {
    signal.throwIfAborted();
    observer.log.warn({ site, err: error }, "the site cannot be looked at");
    const reason = error instanceof Error ? error.message : String(error);
    return { site, execution: undefined, reason };
  }
}

/**
 * Beside real machines a simulated host carries GPU work only: nobody who asks for a plain machine
 * is to get, and pay for, one that does not exist.
 */
function simulatedHost(gpus: string, besideReal: boolean): SimulatedHost {
  const host = gpuHost("simulated-gpu-1", gpus);
  return besideReal ? { ...host, labels: { ...host.labels, "taint/gpu": "only" } } : host;
}
