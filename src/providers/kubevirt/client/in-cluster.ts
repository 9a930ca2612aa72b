/** The API server of the cluster that this program runs in, as its own service account. */
import { readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { join } from "node:path";

import type { Cluster } from "./cluster.ts";
import { CredentialError } from "./errors.ts";
import { TokenFile } from "./credentials.ts";

export interface InClusterPlace {
  /** `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`. */
  readonly host: string | undefined;
  readonly port: string | undefined;
  readonly folder?: string;
}

const serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Throws CredentialError if this is not a pod, or one without a service account's token. */
export async function inCluster(place: InClusterPlace): Promise<Cluster> {
  const { host, port = "443", folder = serviceAccountFolder } = place;
  if (host === undefined || host === "") {
    throw new CredentialError("this program does not run in a cluster: no KUBERNETES_SERVICE_HOST");
  }
  const credentials = new TokenFile(join(folder, "token"));
  await credentials.current();
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    authority: await read(join(folder, "ca.crt")),
    verified: true,
    credentials,
    namespace: (await read(join(folder, "namespace"))).trim(),
  };
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new CredentialError(`${path} cannot be read`, { cause: error });
  }
}
