/**
 * A server made of nothing but the contract: it checks every request by the contract's schemas and
 * answers with data that they accept. Clients are tested against it, so a test of a client can
 * neither send nor be sent anything that the API does not say. What it answers can be set, and is
 * checked as well.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { WebSocketServer, type WebSocket } from "ws";

import type { Operation } from "#contract/operation.ts";
import type { OperationId } from "#contract/operations.ts";
import type { FailureCode } from "#kernel/failure.ts";

import {
  bodyOf,
  checked,
  eventText,
  findRoute,
  problemText,
  refuse,
  sendText,
  stream,
  type Seen,
} from "./contract-wire.ts";
import { sampleOf } from "./sample.ts";

export const testCredential = "mr_test-credential";

/** `refused` is a problem; `raw` writes, or drops, the answer itself. */
export type Answer =
  | { readonly result: unknown }
  | {
      readonly refused: FailureCode | (string & Record<never, never>);
      readonly detail?: string;
      readonly status?: number;
      readonly retryAfter?: string;
      readonly details?: Readonly<Record<string, unknown>>;
    }
  | { readonly raw: (request: IncomingMessage, response: ServerResponse) => void };

export interface ContractServer {
  readonly url: string;
  /** Every valid request in order, repeats included. */
  readonly seen: Seen[];
  /** As `seen`, without those that a stored idempotency record answered. */
  readonly effects: OperationId[];
  /** From now on; `undefined` from the function means the sample. */
  answer(id: OperationId, make: (seen: Seen, sample: unknown) => Answer | undefined): void;
  onConsole(handle: (socket: WebSocket, leaseId: string) => void): void;
  reset(): void;
  close(): Promise<void>;
}

export async function startContractServer(): Promise<ContractServer> {
  const seen: Seen[] = [];
  const effects: OperationId[] = [];
  const answers = new Map<string, (seen: Seen, sample: unknown) => Answer | undefined>();
  const stored = new Map<string, { readonly status: number; readonly text: string }>();
  let consoleHandler: ((socket: WebSocket, leaseId: string) => void) | undefined;

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const route = findRoute(request.method ?? "GET", url.pathname);
    if (route === undefined) return refuse(response, "not_found", "There is no such operation.");
    const { id, operation, params } = route;
    if (operation.permission !== "public" && !authorized(request)) {
      return refuse(response, "unauthenticated", "The key is not valid.");
    }
    const key = request.headers["idempotency-key"];
    if (operation.method === "POST" && (typeof key !== "string" || key.length < 16)) {
      return refuse(response, "invalid_request", "A POST needs an Idempotency-Key.");
    }
    const body = await bodyOf(request);
    const input = checked(id, operation, { params, url, body, headers: request.headers });
    if ("wrong" in input) return refuse(response, "invalid_request", input.wrong);
    seen.push(input);
    const before = typeof key === "string" ? stored.get(`${id} ${key}`) : undefined;
    if (before !== undefined) return sendText(response, before.status, before.text);
    const answer = answers.get(id)?.(input, sampled(operation, id)) ?? {
      result: sampled(operation, id),
    };
    if ("raw" in answer) return answer.raw(request, response);
    if ("refused" in answer) {
      return refuse(response, answer.refused, answer.detail ?? "Refused.", answer);
    }
    effects.push(id);
    if (operation.transport !== "json") return stream(response, operation, answer.result);
    const valid = operation.result.safeParse(answer.result);
    if (!valid.success) {
      return refuse(response, "internal", `The test's answer to ${id}: ${valid.error.message}`);
    }
    const text = operation.status === 204 ? "" : JSON.stringify(valid.data);
    if (typeof key === "string") stored.set(`${id} ${key}`, { status: operation.status, text });
    sendText(response, operation.status, text);
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      refuse(response, "internal", String(error));
    });
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    const leaseId = /^\/v1\/leases\/([^/]+)\/console$/.exec(request.url ?? "")?.[1];
    if (!authorized(request) || leaseId === undefined || consoleHandler === undefined) {
      const refusal = problemText("wrong_state", "There is no console now.", 409);
      socket.end(
        `HTTP/1.1 409 Conflict\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(refusal)}\r\nconnection: close\r\n\r\n${refusal}`,
      );
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      consoleHandler?.(webSocket, leaseId);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${portOf(server.address())}`,
    seen,
    effects,
    answer: (id, make) => {
      answers.set(id, make);
    },
    onConsole: (next) => {
      consoleHandler = next;
    },
    reset: () => {
      answers.clear();
      stored.clear();
      seen.length = 0;
      effects.length = 0;
      consoleHandler = undefined;
    },
    close: async () => {
      sockets.close();
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

function authorized(request: IncomingMessage): boolean {
  return request.headers.authorization === `Bearer ${testCredential}`;
}

function sampled(operation: Operation, id: string): unknown {
  if (operation.transport === "json") return sampleOf(operation.result, id);
  if (operation.transport !== "events") return `${operation.transport} of ${id}\n`;
  return (
    eventText({ id: "1", event: "log", data: { text: `event of ${id}\n` } }) +
    eventText({ event: "end", data: {} })
  );
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("not listening on a port");
  return address.port;
}
