/** The test server as an operator would be told of it: a kubeconfig with a token. */
import { stringify } from "yaml";

import type { KubeServer } from "./server.ts";

export function kubeconfigOf({ url, token }: KubeServer): string {
  const name = "test";
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    clusters: [{ name, cluster: { server: url } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  });
}
