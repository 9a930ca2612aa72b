import { createHash } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";
import { Readable } from "node:stream";

import { expect, test } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";
import { testApi, type Answer, type TestApi, type TestApiOptions } from "#test/api-server.ts";

import type { ServerEvent } from "./handler.ts";

/** What the stream under test does; each test sets it. */
let source: (signal: AbortSignal, lastEventId: string | undefined) => AsyncIterable<ServerEvent> =
  nothing;
let sourceEnded = Promise.withResolvers<void>();
let bytesSource: () => Readable = () => Readable.from([Buffer.from("abc")]);
let stored = 0;
let uploadBegan = Promise.withResolvers<void>();

const handlers: NonNullable<TestApiOptions["handlers"]> = {
  followEvents: async (_input, { signal, lastEventId }) => {
    sourceEnded = Promise.withResolvers<void>();
    return ended(source(signal, lastEventId));
  },
  followJobLog: () => Promise.reject(new Failure("not_found", "There is no such job.")),
  downloadFile: () =>
    Promise.resolve({
      contentType: "application/octet-stream",
      body: bytesSource(),
      fileName: `a"b\r\nc'ü.bin`,
      headers: { "millrace-log-offset": "3" },
    }),
  getOperation: {
    waits: true,
    handle: async (_input, { signal, read, tenantId }) => {
      await read((tx) =>
        tx.rows(sql`select id from tenant`, z.object({ id: z.literal(tenantId) })),
      );
      if (!signal.aborted) await once(signal, "abort");
      return operation;
    },
  },
  uploadFile: async ({ body, query }, { commit }) => {
    if (query.name === "refused") throw new Failure("quota_exceeded", "no room");
    const hash = createHash("sha256");
    let sizeBytes = 0;
    for await (const chunk of body.stream) {
      uploadBegan.resolve();
      hash.update(z.instanceof(Buffer).parse(chunk));
      sizeBytes += z.instanceof(Buffer).parse(chunk).length;
    }
    return commit(async (tx) => {
      stored += 1;
      await tx.execute(sql`select 1`);
      return {
        id: "0190c2b4-0000-7000-8000-000000000001",
        name: query.name,
        kind: "input",
        jobId: null,
        sizeBytes,
        sha256: hash.digest("hex"),
        createdAt: new Date(0).toISOString(),
      } as const;
    });
  },
};

const operation = {
  id: "0190c2b4-0000-7000-8000-000000000001",
  kind: "create",
  resourceId: "0190c2b4-0000-7000-8000-000000000001",
  state: "running",
  reason: null,
  note: null,
  createdAt: new Date(0).toISOString(),
  endedAt: null,
} as const;

const limits = { heartbeatMs: 20, streamsPerTenantMax: 2, uploadBytesMax: 3_000_000 };
const api = await testApi({ handlers, limits });
const secret = api.customer.administrator.secret;

async function* nothing(): AsyncGenerator<ServerEvent> {
  // Ends at once.
}

async function* ended(events: AsyncIterable<ServerEvent>): AsyncGenerator<ServerEvent> {
  try {
    yield* events;
  } finally {
    sourceEnded.resolve();
  }
}

async function* untilAborted(signal: AbortSignal): AsyncGenerator<ServerEvent> {
  yield { id: "1", data: { n: 1 } };
  if (!signal.aborted) await once(signal, "abort");
}

interface Reading {
  readonly until: (text: string) => Promise<string>;
  readonly rest: () => Promise<string>;
  readonly cancel: () => Promise<void>;
  readonly response: Response;
}

