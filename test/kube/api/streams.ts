/**
 * Websockets with `plain.kubevirt.io`: a console that greets and repeats, a screen that shows a picture
 * (`screen.ts`), ports that repeat. What is refused is refused before the upgrade, with a Status.
 */
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";

import { WebSocketServer, type WebSocket } from "ws";

import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import { textAt } from "./json.ts";
import type { Objects } from "./objects.ts";
import { badRequest, conflict, noSuchResource, notFound, Refusal } from "./refusal.ts";
import { type Route, readRoute } from "./route.ts";
import { showScreen } from "./screen.ts";

const plainProtocol = "plain.kubevirt.io";

/** `signedIn` throws `Refusal` 401. */
export function serveStreams(
  server: Server,
  objects: Objects,
  signedIn: (request: IncomingMessage) => void,
): void {
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has(plainProtocol) ? plainProtocol : false),
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    try {
      signedIn(request);
      const open = streamOf(objects, request);
      sockets.handleUpgrade(request, socket, head, open);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const body = JSON.stringify(error.status);
      const length = Buffer.byteLength(body);
      socket.end(
        `HTTP/1.1 ${error.code} ${error.message.split("\n")[0]}\r\ncontent-type: application/json\r\n` +
          `content-length: ${length}\r\nconnection: close\r\n\r\n${body}`,
      );
    }
  });
}

function streamOf(objects: Objects, request: IncomingMessage): (socket: WebSocket) => void {
  const route = readRoute(new URL(request.url ?? "/", "http://here").pathname);
  if (route?.group !== "subresources.kubevirt.io" || route.name === undefined) {
    throw noSuchResource();
  }
  const offered = request.headers["sec-websocket-protocol"] ?? "";
  if (!offered.split(",").some((each) => each.trim() === plainProtocol)) {
    throw badRequest(`the subprotocol must be ${plainProtocol}`);
  }
  const opener = openers(route);
  const { namespace, name } = route;
  const instance = objects.store.get(kinds.machineInstance, { namespace, name });
  if (instance === undefined) throw notFound(kinds.machineInstance, name);
  if (textAt(instance, "status", "phase") !== "Running") {
    throw conflict(kinds.machineInstance, name, "VMI is not running");
  }
  return opener;
}

function openers({ below = "", name = "" }: Route): (socket: WebSocket) => void {
  const [what = "", port] = below.split("/");
  switch (what) {
    case "console":
      return repeating(`\r\n${name} login: `);
    case "vnc":
      return showScreen;
    case "portforward":
      return repeating(port === "22" ? "SSH-2.0-OpenSSH_9.9\r\n" : "");
    default:
      throw noSuchResource();
  }
}

function repeating(greeting: string): (socket: WebSocket) => void {
  return (socket) => {
    if (greeting !== "") socket.send(Buffer.from(greeting));
    socket.on("message", (data) => {
      socket.send(data, { binary: true });
    });
  };
}
