/** One API server and who we are to it; made by `kubeconfig.ts` or `in-cluster.ts`. */
import type { Credentials } from "./credentials.ts";

export interface Cluster {
  /** Without a trailing slash; may have a path, as behind a proxy such as Rancher. */
  readonly server: string;
  /** PEM of the authorities that may sign the server's certificate; the system's if absent. */
  readonly authority?: string;
  /** The name that the server's certificate must have, if not that of the address. */
  readonly serverName?: string;
  /** False only where the kubeconfig says `insecure-skip-tls-verify`. */
  readonly verified: boolean;
  readonly credentials: Credentials;
  /** Whom to act as; needs the right to impersonate. */
  readonly actAs?: { readonly user: string; readonly groups: readonly string[] };
  /** The namespace that is meant when none is said. */
  readonly namespace: string;
}
