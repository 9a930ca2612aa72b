/**
 * A websocket to something inside the cluster, as a stream of bytes: a machine's console or screen, or
 * a port of it. KubeVirt speaks the subprotocol `plain.kubevirt.io`, where each message is bytes and
 * nothing else.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

import { WebSocket } from "ws";

import { type Connection, readBody } from "./connection.ts";
import type { Credential } from "./credentials.ts";
import { ConnectionError, readStatus } from "./errors.ts";
import { SocketStream } from "./socket-stream.ts";

const plainProtocol = "plain.kubevirt.io";
const handshakeMaxMs = 30_000;
const messageBytesMax = 4 * 1024 * 1024;
const refusalBytesMax = 64 * 1024;

/** Resolves once the stream is open. The signal ends it at any time. */
export async function openStream(
  connection: Connection,
  path: string,
  signal: AbortSignal,
): Promise<Duplex> {
  const { credentials } = connection.cluster;
  for (let renewed = false; ; renewed = true) {
    const credential = await credentials.current(signal);
    const opened = await tryStream({ connection, path, credential, signal });
    if ("stream" in opened) return opened.stream;
    const { refusal } = opened;
    const code = refusal.statusCode ?? 0;
    const text = await readBody(refusal, refusalBytesMax);
    if (code === 401 && !renewed && credentials.renew(credential)) continue;
    throw readStatus(code, text, refusal.headers["retry-after"]);
  }
}

/** The answer of a server that did not want to open a stream is a refusal. */
type Opened = { readonly stream: Duplex } | { readonly refusal: IncomingMessage };

function tryStream(to: {
  connection: Connection;
  path: string;
  credential: Credential;
  signal: AbortSignal;
}): Promise<Opened> {
  const { connection, path, credential, signal } = to;
  // Without Accept: the server chooses the form of what it streams.
  const address = connection.address({ path }).replace(/^http/, "ws");
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(address, [plainProtocol], {
      headers: Object.fromEntries(
        Object.entries(connection.headers(credential)).map(([name, value]) => [
          name,
          typeof value === "string" ? value : value.join(","),
        ]),
      ),
      ...connection.tls(credential.certificate),
      handshakeTimeout: handshakeMaxMs,
      maxPayload: messageBytesMax,
      perMessageDeflate: false,
    });
    const abort = (): void => {
      socket.terminate();
    };
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    socket.once("close", () => {
      signal.removeEventListener("abort", abort);
    });
    socket.once("unexpected-response", (request, response) => {
      signal.removeEventListener("abort", abort);
      response.once("close", () => request.destroy());
      resolve({ refusal: response });
    });
    socket.once("error", (cause) => {
      reject(new ConnectionError(`no stream from ${path}`, { effect: "maybe", cause }));
    });
    socket.once("open", () => {
      resolve({ stream: new SocketStream(socket) });
    });
  });
}
