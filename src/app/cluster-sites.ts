/**
 * Clusters with KubeVirt as sites. One that does not answer is opened all the same: its watches go on
 * trying, and who asks meanwhile is told why. What its operator wrote wrong is refused at the start.
 */
import { recordImage, recordSiteImages } from "#catalog/images.ts";
import type { Db } from "#db/pool.ts";
import { Failure } from "#kernel/failure.ts";
import type { Observer } from "#observe/observer.ts";
import type { Exchange } from "#providers/kubevirt/exchange/exchange.ts";
import type { Cluster } from "#providers/kubevirt/client/cluster.ts";
import { CredentialError } from "#providers/kubevirt/client/errors.ts";
import { inCluster } from "#providers/kubevirt/client/in-cluster.ts";
import { kubeconfig } from "#providers/kubevirt/client/kubeconfig.ts";
import { KubevirtProvider } from "#providers/kubevirt/driver/provider.ts";
import type { Provider } from "#providers/provider.ts";

import type { ClusterFile } from "./cluster-files.ts";
import type { mendedMetric } from "./provider-metrics.ts";

export interface SignedIn {
  readonly settings: ClusterFile["settings"];
  readonly cluster: Cluster;
}

/**
 * Who we are to each of them; asks none of them anything. `environment` is of this process: what exec
 * plug-ins see, and where its own cluster is. Throws `invalid_request` where there is nothing to sign
 * in with.
 */
export function signInToClusters(
  files: readonly ClusterFile[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<readonly SignedIn[]> {
  return Promise.all(
    files.map(async (file) => ({
      settings: file.settings,
      cluster: await signIn(file, environment),
    })),
  );
}

export function openCluster(
  { settings, cluster }: SignedIn,
  of: {
    /** False in a process that relays consoles only: it writes nothing to the cluster. */
    readonly writes: boolean;
    readonly installation: string;
    readonly exchange?: Exchange;
    readonly mended: ReturnType<typeof mendedMetric>;
    readonly observer: Observer;
    readonly now: () => number;
  },
): Provider {
  const { writes, installation, exchange, mended, now } = of;
  const { log } = of.observer;
  return new KubevirtProvider({
    settings,
    cluster,
    now,
    writes,
    installation,
    ...(exchange === undefined ? {} : { exchange }),
    onMended: (what) => mended(settings.site, what),
    log: (fields, message) => {
      log.warn(fields, message);
    },
  });
}

async function signIn(
  { path, settings }: ClusterFile,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Cluster> {
  const { kubeconfig: file, context } = settings;
  try {
    if (file !== undefined) {
      return await kubeconfig({
        path: file,
        environment,
        ...(context === undefined ? {} : { context }),
      });
    }
    return await inCluster({
      host: environment["KUBERNETES_SERVICE_HOST"],
      port: environment["KUBERNETES_SERVICE_PORT"],
    });
  } catch (cause) {
    if (!(cause instanceof CredentialError)) throw cause;
    const how =
      file === undefined
        ? "Outside of a cluster, name a kubeconfig file in it as `kubeconfig`."
        : "Mend the kubeconfig, or name another as `kubeconfig`.";
    throw new Failure("invalid_request", `The cluster file ${path}: ${cause.message}. ${how}`, {
      cause,
      details: { path, site: settings.site },
    });
  }
}

/**
 * What can be rented on each cluster, by its settings. An image of one name is one image wherever it
 * is: the first that says something of it is believed, and each site's least sizes hold for all.
 * `except`: names whose facts somebody else says.
 */
export async function recordClusterImages(
  db: Db,
  files: readonly ClusterFile[],
  except: readonly string[] = [],
): Promise<void> {
  const all = new Map<string, ClusterFile["settings"]["images"][string]>();
  for (const { settings } of files) {
    for (const [name, image] of Object.entries(settings.images)) {
      const known = all.get(name);
      const minMemoryMib = Math.max(known?.minMemoryMib ?? 0, image.minMemoryMib);
      const minDiskGib = Math.max(known?.minDiskGib ?? 0, image.minDiskGib);
      all.set(name, { ...(known ?? image), minMemoryMib, minDiskGib });
    }
  }
  await db.transaction(async (tx) => {
    for (const [name, image] of all) {
      if (except.includes(name)) continue;
      await recordImage(tx, {
        name,
        description: image.description ?? `${name}, on a cluster`,
        defaultUser: image.loginUser,
        minMemoryMiB: image.minMemoryMib,
        minDiskGiB: image.minDiskGib,
        takesUserData: image.takesUserData,
        state: "ready",
      });
    }
    for (const { settings } of files) {
      const { site } = settings;
      await recordSiteImages(tx, { site, images: Object.keys(settings.images) });
    }
  });
}
