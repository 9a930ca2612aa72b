/** A mirror ends up as the truth, whatever its watch goes through; and it knows when it is old. */
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";

import { KubeClient } from "#providers/kubevirt/client/client.ts";
import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import { clientLimits } from "#providers/kubevirt/client/options.ts";
import type { WatchEvent } from "#providers/kubevirt/client/watch.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { startKube, type KubeServer } from "#test/kube/server.ts";

import { Mirror, type MirrorOptions } from "./mirror.ts";

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) {
    // oxlint-disable-next-line no-await-in-loop -- the last opened first
    await close();
  }
});

const write = { manager: "test", validation: "none" } as const;

function options(client: KubeClient): MirrorOptions<string> {
  return {
    client,
    kind: kinds.configMap,
    selection: { namespace: "n" },
    keyOf: ({ metadata }) => metadata.name,
    distill: (object) => {
      const { value } = Object(object["data"]);
      if (value === "unreadable") throw new Error("edited");
      return String(value);
    },
    now: Date.now,
    onChange: () => undefined,
    onLost: () => undefined,
  };
}

async function watched(more: Partial<MirrorOptions<string>> = {}) {
  const server = await startKube({ bookmarkMs: 50 });
  server.objects.create(kinds.namespace, undefined, { metadata: { name: "n" } }, write);
  const client = new KubeClient(server.cluster(), {
    ...clientLimits,
    calls: { ...clientLimits.calls, retry: { ...clientLimits.calls.retry, firstDelayMs: 1 } },
    watch: { ...clientLimits.watch, firstDelayMs: 1, delayMaxMs: 20, silenceMaxMs: 400 },
  });
  const mirror = new Mirror({ ...options(client), ...more });
  const leaving = new AbortController();
  const following = mirror.follow(leaving.signal);
  closing.push(async () => {
    leaving.abort();
    await following;
    client.close();
    await server.close();
  });
  await mirror.whole();
  return { server, mirror };
}

function set({ objects }: KubeServer, name: string, value: string): void {
  const input = { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { value } };
  objects.apply(kinds.configMap, { namespace: "n", name }, input, write);
}

function drop({ objects }: KubeServer, name: string): void {
  const found = objects.store.get(kinds.configMap, { namespace: "n", name });
  if (found !== undefined) objects.store.remove(kinds.configMap, found);
}

function truth({ objects }: KubeServer): Record<string, string> {
  return Object.fromEntries(
    objects.store
      .all(kinds.configMap, "n")
      .map((each) => [each.metadata.name, String(Object(each["data"]).value)]),
  );
}

/** A connection that fell silent is never heard of again: what it did not say is lost with it. */
function talkAgain({ faults }: KubeServer): void {
  faults.comeBack();
  faults.cutWatches();
  faults.muteWatches("talking");
}

const names = ["a", "b", "c", "d", "e"];

function held(mirror: Mirror<string>): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = mirror.get(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

test("through cuts, silence, compaction and lost answers it ends as the truth", async () => {
  const { server, mirror } = await watched();
  const seed = Math.floor(Math.random() * 2 ** 31);
  const step = fc.record({
    what: fc.constantFrom(
      "set",
      "set",
      "set",
      "drop",
      "cut",
      "compact",
      "mute",
      "lose",
      "gone",
      "rest",
    ),
    name: fc.constantFrom(...names),
  });
  const steps = fc.sample(step, { numRuns: 300, seed });
  for (const [index, { what, name }] of steps.entries()) {
    if (what === "set") set(server, name, String(index));
    else if (what === "drop") drop(server, name);
    else if (what === "cut") server.faults.cutWatches();
    else if (what === "compact") server.objects.store.compact();
    else if (what === "mute") server.faults.muteWatches("silent");
    else if (what === "lose") server.faults.loseAnswers(1);
    else if (what === "gone") server.faults.vanish();
    else {
      talkAgain(server);
      // oxlint-disable-next-line no-await-in-loop -- life goes on at its pace
      await new Promise((resolve) => {
        setTimeout(resolve, 5);
      });
    }
  }
  talkAgain(server);
  await expect.poll(() => ({ seed, ...held(mirror) })).toEqual({ seed, ...truth(server) });
  await expect.poll(() => mirror.lostSince).toBeUndefined();
});

interface Happened {
  readonly object: KubeObject;
  readonly isDeleted: boolean;
}

/** What happens to objects, in order; each has the version of its place. */
const histories = fc.array(
  fc.record({ name: fc.constantFrom(...names), isDeleted: fc.boolean() }),
  { maxLength: 40 },
);

function happen(all: readonly { name: string; isDeleted: boolean }[]): readonly Happened[] {
  return all.map(({ name, isDeleted }, index) => ({
    isDeleted,
    object: {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name,
        namespace: "n",
        uid: name,
        resourceVersion: String(index + 1),
        creationTimestamp: "2026-01-01T00:00:00Z",
      },
      data: { value: String(index + 1) },
    },
  }));
}

function truthAt(all: readonly Happened[], version: number): Map<string, KubeObject> {
  const there = new Map<string, KubeObject>();
  for (const { object, isDeleted } of all.slice(0, version)) {
    if (isDeleted) there.delete(object.metadata.name);
    else there.set(object.metadata.name, object);
  }
  return there;
}

/** All that there is at a version, on one page. */
function listOf(items: readonly KubeObject[], version: number): WatchEvent {
  const resourceVersion = String(version);
  return { type: "page", items, resourceVersion, isFirst: true, isLast: true };
}

