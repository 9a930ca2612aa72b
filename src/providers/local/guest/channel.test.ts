/** The channel against a stand-in for the guest's end: breaks, restarts, deadlines, bad answers. */
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";

import { encodeFrame, FrameDecoder } from "./codec.ts";
import { GuestClient } from "./client.ts";

const requestSchema = z.object({ id: z.int(), method: z.string() });
type Asked = z.infer<typeof requestSchema>;

let scratch: string;
let server: Server;
let client: GuestClient;
let asked: Asked[];
let reply: (request: Asked, socket: Socket) => void;

const hello = {
  version: 1,
  agentId: "a",
  bootId: "b",
  uptimeMs: 5,
  image: "tiny",
  listening: false,
};
const soon = (ms = 30_000): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(ms) });

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), "millrace-test-"));
  asked = [];
  server = createServer((socket) => {
    const decoder = new FrameDecoder();
    socket.on("error", () => {});
    socket.on("data", (piece: Buffer) => {
      for (const frame of decoder.push(piece)) {
        const request = requestSchema.parse(frame.message);
        asked.push(request);
        reply(request, socket);
      }
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(join(scratch, "socket"), resolve);
  });
  client = new GuestClient({
    connect: () =>
      new Promise((resolve, reject) => {
        const socket = connect({ path: join(scratch, "socket") });
        socket.once("error", reject);
        socket.once("connect", () => resolve(socket));
      }),
  });
});

afterEach(async () => {
  client.close();
  server.close();
  await rm(scratch, { recursive: true, force: true });
});

test("a request whose connection breaks is asked again and answered once", async () => {
  reply = (request, socket) => {
    if (asked.length < 3) socket.destroy();
    else socket.write(encodeFrame({ id: request.id, result: hello }));
  };
  expect(await client.hello(soon())).toEqual(hello);
  expect(new Set(asked.map(({ id }) => id)).size).toBe(1);
});

test("a new agent on the same connection is asked again", async () => {
  reply = (request, socket) => {
    if (asked.length === 1) {
      socket.write(encodeFrame({ event: "hello", ...hello, agentId: "first" }));
      socket.write(encodeFrame({ event: "hello", ...hello, agentId: "second" }));
    } else socket.write(encodeFrame({ id: request.id, result: hello }));
  };
  expect(await client.hello(soon())).toEqual(hello);
  expect(asked).toHaveLength(2);
});

test("answers may come in any order, with noise between them", async () => {
  const waiting: Asked[] = [];
  reply = (request, socket) => {
    waiting.push(request);
    if (waiting.length < 2) return;
    for (const each of waiting.toReversed()) {
      socket.write('half a line {"id":\nnot json\n{"id":999,"result":{}}\n');
      const result = each.method === "hello" ? hello : {};
      socket.write(encodeFrame({ id: each.id, result }));
    }
  };
  const both = await Promise.all([client.hello(soon()), client.sync(soon())]);
  expect(both[0]).toEqual(hello);
});

test("a refusal says the agent's reason, and an answer of a wrong form is no answer", async () => {
  reply = (request, socket) => {
    const error = { code: "busy", message: "another workload is here" };
    const wrong = { id: request.id, result: { version: "one" } };
    socket.write(encodeFrame(request.method === "seal" ? { id: request.id, error } : wrong));
  };
  await expect(client.seal(soon())).rejects.toMatchObject({ code: "busy" });
  await expect(client.hello(soon())).rejects.toMatchObject({ code: "malformed" });
});

test("a call ends at its deadline, and with the client", async () => {
  reply = () => {};
  await expect(client.hello(soon(50))).rejects.toMatchObject({ name: "TimeoutError" });
  const open = client.hello(soon());
  client.close();
  await expect(open).rejects.toMatchObject({ code: "closed" });
  await expect(client.hello(soon())).rejects.toMatchObject({ code: "closed" });
});
