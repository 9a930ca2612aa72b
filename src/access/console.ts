/**
 * The console of a machine over a WebSocket: `GET /v1/leases/{id}/console?kind=serial|vnc`. Binary
 * frames are the bytes of the serial line (what was printed before comes first) or of RFB, both
 * ways. The caller passes what every mutation passes: rate, credential, permission, tenant; opening is
 * audited, and so is a refusal. A browser, which cannot send headers, comes with its session's cookie,
 * from a page of this server only; or it gives a key as the subprotocol `millrace.key.<key>` beside
 * `millrace.console`.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

import { WebSocketServer, type WebSocket } from "ws";
import { z } from "zod";

import { noCredential, presentedIn, refuseForeignPage, type Presented } from "#api/credential.ts";
import { problemHeaders, problemOf, problemText, toFailure } from "#api/problem.ts";
import { visitorOf, type Front } from "#api/visitor.ts";
import type { Db } from "#db/pool.ts";
import {
  authenticate,
  credentialId,
  findCredential,
  hasEnded,
  judge,
} from "#identity/authenticate.ts";
import { Failure } from "#kernel/failure.ts";
import type { Observer } from "#observe/observer.ts";
import type { Provider } from "#providers/provider.ts";

import { admit } from "./admit.ts";
import { consoleLimits, type ConsoleLimits } from "./limits.ts";

const pathPattern = /^\/v1\/leases\/([0-9a-f-]{36})\/console$/;
const subprotocol = "millrace.console";
const keyPrefix = "millrace.key.";
const consolesMax = 200;
const frameBytesMax = 1_048_576;
/** A reader that is so far behind makes the machine's side wait. */
const unsentBytesMax = 1_048_576;
const usualPingMs = 30_000;

export interface ConsoleContext {
  readonly db: Db;
  readonly observer: Observer;
  readonly providers: readonly Provider[];
  readonly now: () => number;
  readonly front: Front;
  /** Told when a console is opened, and again and again while it is. */
  readonly used?: (lease: { readonly tenantId: string; readonly leaseId: string }) => void;
  /** How often it looks after one that is open; every 30 s when left out. */
  readonly pingEveryMs?: number;
}

export interface ConsoleRelay {
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  close(): void;
}

export function consoleRelay(context: ConsoleContext): ConsoleRelay {
  const { observer } = context;
  const limits = consoleLimits();
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: frameBytesMax,
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
  });
  const closing = new AbortController();

  const open = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const requestId = crypto.randomUUID();
    const abandoned = new AbortController();
    socket.once("close", () => abandoned.abort());
    try {
      if (sockets.clients.size >= consolesMax) {
        throw new Failure(
          "throttled",
          `${consolesMax} consoles are open; close one and try again.`,
        );
      }
      const { line, lease, ...ended } = await machineSide(context, request, {
        requestId,
        limits,
        signal: AbortSignal.any([closing.signal, abandoned.signal]),
      });
      sockets.handleUpgrade(request, socket, head, (client) => {
        const everyMs = context.pingEveryMs ?? usualPingMs;
        join(client, line, { used: () => context.used?.(lease), everyMs, ...ended });
      });
    } catch (error) {
      const failure = toFailure(error);
      if (failure.code === "internal")
        observer.log.error({ requestId, err: error }, "console failed");
      refuse(socket, failure, requestId);
    }
  };

  return {
    upgrade: (request, socket, head) => {
      socket.on("error", () => socket.destroy());
      void open(request, socket, head);
    },
    close: () => {
      closing.abort();
      for (const client of sockets.clients) client.close(1001, "the server is stopping");
      sockets.close();
    },
  };
}

interface Knock {
  readonly requestId: string;
  readonly limits: ConsoleLimits;
  readonly signal: AbortSignal;
}

