/**
 * The whole program, put together: resources open in order and close in reverse. What a process
 * does is its role: `serve` answers the API, `work` runs the loops, `all` does both.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { consoleRelay } from "#access/console.ts";
import { createServer } from "#api/server.ts";
import { addPresetFlavors } from "#catalog/flavors.ts";
import { recordImage } from "#catalog/images.ts";
import { seedPriceProfile } from "#catalog/price-profiles.ts";
import type { Config } from "#config/config.ts";
import { openDataDirectory, type DataDirectory } from "#config/data-directory.ts";
import { changesOf } from "#db/changes.ts";
import { startEmbedded } from "#db/embedded.ts";
import { listenForNudges } from "#db/listen.ts";
import { migrate } from "#db/migrate.ts";
import { openDb, type Db } from "#db/pool.ts";
import { projectHoldings } from "#flow/admit/holdings.ts";
import { ensureOperator, type OperatorCredential } from "#identity/operator.ts";
import { openClock } from "#loops/clock.ts";
import type { Observer } from "#observe/observer.ts";

import { handlers } from "./handlers.ts";
import { thisHost } from "./host.ts";
import { paymentProviders } from "./payments.ts";
import { openSites } from "./sites.ts";
import { systemView } from "./system.ts";
import { startWork } from "./work.ts";

export interface App {
  /** `undefined` for a process that only works. */
  readonly url: string | undefined;
  readonly data: DataDirectory;
  readonly db: Db;
  readonly sitesExpected: number;
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
}

export async function startApp(options: AppOptions): Promise<App> {
  const { config, observer, progress = () => undefined } = options;
  const closers = new AsyncDisposableStack();
  try {
    const data = await openDataDirectory(options.dataDirectory);
    closers.defer(() => data.close());
    progress("database");
    const url = await databaseUrl(options, data, closers);
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
    const operator = await db.transaction(async (tx) => {
      await seedPriceProfile(tx);
      await addPresetFlavors(tx);
      // A credential is shown once, so it is made by a process that shows it.
      return config.role === "migrate" ? undefined : ensureOperator(tx, now());
    });
    const nudges = listenForNudges(url, observer);
    closers.defer(() => nudges.close());
    if (config.role === "migrate" || config.role === "operator-key")
      return { url: undefined, data, db, sitesExpected: 0, operator, close };

    progress("sites");
    const stopping = new AbortController();
    closers.defer(() => stopping.abort());
    const { providers, local } = await openSites({
      config,
      data,
      observer,
      now,
      progress,
      signal: stopping.signal,
    });
    for (const provider of providers) closers.defer(() => provider.close());
    const imagesBuilt = local === undefined ? recordSimulatedImages(db) : local.buildImages(db);
    closers.defer(() => imagesBuilt);
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
            storageDirectory: data.storage,
            payments,
          });
    if (work !== undefined) closers.defer(() => work.stop());
    if (config.role === "work")
      return { url: undefined, data, db, sitesExpected: 0, operator, close };

    const consoles = consoleRelay({ db, observer, providers, now });
    const server = createServer({
      upgrade: consoles.upgrade,
      db,
      observer,
      now,
      handlers,
      services: {
        system: systemView({
          db,
          loops: work?.loops ?? [],
          siteNames: providers.map(({ site }) => site),
          version: versionOf(options.repositoryRoot),
          startedAt: now(),
          now,
        }),
        projects: { holdings: projectHoldings },
        storageDirectory: data.storage,
        paymentMethods: payments.map(({ method }) => method),
        changes: changesOf(nudges),
      },
    });
    closers.defer(() => server.close());
    closers.defer(() => consoles.close());
    const listening = await server.listen({ host: config.host, port: config.port });
    return { url: listening, data, db, sitesExpected: providers.length, operator, close };
  } catch (error) {
    await closers.disposeAsync();
    throw error;
  }

  function close(): Promise<void> {
    return closers.disposeAsync();
  }
}

async function databaseUrl(
  { config, observer }: AppOptions,
  data: DataDirectory,
  closers: AsyncDisposableStack,
): Promise<string> {
  if (config.databaseUrl !== undefined) return config.databaseUrl;
  const embedded = await startEmbedded({
    directory: data.postgres,
    log: observer.log,
    signal: new AbortController().signal,
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
async function recordSimulatedImages(db: Db): Promise<void> {
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
