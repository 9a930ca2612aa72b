/** A site over the test cluster as the program opens it: the driver, and the worker that keeps the site. */
import { readClusterFiles } from "#app/cluster-files.ts";
import { signInToClusters } from "#app/cluster-sites.ts";
import { openDb, type Db } from "#db/pool.ts";
import { siteWorker, type SiteWorker } from "#flow/provision/site.ts";
import { present } from "#kernel/assert.ts";
import { createObserver } from "#observe/observer.ts";
import { KubevirtProvider } from "#providers/kubevirt/driver/provider.ts";

const connectionsMax = 10;

export interface BenchSite {
  readonly db: Db;
  readonly provider: KubevirtProvider;
  readonly worker: SiteWorker;
  readonly close: () => Promise<void>;
}

export async function openSite(databaseUrl: string, clusterFile: string): Promise<BenchSite> {
  const observer = createObserver({ level: process.env["BENCH_LOG"] ?? "silent" });
  const db = openDb({ url: databaseUrl, connectionsMax, observer, applicationName: "bench site" });
  const files = await readClusterFiles([clusterFile]);
  const [signedIn] = await signInToClusters(files, process.env);
  const { settings, cluster } = present(signedIn, "the cluster");
  const provider = new KubevirtProvider({ settings, cluster, now: Date.now });
  const worker = siteWorker({
    db,
    provider,
    observer,
    now: Date.now,
    prepareWorkload: () => Promise.resolve(undefined),
  });
  return {
    db,
    provider,
    worker,
    close: async () => {
      await worker.close();
      await provider.close();
      await db.close();
    },
  };
}
