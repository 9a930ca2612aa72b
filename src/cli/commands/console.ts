/**
 * `console`: without a lease, a link that opens the console in a browser. With one, the serial line
 * of that machine, typed into and read as it is: on a terminal it is raw until Ctrl-] is pressed;
 * without one, stdin is sent and what comes is printed until either ends.
 */
import type { Command } from "commander";
import { WebSocket, type RawData } from "ws";

import { define, noOptions, optionalArgument, type Shell } from "#cli/define.ts";
import { notRunning } from "#cli/lease-text.ts";
import { kinds, resolve } from "#cli/resolve.ts";
import type { Session } from "#cli/session.ts";
import { enterRawMode } from "#cli/terminal.ts";
import { time } from "#cli/text.ts";
import { failureOf } from "#client/problem.ts";
import { tenantHeader } from "#client/request.ts";
import { rootMessage } from "#client/send.ts";
import { Failure } from "#kernel/failure.ts";

/** Ctrl-] */
const detachByte = 0x1d;
const openTimeoutMs = 15_000;
/** What a machine may still say after the input has ended. */
const lingerMs = 500;

export function addConsole(program: Command, shell: Shell): void {
  define(program, shell, {
    usage: "console [lease]",
    summary: "A link to the console for a browser; or the serial console of a machine",
    args: optionalArgument,
    options: noOptions,
    examples: ["millrace console", "millrace console web"],
    more: "The link signs a browser in as you: once, within 5 minutes. Ctrl-] leaves a serial console.\n",
    act: async (session, [text]) => {
      if (text === undefined) return link(session);
      const leaseId = await resolve(session, kinds.lease, text);
      const lease = await session.client.call("getLease", { params: { leaseId } });
      if (lease.state !== "running") throw notRunning(lease);
      const socket = await open(session, leaseId);
      session.out.note(`Connected to ${lease.name}. Press Enter; Ctrl-] leaves.\n`);
      await relay(session, socket);
      session.out.note(`\nLeft the console of ${lease.name}.\n`);
    },
  });
}

async function link(session: Session): Promise<void> {
  const { path, expiresAt } = await session.client.call("createSignInCode");
  const url = `${session.target().url.replace(/\/+$/, "")}${path}`;
  await session.out.show({
    value: { url, expiresAt },
    ids: [url],
    text: () => `Open this in a browser; it works once, until ${time(expiresAt)}:\n${url}\n`,
  });
}

async function open(session: Session, leaseId: string): Promise<WebSocket> {
  const { url, key } = session.target();
  const { tenant } = session.globals;
  const address = `${url.replace(/\/+$/, "").replace(/^http/, "ws")}/v1/leases/${leaseId}/console`;
  const socket = new WebSocket(address, {
    handshakeTimeout: openTimeoutMs,
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(tenant === undefined ? {} : { [tenantHeader]: tenant }),
    },
  });
  return new Promise((settle, reject) => {
    socket.once("open", () => {
      // What the machine says now would find no listener yet.
      socket.pause();
      settle(socket);
    });
    socket.once("unexpected-response", (_request, response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () => {
        const answer = {
          status: response.statusCode ?? 500,
          statusText: response.statusMessage ?? "",
          headers: new Headers({ "x-request-id": String(response.headers["x-request-id"] ?? "") }),
        };
        reject(failureOf(answer, Buffer.concat(parts).toString()));
      });
    });
    socket.once("error", (error) => {
      reject(
        new Failure("unavailable", `Cannot open the console: ${rootMessage(error)}.`, {
          cause: error,
        }),
      );
    });
  });
}

/** Until the machine's side or the person's side ends. */
async function relay(session: Session, socket: WebSocket): Promise<void> {
  const restore = enterRawMode();
  const { stdin } = process;
  try {
    await new Promise<void>((settle, reject) => {
      socket.on("message", (data: RawData) => {
        session.out.write(bytesOf(data)).catch(reject);
      });
      socket.once("close", (code, reason) => {
        if (code === 1000 || code === 1005) settle();
        else reject(closed(code, reason.toString()));
      });
      socket.on("error", reject);
      stdin.on("data", (chunk: Buffer) => {
        const at = stdin.isTTY ? chunk.indexOf(detachByte) : -1;
        socket.send(at === -1 ? chunk : chunk.subarray(0, at));
        if (at !== -1) settle();
      });
      stdin.once("end", () => setTimeout(settle, lingerMs));
      session.signal.addEventListener("abort", () => {
        reject(session.signal.reason);
      });
      socket.resume();
    });
  } finally {
    restore();
    stdin.removeAllListeners("data");
    stdin.pause();
    // Read on until the other side has closed too, but not for ever.
    socket.close();
    setTimeout(() => {
      socket.terminate();
    }, lingerMs).unref();
  }
}

function closed(code: number, reason: string): Failure {
  const said = reason === "" ? `code ${code}` : reason;
  return new Failure("unavailable", `The console was closed: ${said}. Try again.`);
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}