/** Of no server: what a mirror is told comes from the test. */
function unasked(): KubeClient {
  const client = new KubeClient({
    server: "http://127.0.0.1:9",
    verified: true,
    credentials: { current: async () => ({}), renew: () => false },
    namespace: "n",
  });
  closing.push(() => client.close());
  return client;
}

test("events twice, late and out of order, reads that come late, lists in between: it ends as the truth", () => {
  const client = unasked();
  const noise = fc.array(
    fc.record({
      after: fc.nat(40),
      what: fc.constantFrom("again", "read", "list"),
      of: fc.nat(40),
    }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(histories, noise, (history, noises) => {
      const all = happen(history);
      const mirror = new Mirror(options(client));
      mirror.take(listOf([], 0));
      const tell = ({ object, isDeleted }: Happened, resourceVersion: string): void =>
        mirror.take({ type: isDeleted ? "deleted" : "changed", object, resourceVersion });
      for (const [index, each] of all.entries()) {
        tell(each, String(index + 1));
        for (const { what, of } of noises.filter(({ after }) => after === index)) {
          const at = of % (index + 1);
          const other = all[at];
          if (what === "again" && other !== undefined) tell(other, String(at + 1));
          else if (what === "read" && other?.isDeleted === false) mirror.put(other.object);
          else if (what === "list") {
            const items = [...truthAt(all, index + 1).values()];
            const resourceVersion = String(index + 1);
            const cut = of % (items.length + 1);
            // Also one that broke off before it was begun again.
            for (const isFirst of [true, true, false]) {
              const part = isFirst ? items.slice(0, cut) : items.slice(cut);
              mirror.take({
                type: "page",
                items: part,
                resourceVersion,
                isFirst,
                isLast: !isFirst,
              });
            }
          }
        }
        const now = [...truthAt(all, index + 1)].map(([name, { metadata }]) => [
          name,
          metadata.resourceVersion,
        ]);
        expect(held(mirror)).toEqual(Object.fromEntries(now));
      }
    }),
  );
});

test("a list that was made before a write of ours does not undo it", () => {
  const client = unasked();
  const mirror = new Mirror(options(client));
  const [, second] = happen([
    { name: "a", isDeleted: false },
    { name: "b", isDeleted: false },
  ]);
  if (second === undefined) throw new Error("two were made");
  mirror.put(second.object);
  mirror.take(listOf([], 1));
  expect(held(mirror)).toEqual({ b: "2" });
  mirror.take(listOf([], 3));
  expect(held(mirror)).toEqual({});
  mirror.put(second.object);
  expect(held(mirror)).toEqual({});
});

test("of a list that breaks off only what it named is known: the rest is neither gone nor fresh", () => {
  const client = unasked();
  let now = 1;
  const mirror = new Mirror({ ...options(client), now: () => now });
  const [a, b, c] = happen(["a", "b", "a"].map((name) => ({ name, isDeleted: false }))).map(
    ({ object }) => object,
  );
  if (a === undefined || b === undefined || c === undefined) throw new Error("three were made");
  mirror.take({ type: "page", items: [a], resourceVersion: "2", isFirst: true, isLast: false });
  expect(mirror.isWhole).toBe(false);
  mirror.take({ type: "page", items: [b], resourceVersion: "2", isFirst: false, isLast: true });
  expect(mirror.isWhole).toBe(true);
  now = 2;
  mirror.take({ type: "lost", error: new Error("cut"), retryInMs: 1 });
  now = 3;
  mirror.take({ type: "page", items: [c], resourceVersion: "3", isFirst: true, isLast: false });
  expect(held(mirror)).toEqual({ a: "3", b: "2" });
  expect(mirror.lostSince).toBe(1);
  mirror.take({ type: "lost", error: new Error("cut"), retryInMs: 1 });
  mirror.take(listOf([c], 4));
  expect(held(mirror)).toEqual({ a: "3" });
  expect(mirror.lostSince).toBeUndefined();
});

test("a watch that hangs without a byte is old after its bound, and known to be true up to its last word", async () => {
  const { server, mirror } = await watched({ quietMaxMs: 200 });
  set(server, "a", "1");
  await expect.poll(() => mirror.get("a")).toBe("1");
  expect(mirror.lostSince).toBeUndefined();
  const hungAt = Date.now();
  server.faults.muteWatches("silent");
  set(server, "a", "2");
  await expect.poll(() => mirror.lostSince).toBeDefined();
  expect(mirror.lostSince).toBeLessThanOrEqual(hungAt + 1000);
  expect(mirror.get("a")).toBe("1");
  talkAgain(server);
  await expect.poll(() => mirror.get("a")).toBe("2");
  await expect.poll(() => mirror.lostSince).toBeUndefined();
});

test("what cannot be read stays as it was, and is named until it can be", async () => {
  const unreadable: string[] = [];
  const { server, mirror } = await watched({ onUnreadable: (key) => unreadable.push(key) });
  set(server, "a", "1");
  await expect.poll(() => mirror.get("a")).toBe("1");
  set(server, "a", "unreadable");
  await expect.poll(() => [...mirror.unreadable]).toEqual(["a"]);
  expect(mirror.get("a")).toBe("1");
  expect(unreadable).toEqual(["a"]);
  set(server, "a", "2");
  await expect.poll(() => mirror.get("a")).toBe("2");
  expect([...mirror.unreadable]).toEqual([]);
  set(server, "b", "unreadable");
  await expect.poll(() => [...mirror.unreadable]).toEqual(["b"]);
  drop(server, "b");
  await expect.poll(() => [...mirror.unreadable]).toEqual([]);
});
