/**
 * The whole program, put together: resources open in order and close in reverse. What a process
 * does is its role: `serve` answers the API, `work` runs the loops, `all` does both.
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { createServer } from "#api/server.ts";
import { addPresetFlavors } from "#catalog/flavors.ts";
import { recordImage } from "#catalog/images.ts";
import { seedPriceProfile } from "#catalog/price-profiles.ts";
import type { Config } from "#config/config.ts";
import { consoleFiles } from "#console-files/files.ts";
import { openDataDirectory, type DataDirectory } from "#config/data-directory.ts";
import { changesOf } from "#db/changes.ts";
import { startEmbedded } from "#db/embedded.ts";
import { listenForNudges } from "#db/listen.ts";
import { migrate } from "#db/migrate.ts";
import { openDb, type Db } from "#db/pool.ts";
import { projectHoldings } from "#flow/admit/holdings.ts";
import { groupHoldings } from "#groups/rows.ts";
import type { OperatorCredential } from "#identity/operator.ts";
import { openClock } from "#loops/clock.ts";
import type { Observer } from "#observe/observer.ts";
import { jobAgentRoutes } from "#providers/kubevirt/exchange/agent.ts";
import { openExchange } from "#providers/kubevirt/exchange/exchange.ts";

import { readClusterFiles, type ClusterFile } from "./cluster-files.ts";
import { recordClusterImages } from "./cluster-sites.ts";
import { consolesWatched } from "./consoles.ts";
import { makeOperator } from "./first-key.ts";
import { handlers } from "./handlers.ts";
import { thisHost } from "./host.ts";
import { metricsElsewhere, serveMetrics } from "./metrics-server.ts";
import { paymentProviders } from "./payments.ts";
import { requireFreePort } from "./port.ts";
import { installationId } from "./installation.ts";
import { lookAt, openSites, type SiteLook } from "./sites.ts";
import { stateMetrics } from "./state-metrics.ts";
import { systemView } from "./system.ts";
import { startWork } from "./work.ts";

export interface App {
  /** `undefined` for a process that only works. */
  readonly url: string | undefined;
  /** That which people use: the same, unless the configuration names another. */
  readonly publicUrl: string | undefined;
  /** Told by this program's clock. */
  readonly now: () => number;
  readonly data: DataDirectory;
  readonly db: Db;
  /** The sites as they were seen at the start; none in a process that opens none. */
  readonly looks: readonly SiteLook[];
  /** Of the operator, if this start made it. */
  readonly operator: OperatorCredential | undefined;
  /** Drains, then closes everything in reverse. Virtual machines go on running. */
  close(): Promise<void>;
}

export interface AppOptions {
  readonly config: Config;
  readonly dataDirectory: string;
  readonly repositoryRoot: string;
  readonly observer: Observer;
  readonly now?: () => number;
  /** Told of each step that may take longer than a second. */
  readonly progress?: (step: string) => void;
  /** Gives the start up; what is open by then is closed. */
  readonly signal?: AbortSignal;
}

export async function startApp(options: AppOptions): Promise<App> {
  const closers = new AsyncDisposableStack();
  try {
    const parts = await start(options, closers);
    options.signal?.throwIfAborted();
    return { ...parts, close: () => closers.disposeAsync() };
  } catch (error) {
    await closers.disposeAsync();
    throw error;
  }
}

