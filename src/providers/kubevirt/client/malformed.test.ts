/** Answers that no API server gives: of proxies, of half a server, of somebody who wants us to fall. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import { afterEach, expect, test } from "vitest";

import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import { KubeClient } from "./client.ts";
import { fixedCredential } from "./credentials.ts";
import { ConnectionError, CredentialError, RefusedError, StatusError } from "./errors.ts";
import { clientLimits } from "./options.ts";

const limits = {
  ...clientLimits,
  calls: {
    ...clientLimits.calls,
    answerBytesMax: 1024 * 1024,
    timeoutMs: 2000,
    retry: { attemptsMax: 2, firstDelayMs: 1, delayMaxMs: 2, retryAfterMaxMs: 10 },
  },
  watch: { ...clientLimits.watch, firstDelayMs: 1, delayMaxMs: 2, eventBytesMax: 64 * 1024 },
};

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

/** A client of a server that answers so. */
async function answering(
  answer: (response: ServerResponse, request: IncomingMessage) => void,
): Promise<KubeClient> {
  const server = createServer((request, response) => answer(response, request));
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it listens nowhere");
  const cluster = {
    server: `http://127.0.0.1:${address.port}`,
    verified: true,
    credentials: fixedCredential({ token: "t" }),
    namespace: "default",
  };
  const client = new KubeClient(cluster, limits);
  closing.push(async () => {
    client.close();
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  return client;
}

const empty = JSON.stringify({
  kind: "SecretList",
  metadata: { resourceVersion: "7" },
  items: [],
});

/** An empty list, and this for each watch. */
async function watchTelling(text: string) {
  const counted = { watches: 0 };
  const client = await answering((response, request) => {
    const isWatch = request.url?.includes("watch=true") === true;
    if (isWatch) counted.watches += 1;
    response.end(isWatch ? text : empty);
  });
  return { client, counted };
}

const call = { signal: new AbortController().signal };
const name = { namespace: "n", name: "a" };
const object = { apiVersion: "v1", kind: "Secret", metadata: name };

/** What each way of asking comes to. */
async function outcomes(client: KubeClient): Promise<readonly unknown[]> {
  const asked = [
    () => client.get(call, kinds.secret, name),
    () => client.list(call, kinds.secret),
    () => client.create(call, kinds.secret, object),
    () => client.apply(call, kinds.secret, object),
    () => client.patch(call, kinds.secret, { name, patch: {} }),
    () => client.version(call),
    () => client.served(call, kinds.machine),
  ];
  const all: unknown[] = [];
  for (const ask of asked) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    all.push(await ask().catch((error: unknown) => error));
  }
  return all;
}

function isTyped(error: unknown): boolean {
  return [StatusError, ConnectionError, RefusedError, CredentialError].some(
    (type) => error instanceof type,
  );
}

const page = "<html><body><h1>It works!</h1></body></html>";
const metadata = { name: "a", uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01" };

test.each([
  ["a page of a proxy", 200, page],
  ["half of an object", 200, `{"apiVersion":"v1","kind":"Secret","metadata":{"na`],
  ["nothing", 200, ""],
  ["null", 200, "null"],
  ["a list of numbers", 200, "[1,2,3]"],
  ["an object without a head", 200, `{"kind":"Secret"}`],
  ["a head of numbers", 200, `{"kind":"Secret","apiVersion":"v1","metadata":{"name":1}}`],
  ["a success that says no", 200, `{"kind":"Status","status":"Failure","code":500}`],
  ["brackets without end", 200, "[".repeat(200_000)],
  ["a page that refuses", 502, page],
  ["a refusal of the wrong form", 409, `{"kind":"Status","code":"x","details":[]}`],
  ["a code that is none", 299, `{"items":{}}`],
  ["bytes that are no text", 200, Buffer.from([0xff, 0xfe, 0x00, 0x80]).toString("latin1")],
])("%s is an error of ours, whatever was asked", async (_what, code, body) => {
  const client = await answering((response) => {
    response.writeHead(code, { "content-type": "text/html" });
    response.end(body);
  });
  const all = await outcomes(client);
  expect(all.map(isTyped)).toEqual(all.map(() => true));
});

test("what was read of another object is not taken for the one that was asked for", async () => {
  const other = { apiVersion: "v1", kind: "Secret", metadata: { ...metadata, name: "b" } };
  const client = await answering((response) => response.end(JSON.stringify(other)));
  await expect(client.get(call, kinds.secret, name)).rejects.toBeInstanceOf(ConnectionError);
  const list = { kind: "PodList", metadata: { resourceVersion: "7" }, items: [] };
  const wrong = await answering((response) => response.end(JSON.stringify(list)));
  await expect(wrong.list(call, kinds.secret)).rejects.toBeInstanceOf(ConnectionError);
});

test("versions that are no numbers are refused: all that is kept is compared by them", async () => {
  const head = { ...metadata, resourceVersion: "yesterday" };
  const list = {
    kind: "SecretList",
    metadata: { resourceVersion: "7" },
    items: [{ metadata: head }],
  };
  const client = await answering((response) => response.end(JSON.stringify(list)));
  await expect(client.list(call, kinds.secret)).rejects.toBeInstanceOf(ConnectionError);
});

test("an answer without end is given up at the limit, and a refusal is read as far as it says anything", async () => {
  let sent = 0;
  const pouring = (code: number) => (response: ServerResponse) => {
    response.writeHead(code);
    const chunk = Buffer.alloc(64 * 1024, "x");
    const pour = (): void => {
      while (!response.destroyed && sent < 256 * 1024 * 1024) {
        sent += chunk.length;
        if (!response.write(chunk)) {
          response.once("drain", pour);
          return;
        }
      }
    };
    pour();
  };
  const endless = await answering(pouring(200));
  await expect(endless.get(call, kinds.secret, name)).rejects.toBeInstanceOf(RefusedError);
  const refusing = await answering(pouring(403));
  await expect(refusing.get(call, kinds.secret, name)).rejects.toMatchObject({
    code: 403,
    message: expect.stringMatching(/^the API server answered 403: x{100}/),
  });
  // Not what it would have poured: what had left before it heard of our going.
  expect(sent).toBeLessThan(128 * 1024 * 1024);
});

test.each([
  ["no JSON", "hello\n"],
  ["a type that is none", `{"type":"EXPLODED","object":{}}\n`],
  ["an event of nothing", `{"type":"ADDED","object":null}\n`],
  ["a line without end", "x".repeat(100_000)],
  ["half a line", `{"type":"ADDED","obj`],
  ["an error that says nothing", `{"type":"ERROR","object":7}\n`],
  ["a bookmark without a version", `{"type":"BOOKMARK","object":{}}\n`],
])("a watch that tells %s is told as lost, and tried again", async (_what, text) => {
  const { client, counted } = await watchTelling(text);
  const told: string[] = [];
  for await (const event of client.watch(call, kinds.secret)) {
    told.push(event.type);
    if (event.type === "lost" && !isTyped(event.error)) throw event.error;
    if (told.filter((type) => type === "lost").length === 3) break;
  }
  expect(counted.watches).toBe(3);
  expect(told[0]).toBe("page");
});

test("a watch that is ended as soon as it has said where it is, is not come back to at full speed", async () => {
  const bookmark = { type: "BOOKMARK", object: { metadata: { resourceVersion: "7" } } };
  const { client, counted } = await watchTelling(`${JSON.stringify(bookmark)}\n`);
  for await (const event of client.watch(call, kinds.secret)) {
    if (event.type === "lost") break;
  }
  expect(counted.watches).toBe(1);
});
