import { afterEach, beforeEach, expect, test } from "vitest";

import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { expired, forbidden } from "#test/kube/api/refusal.ts";
import { type KubeServer, type KubeServerOptions, startKube } from "#test/kube/server.ts";

import { KubeClient } from "./client.ts";
import type { Credential } from "./credentials.ts";
import { clientLimits } from "./options.ts";
import type { WatchEvent } from "./watch.ts";

const write = { manager: "test", validation: "none" } as const;
const quick = { attemptsMax: 1, firstDelayMs: 1, delayMaxMs: 5, retryAfterMaxMs: 1000 };
const limits = {
  ...clientLimits,
  calls: { ...clientLimits.calls, retry: quick },
  watch: { ...clientLimits.watch, firstDelayMs: 1, delayMaxMs: 20 },
};

let server: KubeServer;
let client: KubeClient;
let leaving: AbortController;

beforeEach(async () => {
  await start({});
});

afterEach(async () => {
  await stop();
});

async function start(options: KubeServerOptions): Promise<void> {
  server = await startKube(options);
  client = new KubeClient(server.cluster(), limits);
  leaving = new AbortController();
  server.objects.create(kinds.namespace, undefined, { metadata: { name: "n" } }, write);
}

async function stop(): Promise<void> {
  leaving.abort();
  client.close();
  await server.close();
}

function put(name: string, value: string, labels: Record<string, string> = {}): void {
  const input = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, labels },
    data: { value },
  };
  server.objects.apply(kinds.configMap, { namespace: "n", name }, input, write);
}

function drop(name: string): void {
  const found = server.objects.store.get(kinds.configMap, { namespace: "n", name });
  if (found !== undefined) server.objects.store.remove(kinds.configMap, found);
}

type Asked = Parameters<KubeClient["watch"]>[2];

/** What somebody who watches holds, and what he was told, in short. */
function follow(asked: Asked = {}, by: KubeClient = client) {
  const told: string[] = [];
  const marks: string[] = [];
  const held = new Map<string, unknown>();
  const done = (async () => {
    for await (const event of by.watch({ signal: leaving.signal }, kinds.configMap, asked)) {
      if (event.type === "bookmark") marks.push(event.resourceVersion);
      const said = note(event, held);
      if (said !== undefined) told.push(said);
    }
  })();
  return { told, held, marks, done };
}

/** A bookmark comes when it likes; what it says is tested by itself. */
function note(event: WatchEvent, held: Map<string, unknown>): string | undefined {
  switch (event.type) {
    case "page":
      if (event.isFirst) held.clear();
      for (const item of event.items) held.set(item.metadata.name, item["data"]);
      return event.isLast ? `snapshot ${held.size}` : undefined;
    case "changed":
      held.set(event.object.metadata.name, event.object["data"]);
      return `changed ${event.object.metadata.name}`;
    case "deleted":
      held.delete(event.object.metadata.name);
      return `deleted ${event.object.metadata.name}`;
    case "bookmark":
      return undefined;
    case "resumed":
      return "resumed";
    case "lost":
      return "lost";
  }
}

async function watching(): Promise<void> {
  await expect.poll(() => server.faults.watchesOpen).toBeGreaterThan(0);
}

test("all that is, then each change, until the caller leaves; nothing is left behind", async () => {
  put("a", "1");
  const { told, held, done } = follow();
  await watching();
  put("b", "1");
  put("a", "2");
  drop("b");
  await expect.poll(() => told).toEqual(["snapshot 1", "changed b", "changed a", "deleted b"]);
  expect(Object.fromEntries(held)).toEqual({ a: { value: "2" } });
  leaving.abort();
  await done;
  await expect.poll(() => server.faults.watchesOpen).toBe(0);
});

test("a selection tells of what begins to match and of what matches no more", async () => {
  const { told } = follow({ selection: { labels: "of=us", namespace: "n" } });
  await watching();
  put("a", "1");
  put("a", "2", { of: "us" });
  put("a", "3", { of: "them" });
  put("b", "1", { of: "us" });
  await expect.poll(() => told).toEqual(["snapshot 0", "changed a", "deleted a", "changed b"]);
});

test("a watch that was cut goes on where it was: nothing is missed and nothing is listed again", async () => {
  const { told } = follow();
  await watching();
  put("a", "1");
  await expect.poll(() => told).toContain("changed a");
  for (let n = 0; n < 5; n += 1) {
    server.faults.cutWatches();
    put(`b${n}`, "1");
    await expect.poll(() => told).toContain(`changed b${n}`);
  }
  expect(told.filter((each) => each.startsWith("snapshot"))).toHaveLength(1);
  expect(told.filter((each) => each.startsWith("changed"))).toEqual([
    "changed a",
    ...Array.from({ length: 5 }, (_, n) => `changed b${n}`),
  ]);
});