async function start(
  options: AppOptions,
  closers: AsyncDisposableStack,
): Promise<Omit<App, "close">> {
  const { config, observer, progress = () => undefined } = options;
  const stopping = new AbortController();
  options.signal?.addEventListener("abort", () => stopping.abort(options.signal?.reason));
  const { signal } = stopping;
  const serves = config.role === "serve" || config.role === "all";

  const clusters = await readClusterFiles(config.clusters);
  const data = await openDataDirectory(options.dataDirectory);
  closers.defer(() => data.close());
  // Before the minutes that the rest may take.
  if (serves) await requireFreePort(config);
  progress("database");
  const url = await databaseUrl({ config, observer, data, signal }, closers);
  await migrate(url, join(options.repositoryRoot, "db/migrations"));
  const db = openDb({
    url,
    connectionsMax: config.databaseConnections,
    observer,
    applicationName: `millrace ${config.role}`,
  });
  closers.defer(() => db.close());
  const host = await thisHost();
  const now = options.now ?? (await openClock(db, host, config.clock));
  await db.transaction(async (tx) => {
    await seedPriceProfile(tx);
    await addPresetFlavors(tx);
  });
  const nudges = listenForNudges(url, observer);
  closers.defer(() => nudges.close());
  const { publicUrl } = config;
  const nobody = { url: undefined, publicUrl, operator: undefined };
  const idle = { ...nobody, now, data, db, looks: [] };
  if (config.role === "migrate" || config.role === "operator-key") return idle;

  signal.throwIfAborted();
  const storageDirectory =
    config.storageDirectory === undefined ? data.storage : resolve(config.storageDirectory);
  const exchange =
    clusters.length === 0 ? undefined : await openExchange(join(storageDirectory, "exchange"));
  progress("sites");
  const { providers, local } = await openSites({
    config,
    clusters,
    data,
    installation: await installationId(db),
    ...(exchange === undefined ? {} : { exchange }),
    observer,
    now,
    progress,
    signal,
  });
  for (const provider of providers) closers.defer(() => provider.close());
  const looks = await Promise.all(
    providers.map((provider) => lookAt(provider, { observer, signal })),
  );
  if (clusters.length > 0 && config.role !== "serve") {
    await recordClusterImages(db, clusters, local?.images);
  }
  const imagesBuilt =
    local === undefined ? recordSimulatedImages(db, config, clusters) : local.buildImages(db);
  closers.defer(() => {
    stopping.abort();
    return imagesBuilt;
  });
  const logKey = { keysDirectory: data.keys, file: config.logKeyFile, name: config.logName };
  const payments = paymentProviders(config, now);
  const work =
    config.role === "serve"
      ? undefined
      : startWork({
          db,
          nudges,
          observer,
          now,
          host,
          providers,
          storageDirectory,
          logKey,
          payments,
          ...(exchange === undefined ? {} : { exchange }),
        });
  if (work !== undefined) closers.defer(() => work.stop());
  if (config.metricsPort !== undefined) {
    const metrics = await serveMetrics(observer, { host: config.host, port: config.metricsPort });
    closers.defer(() => metrics.close());
    observer.log.info({ url: metrics.url }, "metrics");
  }
  if (!serves) return idle;

  stateMetrics({ observer, db, dataDirectory: data.path, now });
  const front = { trustsProxy: config.trustProxy === "on", publicUrl: config.publicUrl };
  const consoles = consolesWatched({ front, db, observer, providers, now });
  const server = createServer({
    upgrade: consoles.upgrade,
    ...(exchange === undefined ? {} : { jobAgent: jobAgentRoutes(exchange) }),
    front,
    pages: consoleFiles(join(options.repositoryRoot, "dist/console")),
    db,
    observer,
    now,
    handlers: config.metricsPort === undefined ? handlers : { ...handlers, ...metricsElsewhere },
    services: {
      system: systemView({
        db,
        loops: work?.loops ?? [],
        looks,
        troubles: () => local?.troubles() ?? [],
        version: versionOf(options.repositoryRoot),
        startedAt: now(),
        now,
      }),
      projects: {
        holdings: async (tx, project) => [
          ...(await projectHoldings(tx, project)),
          ...(await groupHoldings(tx, project)),
        ],
      },
      storageDirectory,
      paymentMethods: payments.map(({ method }) => method),
      changes: changesOf(nudges),
    },
  });
  closers.defer(() => server.close());
  closers.defer(() => consoles.close());
  signal.throwIfAborted();
  const listening = await server.listen({ host: config.host, port: config.port });
  const place = { dataDirectory: data.path, url: listening, at: now() };
  const operator = await makeOperator(db, place);
  return { ...idle, url: listening, publicUrl: publicUrl ?? listening, looks, operator };
}

async function databaseUrl(
  parts: {
    readonly config: Config;
    readonly observer: Observer;
    readonly data: DataDirectory;
    readonly signal: AbortSignal;
  },
  closers: AsyncDisposableStack,
): Promise<string> {
  if (parts.config.databaseUrl !== undefined) return parts.config.databaseUrl;
  const embedded = await startEmbedded({
    directory: parts.data.postgres,
    log: parts.observer.log,
    signal: parts.signal,
  });
  closers.defer(() => embedded.stop());
  return embedded.url;
}

function versionOf(repositoryRoot: string): string {
  const text = readFileSync(join(repositoryRoot, "package.json"), "utf8");
  const version = /"version": "([^"]+)"/.exec(text)?.[1];
  return version ?? "unknown";
}

/** Without a real site there is still a name to order by. */
async function recordSimulatedImages(
  db: Db,
  config: Config,
  clusters: readonly ClusterFile[],
): Promise<void> {
  if (clusters.length > 0 && config.simulateGpus === undefined) return;
  if (clusters.some(({ settings }) => "tiny" in settings.images)) return;
  await recordImage(db, {
    name: "tiny",
    description: "Simulated: nothing of it is ever started",
    defaultUser: "root",
    minMemoryMiB: 1,
    minDiskGiB: 1,
    takesUserData: false,
    state: "ready",
  });
}
