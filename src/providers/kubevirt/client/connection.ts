/**
 * One HTTP exchange with the API server, over sockets that are kept. What must stay true: a call that
 * failed says whether a byte of it may have arrived, and no answer is read beyond its limit.
 */
import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import type { SecureContextOptions, ConnectionOptions } from "node:tls";

import type { Cluster } from "./cluster.ts";
import type { ClientCertificate, Credential } from "./credentials.ts";
import { ConnectionError, RefusedError } from "./errors.ts";

export interface Exchange {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: { readonly type: string; readonly text: string };
}

const keepAliveProbeMs = 15_000;

export class Connection {
  readonly cluster: Cluster;
  /** The agent's sockets are signed in with this certificate: another one needs other sockets. */
  #agent: { readonly certificate: ClientCertificate | undefined; readonly agent: HttpAgent };

  constructor(cluster: Cluster) {
    this.cluster = cluster;
    this.#agent = { certificate: undefined, agent: this.#newAgent(undefined) };
  }

  /** Resolves once the head of the answer is there; the caller reads or destroys its body. */
  open(exchange: Exchange, credential: Credential, signal: AbortSignal): Promise<IncomingMessage> {
    const { method, body } = exchange;
    const url = new URL(this.address(exchange));
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      let arrived = false;
      const request = send(url, {
        method,
        agent: this.#agentFor(credential.certificate),
        signal,
        headers: {
          ...this.headers(credential),
          // KubeVirt answers its actions in no form that it names, and 406 to who takes JSON alone.
          accept: "application/json, */*",
          ...(body === undefined
            ? {}
            : { "content-type": body.type, "content-length": Buffer.byteLength(body.text) }),
        },
      });
      request.once("socket", (socket: Socket) => {
        arrived = request.reusedSocket;
        if (arrived) return;
        socket.once(url.protocol === "https:" ? "secureConnect" : "connect", () => {
          arrived = true;
        });
      });
      request.once("error", (error) => {
        reject(lost(error, { arrived, signal, url }));
      });
      request.once("response", resolve);
      request.end(body?.text);
    });
  }

  address({ path, query = {} }: Pick<Exchange, "path" | "query">): string {
    const words = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) words.set(name, value);
    }
    const asked = words.size === 0 ? "" : `?${words.toString()}`;
    return `${this.cluster.server}${path}${asked}`;
  }

  headers(credential: Credential): Record<string, string | string[]> {
    const { actAs } = this.cluster;
    return {
      "user-agent": "millrace",
      ...(credential.token === undefined ? {} : { authorization: `Bearer ${credential.token}` }),
      ...(actAs === undefined
        ? {}
        : { "impersonate-user": actAs.user, "impersonate-group": [...actAs.groups] }),
    };
  }

  tls(certificate: ClientCertificate | undefined): SecureContextOptions & ConnectionOptions {
    const { authority, serverName, verified } = this.cluster;
    return {
      ...(authority === undefined ? {} : { ca: authority }),
      ...(serverName === undefined ? {} : { servername: serverName }),
      rejectUnauthorized: verified,
      ...certificate,
    };
  }

  close(): void {
    this.#agent.agent.destroy();
  }

  #agentFor(certificate: ClientCertificate | undefined): HttpAgent {
    const { certificate: known, agent } = this.#agent;
    if (known?.cert === certificate?.cert && known?.key === certificate?.key) return agent;
    this.#agent = { certificate, agent: this.#newAgent(certificate) };
    // What is under way on the old sockets ends by itself; those at rest end here.
    for (const sockets of Object.values(agent.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy();
    }
    return this.#agent.agent;
  }

  /** How many calls run at once is bounded above this; a watch holds a socket of its own. */
  #newAgent(certificate: ClientCertificate | undefined): HttpAgent {
    const kept = { keepAlive: true, keepAliveMsecs: keepAliveProbeMs };
    return this.cluster.server.startsWith("https:")
      ? new HttpsAgent({ ...kept, ...this.tls(certificate) })
      : new HttpAgent(kept);
  }
}

/** The whole body as text. Throws ConnectionError if it is cut, RefusedError if it is too long. */
export async function readBody(response: IncomingMessage, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response) {
      const part: Buffer = chunk;
      bytes += part.length;
      if (bytes > bytesMax) {
        throw new RefusedError(`the answer is longer than ${bytesMax} bytes, which is the limit`);
      }
      chunks.push(part);
    }
  } catch (error) {
    throw error instanceof RefusedError ? error : cutOff(error);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** As much of a body as fits; the rest is not read. Throws ConnectionError if it is cut before that. */
export async function readStart(response: IncomingMessage, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let left = bytesMax;
  try {
    for await (const chunk of response) {
      const part: Buffer = chunk;
      chunks.push(part.subarray(0, left));
      left -= part.length;
      if (left <= 0) break;
    }
  } catch (error) {
    throw cutOff(error);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function cutOff(cause: unknown): ConnectionError {
  return new ConnectionError("the answer of the API server was cut off", {
    effect: "maybe",
    cause,
  });
}

function lost(
  error: Error,
  { arrived, signal, url }: { arrived: boolean; signal: AbortSignal; url: URL },
): ConnectionError | RefusedError {
  if ("code" in error && /CERT|SELF_SIGNED|UNABLE_TO/.test(String(error.code))) {
    return new RefusedError(`the certificate of ${url.host} is not trusted: ${error.message}`);
  }
  const reason: unknown = signal.aborted ? signal.reason : error;
  const why = reason instanceof Error ? reason.message : String(reason);
  return new ConnectionError(`no answer from ${url.host}: ${why}`, {
    effect: arrived ? "maybe" : "none",
    cause: reason,
  });
}