test("a version that is forgotten is listed again, and a deletion that was missed shows", async () => {
  put("a", "1");
  put("b", "1");
  const { told, held } = follow();
  await watching();
  server.faults.vanish();
  await expect.poll(() => told).toContain("lost");
  drop("a");
  server.objects.store.compact();
  server.faults.comeBack();
  await expect.poll(() => told.at(-1)).toBe("snapshot 1");
  expect([...held.keys()]).toEqual(["b"]);
});

test("410 as an answer is the same as 410 in the stream", async () => {
  const { told } = follow();
  await watching();
  const watches = () => server.requests.get("WATCH configmaps") ?? 0;
  server.faults.refuse(
    1,
    () => expired("too old"),
    () => watches() > 1,
  );
  server.faults.cutWatches();
  await expect.poll(() => told.filter((each) => each.startsWith("snapshot"))).toHaveLength(2);
});

test("by bookmarks, the watch of a quiet kind goes on although its first version is forgotten", async () => {
  await stop();
  await start({ bookmarkMs: 5 });
  const { told, marks } = follow();
  await watching();
  const { store } = server.objects;
  // Some other kind moves on, and the bookmarks tell of it.
  server.objects.create(kinds.namespace, undefined, { metadata: { name: "m" } }, write);
  await expect.poll(() => marks.at(-1)).toBe(String(store.version));
  store.compact();
  server.faults.cutWatches();
  put("a", "1");
  await expect.poll(() => told.at(-1)).toBe("changed a");
  expect(told.filter((each) => each.startsWith("snapshot"))).toEqual(["snapshot 0"]);
});

test("a stream that says nothing is given up, and its end is told", async () => {
  const short = { ...limits, watch: { ...limits.watch, silenceMaxMs: 50 } };
  const other = new KubeClient(server.cluster(), short);
  server.faults.muteWatches("silent");
  const { told } = follow({}, other);
  await expect.poll(() => told).toContain("lost");
  server.faults.muteWatches("talking");
  put("a", "1");
  await expect.poll(() => told).toContain("changed a");
  other.close();
});

test("the server ends a round when it likes; the next one goes on without a word", async () => {
  const short = { ...limits, watch: { ...limits.watch, roundSeconds: 1 } };
  const other = new KubeClient(server.cluster(), short);
  const { told } = follow({}, other);
  await expect.poll(() => server.requests.get("WATCH configmaps") ?? 0).toBeGreaterThan(2);
  put("a", "1");
  await expect.poll(() => told).toEqual(["snapshot 0", "changed a"]);
  other.close();
});

test("what the server refuses is told again and again, and ends when it ends", async () => {
  server.faults.refuse(5, () => forbidden(kinds.configMap, "", "no rights"));
  const { told } = follow();
  await expect.poll(() => told).toEqual([...Array.from({ length: 5 }, () => "lost"), "snapshot 0"]);
});

test("a token that ends under a watch is renewed, and nothing is missed", async () => {
  let token = server.token;
  const credentials = {
    current: async (): Promise<Credential> => ({ token }),
    renew: () => {
      token = server.issueToken();
      return true;
    },
  };
  const other = new KubeClient({ ...server.cluster(), credentials }, limits);
  const { told } = follow({}, other);
  await watching();
  server.faults.expireToken(server.token);
  server.faults.cutWatches();
  put("a", "1");
  await expect.poll(() => told.at(-1)).toBe("changed a");
  expect(told.filter((each) => each.startsWith("snapshot"))).toHaveLength(1);
  other.close();
});

test("a watch may begin at a version, without a snapshot", async () => {
  put("a", "1");
  const from = String(server.objects.store.version);
  put("b", "1");
  const { told } = follow({ from });
  await expect.poll(() => told).toEqual(["changed b"]);
});

test("hundreds of watches, one after the other, leave no socket and no listener behind", async () => {
  const { signal } = leaving;
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners += 1;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners -= 1;
    remove(...args);
  };
  for (let n = 0; n < 200; n += 1) {
    for await (const event of client.watch({ signal }, kinds.configMap)) {
      expect(event.type).toBe("page");
      put("a", String(n));
      break;
    }
    for await (const event of client.watch({ signal }, kinds.configMap, { from: "0" })) {
      expect(event.type).toBe("changed");
      break;
    }
  }
  await expect.poll(() => server.faults.watchesOpen).toBe(0);
  await expect.poll(() => listeners).toBeLessThanOrEqual(1);
  expect(server.faults.connectionsOpen).toBeLessThanOrEqual(2);
});
