/**
 * A Kubernetes API server for tests, in this process, on a port of its own. What it does not do is in
 * README.md; what it does, it does as the real one, as far as a client can tell.
 */
import { createServer as createPlain, type IncomingMessage, type Server } from "node:http";
import { createServer as createSecure } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { TLSSocket } from "node:tls";

import type { Cluster } from "#providers/kubevirt/client/cluster.ts";
import { fixedCredential } from "#providers/kubevirt/client/credentials.ts";
import type { Kind } from "#providers/kubevirt/client/kind.ts";
import { jobKinds } from "#providers/kubevirt/objects/jobs.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import { type Authority, newAuthority } from "./api/certificate.ts";
import { Collector } from "./api/collector.ts";
import { Faults } from "./api/faults.ts";
import { MergeRules } from "./api/merge-rules.ts";
import { Objects } from "./api/objects.ts";
import { Pages } from "./api/pages.ts";
import { unauthorized } from "./api/refusal.ts";
import { serve } from "./api/serve.ts";
import { Store } from "./api/store.ts";
import { serveStreams } from "./api/streams.ts";

export interface KubeServerOptions {
  /** HTTPS with an authority of its own, and clients by certificate. */
  readonly secure?: boolean;
  /** Kinds that are not installed. */
  readonly without?: readonly Kind[];
  readonly bookmarkMs?: number;
  readonly now?: () => number;
}

export interface KubeServer {
  readonly url: string;
  readonly objects: Objects;
  readonly faults: Faults;
  /** Present if it is secure. */
  readonly authority: Authority | undefined;
  readonly token: string;
  /** A token that it knows from now on. */
  issueToken(): string;
  /** For a client, signed in by token. */
  cluster(): Cluster;
  /** How many requests of each sort there were: `PATCH virtualmachines.kubevirt.io`. */
  readonly requests: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

const actionKinds = new Set<Kind>([kinds.machineAction, kinds.machineInstanceAction]);

export async function startKube(options: KubeServerOptions = {}): Promise<KubeServer> {
  const { secure = false, without = [], bookmarkMs = 1000, now = Date.now } = options;
  const served = [...Object.values(kinds), ...Object.values(jobKinds)].filter(
    (kind) => !actionKinds.has(kind) && !without.includes(kind),
  );
  const store = new Store(served);
  const objects = new Objects({
    store,
    rules: new MergeRules(),
    now,
    namespaceKind: kinds.namespace,
  });
  const collector = new Collector(objects, kinds.namespace);
  collector.start();
  const faults = new Faults();
  const tokens = new Set<string>();
  const issueToken = (): string => {
    const token = `token-${tokens.size + 1}`;
    tokens.add(token);
    return token;
  };
  const token = issueToken();
  const signedIn = (request: IncomingMessage): void => {
    if (request.socket instanceof TLSSocket && request.socket.authorized) return;
    const said = (request.headers.authorization ?? "").replace(/^Bearer /, "");
    if (!tokens.has(said) || faults.isExpired(said)) throw unauthorized();
  };
  const requests = new Map<string, number>();
  const noted = (request: string): void => {
    requests.set(request, (requests.get(request) ?? 0) + 1);
  };
  const parts = { store, objects, pages: new Pages(store), faults, bookmarkMs, signedIn, noted };
  const authority = secure ? newAuthority() : undefined;
  const server = newServer(authority);
  server.on("connection", (socket: Socket) => {
    faults.meet(socket);
  });
  server.on("request", (request, response) => {
    void serve(parts, request, response).catch((error: unknown) => {
      // A bug of this server: it must not look like a refusal.
      response.destroy(error instanceof Error ? error : undefined);
      setImmediate(() => {
        throw error;
      });
    });
  });
  serveStreams(server, objects, signedIn);
  const url = await listen(server, secure ? "https" : "http");
  return {
    url,
    objects,
    faults,
    authority,
    token,
    issueToken,
    requests,
    cluster: () => ({
      server: url,
      ...(authority === undefined ? {} : { authority: authority.cert }),
      verified: true,
      credentials: fixedCredential({ token }),
      namespace: "default",
    }),
    async close() {
      faults.vanish();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

function newServer(authority: Authority | undefined): Server {
  if (authority === undefined) return createPlain();
  const { cert, key } = authority.issue("kube-apiserver");
  const clients = { ca: authority.cert, requestCert: true, rejectUnauthorized: false };
  return createSecure({ cert, key, ...clients });
}

async function listen(server: Server, scheme: string): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it listens nowhere");
  const { port }: AddressInfo = address;
  return `${scheme}://127.0.0.1:${port}`;
}