/** Who calls, may he, which machine; then the machine's side of the line. */
async function machineSide(
  context: ConsoleContext,
  request: IncomingMessage,
  knock: Knock,
): Promise<{
  readonly line: Duplex;
  readonly lease: { readonly tenantId: string; readonly leaseId: string };
  readonly hasEnded: () => Promise<boolean>;
}> {
  const url = new URL(request.url ?? "/", "http://localhost");
  const leaseId = pathPattern.exec(url.pathname)?.[1];
  if (leaseId === undefined) {
    throw new Failure("not_found", "There is nothing to connect to at this path.");
  }
  const kind = kindSchema.safeParse(url.searchParams.get("kind") ?? "serial");
  if (!kind.success) throw new Failure("invalid_request", "`kind` is serial or vnc.");
  const visitor = visitorOf(request, context.front);
  knock.limits.takeOfAddress(visitor.address);
  const credential = credentialOf(request);
  const authenticated = await authenticate(context.db, credential.text, context.now());
  if (credential.kind === "cookie") refuseForeignPage(request.headers, visitor);
  knock.limits.takeOfKey(credentialId(authenticated));
  // A page cannot send the header with a WebSocket.
  const named =
    request.headers["millrace-tenant"]?.toString() ?? url.searchParams.get("tenant") ?? undefined;
  const wish = { authenticated, named, leaseId, kind: kind.data, requestId: knock.requestId };
  const instance = await admit(context, wish);
  const provider = context.providers.find((each) => each.site === instance.site);
  if (provider === undefined) {
    throw new Failure("unavailable", `This process is not connected to the site ${instance.site}.`);
  }
  const { tenantId } = instance;
  const line = await provider.console({ signal: knock.signal }, instance.id, kind.data);
  const { secret } = authenticated;
  const ended = (): Promise<boolean> =>
    hasEnded(async () => judge(await findCredential(context.db, secret), secret, context.now()));
  return { line, lease: { tenantId, leaseId }, hasEnded: ended };
}

const kindSchema = z.enum(["serial", "vnc"]);

function credentialOf({ headers }: IncomingMessage): Presented {
  const offered = headers["sec-websocket-protocol"]?.split(",") ?? [];
  const key = offered.map((each) => each.trim()).find((each) => each.startsWith(keyPrefix));
  const authorization =
    key === undefined ? headers.authorization : `Bearer ${key.slice(keyPrefix.length)}`;
  const presented = presentedIn({ ...headers, authorization });
  if (presented === undefined) throw noCredential();
  return presented;
}

interface Watch {
  /** Told when it is opened, and again and again. */
  readonly used: () => void;
  readonly everyMs: number;
  /** The key or session that it was opened with. */
  readonly hasEnded: () => Promise<boolean>;
}

/** Bytes both ways until either side ends; a slow reader slows the machine's side, not the server. */
function join(client: WebSocket, line: Duplex, { used, everyMs, hasEnded: ended }: Watch): void {
  used();
  const look = async (): Promise<void> => {
    if (await ended()) client.close(1008, "the key or session has ended");
    else used();
  };
  const ping = setInterval(() => {
    client.ping();
    void look();
  }, everyMs);
  line.on("data", (chunk: Buffer) => {
    client.send(chunk, () => {
      if (line.isPaused() && client.bufferedAmount <= unsentBytesMax) line.resume();
    });
    if (client.bufferedAmount > unsentBytesMax) line.pause();
  });
  line.once("end", () => client.close(1000, "the machine closed the console"));
  line.once("error", () => client.close(1011, "the console broke"));
  line.once("close", () => client.close(1000));
  client.on("message", (data: Buffer | ArrayBuffer | Buffer[]) => {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(new Uint8Array(data));
    if (!line.write(bytes)) {
      client.pause();
      line.once("drain", () => client.resume());
    }
  });
  client.once("close", () => {
    clearInterval(ping);
    line.destroy();
  });
  client.on("error", () => client.terminate());
}

function refuse(socket: Duplex, failure: Failure, requestId: string): void {
  const problem = problemOf(failure, requestId);
  const body = problemText(problem);
  const headers = { ...problemHeaders(failure), "x-request-id": requestId, connection: "close" };
  const head = Object.entries({ ...headers, "content-length": String(Buffer.byteLength(body)) })
    .map(([name, value]) => `${name}: ${value}`)
    .join("\r\n");
  socket.end(`HTTP/1.1 ${problem.status} ${problem.title}\r\n${head}\r\n\r\n${body}`);
}
