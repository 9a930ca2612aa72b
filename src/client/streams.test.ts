/** Uploads, downloads and events of the client. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { collect, dropped, failureOf } from "#test/client-outcome.ts";
import { startContractServer, testCredential, type ContractServer } from "#test/contract-server.ts";
import { eventText } from "#test/contract-wire.ts";

import { createClient, type Client } from "./client.ts";

let server: ContractServer;
let client: Client;
const leaseId = "0190c2b4-0000-7000-8000-000000000001";
const retry = { attemptsMax: 5, firstDelayMs: 1, delayMaxMs: 5 };

beforeAll(async () => {
  server = await startContractServer();
  client = createClient({ baseUrl: server.url, credential: testCredential, retry });
});
afterAll(async () => {
  await server.close();
});
beforeEach(() => {
  server.reset();
});

test("an upload sends its bytes, again if the answer is lost", async () => {
  server.answer("uploadFile", () =>
    server.seen.length === 1 ? { raw: (_request, response) => dropped(response) } : undefined,
  );
  await client.upload("uploadFile", {
    query: { name: "data.csv" },
    content: new Blob(["a,b\n", "1,2\n"]),
  });
  expect(server.seen.map((seen) => seen.body)).toEqual(["a,b\n1,2\n", "a,b\n1,2\n"]);
  server.reset();
  const once = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(Buffer.from("streamed"));
      controller.close();
    },
  });
  await client.upload("uploadFile", { query: { name: "s" }, content: once });
  expect(server.seen[0]?.body).toBe("streamed");
});

test("a download that stops half way says so", async () => {
  server.answer("downloadFile", () => ({
    raw: (_request, response) => {
      response.writeHead(200, { "content-length": "100" }).write("half", () => dropped(response));
    },
  }));
  const answer = await client.bytes("downloadFile", { params: { fileId: leaseId } });
  const failure = await failureOf(collect(answer.chunks));
  expect(failure.message).toContain("lost after 4 bytes");
});

test("events go on over a dropped connection from the last one seen", async () => {
  server.answer("followJobLog", (seen) => ({
    raw: (_request, response) => {
      const from = Number(seen.headers["last-event-id"] ?? 0);
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(eventText({ id: String(from + 1), data: `line ${from + 1}` }));
      if (from === 4) response.end(eventText({ event: "end", data: {} }));
      else response.write("retry: 1\ndata: cut off", () => dropped(response));
    },
  }));
  const reconnects: unknown[] = [];
  const options = { onReconnect: (cause: unknown) => reconnects.push(cause) };
  const request = { params: { jobId: leaseId } };
  const events = await collect(client.events("followJobLog", request, options));
  expect(events.map((event) => event.data)).toEqual([
    '"line 1"',
    '"line 2"',
    '"line 3"',
    '"line 4"',
    '"line 5"',
    "{}",
  ]);
  expect(reconnects).toHaveLength(4);
});

test("events end on 204, on a refusal, and after too many fruitless connections", async () => {
  const request = { params: { jobId: leaseId } };
  server.answer("followJobLog", () => ({
    raw: (_request, response) => {
      response.writeHead(204).end();
    },
  }));
  expect(await collect(client.events("followJobLog", request))).toEqual([]);
  server.answer("followJobLog", () => ({ refused: "not_found" }));
  const refused = collect(client.events("followJobLog", request));
  expect((await failureOf(refused)).code).toBe("not_found");
  server.seen.length = 0;
  server.answer("followJobLog", () => ({
    raw: (_request, response) => {
      response.writeHead(200).end("retry: 1\n\n");
    },
  }));
  const fruitless = collect(client.events("followJobLog", request));
  expect((await failureOf(fruitless)).code).toBe("unavailable");
  expect(server.seen).toHaveLength(11);
});