async function follow(
  path = "/v1/events",
  to: TestApi = api,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reading> {
  const credential = to.customer.administrator.secret;
  const response = await fetch(`${to.url}${path}`, {
    headers: "cookie" in headers ? headers : { authorization: `Bearer ${credential}`, ...headers },
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) throw new Error("no body");
  let text = "";
  const read = async (enough: () => boolean): Promise<string> => {
    while (!enough()) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { done, value } = await reader.read();
      if (done) break;
      text += value;
    }
    return text;
  };
  return {
    response,
    until: (wanted) => read(() => text.includes(wanted)),
    rest: () => read(() => false),
    cancel: () => reader.cancel(),
  };
}

test("events arrive as they are said, and `end` says that there are no more", async () => {
  source = async function* () {
    yield { id: "7", event: "change", data: { text: "a\nb" } };
    yield { data: null };
  };
  const { response, rest } = await follow();
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  expect(await rest()).toBe(
    'retry: 1000\n\nid: 7\nevent: change\ndata: {"text":"a\\nb"}\n\ndata: null\n\nevent: end\ndata: {}\n\n',
  );
});

test("a client that comes back says where it was", async () => {
  source = async function* (_signal, lastEventId) {
    yield { data: { after: lastEventId } };
  };
  const { rest } = await follow("/v1/events", api, { "last-event-id": "42" });
  expect(await rest()).toContain('{"after":"42"}');
});

test("silence is broken by heartbeats", async () => {
  source = untilAborted;
  const reading = await follow();
  expect(await reading.until(":\n\n:\n\n")).toContain('data: {"n":1}');
  await reading.cancel();
  await sourceEnded.promise;
});

test("a stream ends without `end` when its key is revoked or its session is over", async () => {
  source = untilAborted;
  const { secret: shortLived, keyId } = await api.keyOf("domain_admin");
  const signedIn = await api.ask("POST", "/v1/sessions", { body: { credential: shortLived } });
  const cookie = signedIn.headers.get("set-cookie")?.split(";")[0] ?? "";
  const byKey = await follow("/v1/events", api, { authorization: `Bearer ${shortLived}` });
  const bySession = await follow("/v1/events", api, { cookie });
  await byKey.until('data: {"n":1}');
  await bySession.until('data: {"n":1}');
  expect((await api.ask("DELETE", `/v1/api-keys/${keyId}`, { secret })).status).toBe(204);
  for (const each of [byKey, bySession]) {
    // oxlint-disable-next-line no-await-in-loop -- both
    expect(await each.rest()).not.toContain("event: end");
  }
  await sourceEnded.promise;
});

test("a stream that fails half-way breaks off without `end`", async () => {
  source = async function* () {
    yield { data: 1 };
    throw new Error("the source broke");
  };
  const { rest } = await follow();
  await expect(rest()).rejects.toThrow("terminated");
  await expect
    .poll(() => JSON.stringify(api.logged.filter(({ level }) => level === 50)))
    .toContain("the source broke");
});

test("what is refused before the first event is a problem document", async () => {
  const path = "/v1/jobs/0190c2b4-0000-7000-8000-000000000001/log/follow";
  expect(await api.ask("GET", path, { secret })).toMatchObject({
    status: 404,
    body: { code: "not_found" },
  });
});

test("a slow reader slows the source down", async () => {
  let said = 0;
  source = async function* (signal) {
    const data = "x".repeat(65_536);
    while (!signal.aborted) {
      said += 1;
      yield { data };
    }
  };
  const reading = await follow();
  await reading.until("data:");
  // Sockets hold some; the source stops when they are full.
  let before = -1;
  await expect
    .poll(
      () => {
        const same = said === before;
        before = said;
        return same;
      },
      { interval: 200 },
    )
    .toBe(true);
  expect(said).toBeLessThan(2000);
  await reading.cancel();
  await sourceEnded.promise;
});

test("a tenant has so many streams at a time, and gets a slot back when one ends", async () => {
  source = untilAborted;
  const open = [await follow(), await follow()];
  const third = await api.ask("GET", "/v1/events", { secret });
  expect(third).toMatchObject({ status: 429, body: { code: "throttled" } });
  expect(third.headers.get("retry-after")).toBe("5");
  const metrics = await api.ask("GET", "/metrics");
  expect(metrics.text).toContain("millrace_http_streams 2");
  await open[0]?.cancel();
  await sourceEnded.promise;
  await expect.poll(async () => (await api.ask("GET", "/metrics")).text).toContain("_streams 1");
  const again = await follow();
  await again.cancel();
  await open[1]?.cancel();
  await expect.poll(async () => (await api.ask("GET", "/metrics")).text).toContain("_streams 0");
});

test("bytes are a download whose name cannot break out of its header", async () => {
  bytesSource = () => Readable.from([Buffer.from("abc"), Buffer.from("def")]);
  const path = "/v1/files/0190c2b4-0000-7000-8000-000000000001/content";
  const answer = await api.ask("GET", path, { secret });
  expect(answer.text).toBe("abcdef");
  expect(answer.headers.get("content-disposition")).toBe(
    "attachment; filename*=UTF-8''a%22b%0D%0Ac%27%C3%BC.bin",
  );
  expect(answer.headers.get("millrace-log-offset")).toBe("3");
});

test("when the caller of a download goes away, its source is closed", async () => {
  const endless = new Readable({
    read() {
      this.push(Buffer.alloc(65_536));
    },
  });
  bytesSource = () => endless;
  const path = "/v1/files/0190c2b4-0000-7000-8000-000000000001/content";
  const reading = await follow(path);
  await reading.cancel();
  await expect.poll(() => endless.destroyed).toBe(true);
});

function upload(
  name: string,
  body: Uint8Array,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return api.ask("POST", `/v1/files?name=${name}`, {
    secret,
    headers,
    body: Buffer.from(body).toString("latin1"),
  });
}

test("an upload is stored once per idempotency key, whatever its type says", async () => {
  const content = Buffer.alloc(2_000_000, "a");
  const headers = { "idempotency-key": "file-1", "content-type": "application/json" };
  const first = await upload("f", content, headers);
  expect(first.body).toMatchObject({
    sizeBytes: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
  });
  const again = await upload("f", content, headers);
  expect([again.status, again.text]).toEqual([201, first.text]);
  expect(again.headers.get("idempotency-replayed")).toBe("true");
  expect(stored).toBe(1);
  const other = await upload("f", Buffer.alloc(2_000_000, "b"), headers);
  expect(other).toMatchObject({ status: 422, body: { code: "idempotency_mismatch" } });
  expect(stored).toBe(1);
});

test("an upload that is too large, or refused unread, is answered", async () => {
  const large = Buffer.alloc(5_000_000, "a");
  expect(await upload("f", large)).toMatchObject({
    status: 413,
    body: { code: "payload_too_large" },
  });
  const chunked = await fetch(`${api.url}/v1/files?name=f`, {
    method: "POST",
    headers: { authorization: `Bearer ${secret}` },
    body: Readable.toWeb(Readable.from([large, large])),
    duplex: "half",
  });
  expect(chunked.status).toBe(413);
  const refused = await upload("refused", Buffer.alloc(2_000_000));
  expect(refused).toMatchObject({ status: 403, body: { code: "quota_exceeded" } });
});

test("an upload that breaks off is not stored", async () => {
  const before = stored;
  uploadBegan = Promise.withResolvers<void>();
  const sent = request(`${api.url}/v1/files?name=f`, {
    method: "POST",
    headers: { authorization: `Bearer ${secret}`, "x-request-id": "broken-off" },
  });
  sent.on("error", () => undefined);
  sent.write("half");
  await uploadBegan.promise;
  sent.destroy();
  const told = (): string[] =>
    api.logged.flatMap(({ requestId, code }) => (requestId === "broken-off" ? [String(code)] : []));
  await expect.poll(told).toContain("invalid_request");
  expect(stored).toBe(before);
});

test("closing ends streams and waiting requests, and lets the others finish", async () => {
  const gate = Promise.withResolvers<void>();
  const inside = Promise.withResolvers<void>();
  const closing = await testApi({
    handlers: {
      ...handlers,
      listOffers: async () => {
        inside.resolve();
        await gate.promise;
        return { items: [] };
      },
    },
  });
  const mine = { secret: closing.customer.administrator.secret };
  source = untilAborted;
  const stream = await follow("/v1/events", closing);
  await stream.until("data:");
  const waiting = closing.ask("GET", `/v1/operations/${operation.id}?waitSeconds=60`, mine);
  const working = closing.ask("GET", "/v1/offers", mine);
  await inside.promise;
  await expect
    .poll(() => closing.ask("GET", "/metrics").then(({ text }) => text))
    .toContain("_streams 2");
  const closed = closing.close();
  // Without `end`: the client connects again, to another process.
  expect(await stream.rest()).not.toContain("event: end");
  expect((await waiting).body).toMatchObject({ state: "running" });
  gate.resolve();
  const answer = await working;
  expect(answer.status).toBe(200);
  await closed;
  await expect(closing.ask("GET", "/healthz")).rejects.toThrow("fetch failed");
});
